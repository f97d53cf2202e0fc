"""What the platform costs a training, in pairs taken in turn: through the API, then the same by hand.

Waiting: from the POST to the trainer's first line and to its first batch, against starting the trainer by hand.
Working: CPU seconds of the trainer's process per epoch, evaluation and reports included, against a plain loop.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks.server import Server, running, until
from benchmarks.stats import Figure

HERE = Path(__file__).parent
MODEL = "test_resnet"


class Measured(NamedTuple):
    first_line: float
    first_batch: float
    cpu_per_epoch: float


def measure(folder: Path, archive: Path, images: Path, *, pairs: int, epochs: int) -> list[Figure]:
    config = {"epochs": epochs, "workers": 0, "image_size": 32}
    marks = folder / "marks.ndjson"
    settings = {"TRAINER_PYTHON_TIMM": str(_timed_python(folder / "timed-python", marks))}
    inside, by_hand = [], []
    with running(folder / "price", settings) as server:
        dataset = _upload(server, archive)
        until(lambda: server.get("/api/v1/models")["items"][0]["status"] == "ready", every=0.2)
        for _ in range(pairs):
            inside.append(_platform(server, dataset, config, marks))
            by_hand.append(_by_hand(images, config, folder / "by-hand"))
    pairs_of = list(zip(inside, by_hand, strict=True))
    epoch = [a.cpu_per_epoch / b.cpu_per_epoch for a, b in pairs_of]
    line = [a.first_line - b.first_line for a, b in pairs_of]
    batch = [a.first_batch - b.first_batch for a, b in pairs_of]
    return [
        Figure("epoch's CPU time, platform ÷ by hand", epoch, aim=1.05, digits=3),
        Figure("  an epoch on the platform", [m.cpu_per_epoch for m in inside], "s"),
        Figure("  an epoch by hand", [m.cpu_per_epoch for m in by_hand], "s"),
        Figure("wait for the first line, platform − by hand", line, "s", aim=1.0),
        Figure("  from POST to the trainer's first line", [m.first_line for m in inside], "s"),
        Figure("  from the command to the trainer's first line", [m.first_line for m in by_hand], "s"),
        Figure("wait for the first batch, platform − by hand", batch, "s"),
    ]


def _timed_python(script: Path, marks: Path) -> Path:
    """The interpreter that the platform is told to train with: this one, timed when it trains."""
    script.write_text(
        f'#!/bin/sh\ncase "$*" in\n'
        f'"-m visionai.trainers timm train") exec {sys.executable} {HERE / "timed.py"} {marks} timm train;;\n'
        f'*) exec {sys.executable} "$@";;\nesac\n'
    )
    script.chmod(0o755)
    return script


def _upload(server: Server, archive: Path) -> str:
    with archive.open("rb") as f:
        files = {"file": (archive.name, f, "application/zip")}
        dataset = str(server.post("/api/v1/datasets/upload", data={"name": "digits"}, files=files)["id"])
    until(lambda: server.get(f"/api/v1/datasets/{dataset}")["status"] == "ready", every=0.2)
    return dataset


def _platform(server: Server, dataset: str, config: dict[str, Any], marks: Path) -> Measured:
    began = time.time()
    spec = {"dataset_id": dataset, "task_type": "classification", "framework": "timm", "model_name": MODEL}
    job = server.post("/api/v1/training/jobs", json={**spec, "config": config})
    path = f"/api/v1/training/jobs/{job['id']}"
    state = until(lambda: (s := server.get(path)["state"]) in ("completed", "failed", "cancelled") and s, every=0.5)
    assert state == "completed", server.get(path)
    first_line = _time(server.get(f"{path}/logs?from=0&limit=1")["items"][0])
    started = next(
        _time(e) for e in server.get(f"{path}/events?limit=1000")["items"]
        if e["type"] == "trainer" and e["data"]["type"] == "training_started"
    )  # fmt: skip
    return Measured(first_line - began, started - began, _per_epoch(marks.read_text().splitlines()[-1]))


def _by_hand(images: Path, config: dict[str, Any], out: Path) -> Measured:
    began = time.time()
    with subprocess.Popen(
        [sys.executable, "-m", "visionai.trainers", "timm", "train", "--data", images, "--model", MODEL, "--out", out,
         *(argument for key, value in config.items() for argument in ("--set", f"{key}={value}"))],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()
        first_line = time.time()
        while not process.stdout.readline().startswith("training_started"):
            assert process.poll() is None, "the trainer ended before it began"
        started = time.time()
        process.kill()
    loop = subprocess.run(
        [sys.executable, HERE / "by_hand.py", images, MODEL, json.dumps(config)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return Measured(first_line - began, started - began, _per_epoch(loop.stdout))


def _per_epoch(line: str) -> float:
    """The median of the epochs, without the first, in which libraries are still being loaded."""
    marks: list[float] = json.loads(line)["marks"]
    return median([end - begin for begin, end in itertools.pairwise(marks[1:])])


def _time(item: dict[str, Any]) -> float:
    return datetime.fromisoformat(item["time"]).timestamp()
