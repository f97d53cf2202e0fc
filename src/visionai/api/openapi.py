"""The OpenAPI document: Litestar's, with what each route asks for and what it really answers."""

from typing import Any

import msgspec
from litestar import Litestar, MediaType, Request, Router
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.routes import BaseRoute
from litestar.types import ControllerRouterHandler

from visionai import __version__

SCHEMES = {
    "bearer": SecurityScheme("http", scheme="bearer", description="An access token, from `/api/v1/auth/login`."),
    "callback": SecurityScheme("http", scheme="bearer", description="A trainer's CALLBACK_TOKEN, for its own job."),
    "signed": SecurityScheme("apiKey", name="signature", security_scheme_in="query", description="A signed address."),
}


class _Documented(Router):
    """Has the document alone: for what is not there Litestar would add pages of HTML."""

    def register(self, value: ControllerRouterHandler) -> list[BaseRoute]:
        if isinstance(value, HTTPRouteHandler) and value.media_type == MediaType.HTML:
            return []
        return super().register(value)


class _Render(JsonRenderPlugin):
    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return super().render(request, completed(request.app, openapi_schema))


def config() -> OpenAPIConfig:
    return OpenAPIConfig(
        "VisionAI", __version__, render_plugins=[_Render(path="/openapi.json")],
        openapi_router=_Documented("/api/v1", route_handlers=[], opt={"public": True}, include_in_schema=False),
        use_handler_docstrings=True, components=Components(security_schemes={**SCHEMES}),
    )  # fmt: skip


def document(app: Litestar) -> dict[str, Any]:
    return completed(app, app.openapi_schema.to_schema())


def completed(app: Litestar, schema: dict[str, Any]) -> dict[str, Any]:
    """Give each route its security, none where it is public, 415 where it takes JSON and 429 where it is counted; take
    the 400 away that Litestar names and nearly none of ours answers with; say which bodies may be left out, and where
    numbers begin at 0. May be repeated."""
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            for method in handler.http_methods:
                operation = schema["paths"].get(route.path_format, {}).get(method.lower())
                if operation is not None:
                    _complete(handler, operation)
                    _say_zeros(handler, operation, schema["components"]["schemas"])
    return schema


def _complete(handler: HTTPRouteHandler, operation: dict[str, Any]) -> None:
    scheme = None if handler.opt.get("public") else handler.opt.get("auth", "bearer")
    operation["security"] = [{scheme: []}] if scheme is not None else []
    answers = operation["responses"]
    if 400 not in (handler.responses or {}):
        answers.pop("400", None)
    answers.get("204", {}).pop("content", None)  # there is none, cookies or not
    if scheme == "bearer" or "limit" in handler.opt:
        answers["429"] = answers["422"]
    if handler.parsed_data_field is not None:
        answers["415"] = answers["422"]
        operation["requestBody"]["required"] = not handler.parsed_data_field.has_default


def _say_zeros(handler: HTTPRouteHandler, operation: dict[str, Any], components: dict[str, Any]) -> None:
    """The least value of 0, which Litestar leaves out where there may be null as well."""
    if handler.parsed_data_field is not None:
        for name, struct in msgspec.json.schema_components([handler.parsed_data_field.annotation])[1].items():
            shown = components.get(name, {}).get("properties", {})
            for field, said in struct.get("properties", {}).items():
                if field in shown and any(each.get("minimum") == 0 for each in said.get("anyOf", ())):
                    shown[field]["minimum"] = 0
    fields = {name: field.kwarg_definition for name, field in handler.parsed_fn_signature.parameters.items()}
    limits = {getattr(said, "name", None) or name: getattr(said, "ge", None) for name, said in fields.items()}
    for parameter in operation.get("parameters", ()):
        if limits.get(parameter["name"]) == 0:
            parameter["schema"]["minimum"] = 0
