"""A trainer image holds ``visionai.trainers``, msgspec and one framework: nothing of the server may be imported."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import visionai.trainers

ROOT = Path(visionai.trainers.__file__).parent
FRAMEWORK = {"timm", "torch", "torchvision", "numpy", "PIL"}


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found |= {f"{node.module}.{a.name}" if node.module == "visionai" else node.module or "" for a in node.names}
    return found


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_of_the_server_and_frameworks_only_at_home(path: Path) -> None:
    allowed = set(sys.stdlib_module_names) | {"msgspec"}
    if path.parent != ROOT:
        allowed |= FRAMEWORK
    for name in imports(path):
        if name.partition(".")[0] == "visionai":
            assert name.startswith("visionai.trainers")
        else:
            assert name.partition(".")[0] in allowed, name


def test_the_contract_imports_nothing_of_its_neighbours() -> None:
    assert not [name for name in imports(ROOT / "contract.py") if name.startswith("visionai")]


def test_describe_needs_no_framework() -> None:
    program = (
        "import sys, runpy\n"
        "sys.argv = ['trainers', 'timm', 'describe']\n"
        "try:\n    runpy.run_module('visionai.trainers', run_name='__main__')\n"
        "except SystemExit as e:\n    assert not e.code, e.code\n"
        "print(sorted({'torch', 'timm', 'numpy', 'PIL', 'litestar', 'sqlalchemy'} & set(sys.modules)), file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT.parent.parent)},
    )
    assert ran.stderr.strip() == "[]"
    assert json.loads(ran.stdout)["framework"] == "timm"
