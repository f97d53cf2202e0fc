"""The catalogue: what the installed trainers say they can do."""

import msgspec
from litestar import Router, get
from litestar.di import NamedDependency

from visionai import frameworks
from visionai.api import shapes
from visionai.api.problems import responses
from visionai.api.shapes import Page
from visionai.parts import Parts


@get("/models", responses=responses(), sync_to_thread=False, summary="Frameworks, their models and hyperparameters")
def list_models(parts: NamedDependency[Parts]) -> Page[shapes.Framework]:
    return Page([_framework(f) for f in parts.frameworks.all()])


def _framework(framework: frameworks.Framework) -> shapes.Framework:
    manifest = framework.manifest
    return msgspec.convert(
        {
            "framework": framework.name, "status": framework.status, "message": framework.message,
            "install_command": frameworks.install_command(framework.name),
            "version": manifest.version if manifest else None, "tasks": manifest.tasks if manifest else [],
            "schema": manifest.schema if manifest else {}, "presets": manifest.presets if manifest else {},
            "primary_metrics": msgspec.to_builtins(manifest.primary_metrics) if manifest else {},
            "capabilities": manifest.capabilities if manifest else [],
            "models": msgspec.to_builtins(manifest.models) if manifest else [],
        },
        shapes.Framework,
    )  # fmt: skip


router = Router("/api/v1", tags=["models"], route_handlers=[list_models])
