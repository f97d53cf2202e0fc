"""The catalogue of the timm that is installed. Marked as training because it needs the framework."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import psutil
import pytest

from visionai.trainers.timm import catalogue

timm = pytest.importorskip("timm", reason="the timm extra is not installed")

pytestmark = pytest.mark.training


def test_every_model_is_listed_before_any_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    states: list[catalogue.Catalogue] = []

    def look(name: str) -> int:
        if not states:
            states.append(msgspec.json.decode((tmp_path / "c.json").read_bytes(), type=catalogue.Catalogue))
        return 1

    monkeypatch.setattr(catalogue, "_parameters", look)
    gave_way: list[bool] = []
    catalogue.write(tmp_path / "c.json", listed=lambda: gave_way.append(bool(states)))
    assert gave_way == [False], "not while somebody waits for the list, and before any is counted"
    assert [entry.name for entry in states[0].models] == sorted(timm.list_models())
    assert (states[0].complete, states[0].models[0].parameters) == (False, None)
    manifest = catalogue.manifest(tmp_path / "c.json")
    assert (manifest.catalogue, manifest.models[0].parameters) == ("complete", 1)
    assert {model.name for model in manifest.models} >= catalogue.RECOMMENDED


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "vit_tiny_patch16_224", "swin_tiny_patch4_window7_224"])
def test_parameters_are_counted_right_without_building_them(name: str) -> None:
    assert catalogue._parameters(name) == sum(p.numel() for p in timm.create_model(name).parameters())


def test_a_model_that_cannot_be_built_has_no_count() -> None:
    assert catalogue._parameters("no_such_model") is None


@pytest.mark.process
def test_the_count_ends_with_a_server_that_is_killed(tmp_path: Path) -> None:
    """It takes minutes, and nobody would be there to end it."""
    out = str(tmp_path / "c.json")
    server = f"""
import os, subprocess, sys, time
count = [sys.executable, "-m", "visionai.trainers", "timm", "catalogue", "--out", {out!r}, "--parent", str(os.getpid())]
print(subprocess.Popen(count).pid, flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", server], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        count = psutil.Process(int(process.stdout.readline()))
        process.kill()
    _gone, alive = psutil.wait_procs([count], timeout=30)
    assert not alive
