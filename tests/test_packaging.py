"""What is shipped: a wheel with the web UI and the migrations in it, locked versions, a trainer without the server."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from urllib.request import urlopen

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
FRAMEWORKS = ("torch", "torchvision", "timm", "ultralytics", "transformers", "sklearn", "numpy")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as pip builds it, with nothing on PATH: no Node, no git."""
    folder = tmp_path_factory.mktemp("wheel")
    environ = {**os.environ, "PATH": str(folder)}
    environ.pop("VISIONAI_SKIP_UI", None)
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-index", "--no-build-isolation",
         "-w", folder, ROOT],
        env=environ, check=True,
    )  # fmt: skip
    return next(folder.glob("visionai-*.whl"))


@pytest.fixture(scope="module")
def unpacked(wheel: Path) -> Path:
    folder = wheel.parent / "unpacked"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run_in(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environ, capture_output=True, text=True, check=True
    )


@pytest.mark.process
def test_the_wheel_holds_the_ui_the_migrations_and_the_pins_and_no_sources_of_them(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    held = set(names)
    assert {"visionai/webui/index.html", "visionai/migrations/env.py", "visionai/constraints.txt"} <= held
    assert any(re.fullmatch(r"visionai/migrations/versions/0001_\w+\.py", name) for name in names)
    assert any(re.fullmatch(r"visionai/webui/assets/.+\.js", name) for name in names)
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    assert not [name for name in names if re.search(r"node_modules|\.tsx?$|__pycache__|^tests/|^ui/", name)]


@pytest.mark.process
def test_the_wheel_makes_its_database_and_serves_its_ui(unpacked: Path, tmp_path: Path) -> None:
    server = subprocess.Popen(
        [sys.executable, "-m", "visionai.cli", "serve", "--json", "--port", "0", "--data-dir", tmp_path],
        cwd=unpacked, env={**os.environ, "PYTHONPATH": str(unpacked)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with server:
        try:
            assert server.stdout is not None
            url = json.loads(server.stdout.readline())["url"]
            with urlopen(f"{url}/", timeout=30) as answer:
                page = answer.read().decode()
            script = re.search(r'src="(/assets/[^"]+\.js)"', page)
            assert script
            with urlopen(f"{url}{script[1]}", timeout=30) as answer:
                assert answer.headers["Content-Type"].startswith("text/javascript")
        finally:
            server.terminate()
    assert server.returncode == 0


@pytest.mark.process
def test_the_server_imports_no_framework(unpacked: Path) -> None:
    code = "import sys, visionai.app, visionai.server; print(*{m.partition('.')[0] for m in sys.modules})"
    imported = set(run_in(unpacked, "-c", code).stdout.split())
    assert not imported & set(FRAMEWORKS)


@pytest.mark.process
def test_a_trainer_image_holds_the_trainers_and_nothing_of_the_server(unpacked: Path, tmp_path: Path) -> None:
    parts = re.search(r"mv ((?:/wheel/visionai/\S+ )+)/trainers/visionai", (ROOT / "Dockerfile").read_text())
    assert parts
    (tmp_path / "visionai").mkdir()
    for part in parts[1].split():
        source = unpacked / Path(part).relative_to("/wheel")
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tmp_path / "visionai" / source.name)
    assert {path.name for path in (tmp_path / "visionai").iterdir()} == {"__init__.py", "trainers"}
    described = json.loads(run_in(tmp_path, "-m", "visionai.trainers", "timm", "describe").stdout)
    assert described["framework"] == "timm"


def pins() -> dict[str, str]:
    lines = (ROOT / "src/visionai/constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def test_pins_are_names_and_exact_versions_alone() -> None:
    for name, version in pins().items():
        assert name == canonicalize_name(name)
        assert re.fullmatch(r"\d[\w.]*", version), f"{name}=={version}"


EXTRAS = PROJECT["optional-dependencies"]


@pytest.mark.parametrize("requirement", sorted({*PROJECT["dependencies"], *(r for e in EXTRAS.values() for r in e)}))
def test_everything_that_is_required_is_pinned(requirement: str) -> None:
    wanted = Requirement(requirement)
    if wanted.name == "visionai":
        assert wanted.extras <= set(EXTRAS)
    else:
        assert pins()[canonicalize_name(wanted.name)] in wanted.specifier


def test_only_its_own_extra_brings_agpl_software() -> None:
    bring = {name for name, requirements in EXTRAS.items() if any(r.startswith("ultralytics") for r in requirements)}
    assert bring == {"ultralytics"}
    assert not [r for r in PROJECT["dependencies"] if Requirement(r).name in FRAMEWORKS]
