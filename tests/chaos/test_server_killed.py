"""``kill -9`` of the server in mid-training, then ``visionai serve`` again: with real processes and public commands."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import numpy as np
import pytest
from campaign import processes
from PIL import Image

pytest.importorskip("timm", reason="trains a real model; install the timm extra")
pytestmark = [pytest.mark.process, pytest.mark.training]

T = TypeVar("T")
ACCOUNT = {"email": "ada@example.org", "password": "correct horse battery"}
EPOCHS = 12


class Server:
    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.process: subprocess.Popen[bytes] | None = None
        self.api = httpx.Client(timeout=30, trust_env=False)

    def serve(self) -> dict[str, Any]:
        where = ["--port", str(self.port), "--data-dir", self.data_dir]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "visionai.cli", "serve", "--json", *where],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert self.process.stdout is not None
        said: dict[str, Any] = json.loads(self.process.stdout.readline())
        self.api.base_url = httpx.URL(said["url"])
        return said

    @property
    def port(self) -> int:
        """The same one again after the first start: the trainer knows its server by it."""
        return int(self.api.base_url.port or 0)

    def end(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None
        return code

    def get(self, path: str) -> Any:
        answer = self.api.get(path)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, body: Any) -> Any:
        answer = self.api.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "data")
    yield made
    if made.process is not None:
        made.end(signal.SIGKILL)
    made.api.close()


def until(look: Callable[[], T | None], seconds: float = 180) -> T:
    deadline = time.monotonic() + seconds
    while (found := look()) is None:
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)
    return found


def images() -> bytes:
    """Two classes that are easily told apart."""
    noise, archive = np.random.default_rng(0), io.BytesIO()
    with zipfile.ZipFile(archive, "w") as z:
        for n in range(400):
            png = io.BytesIO()
            pixels = noise.integers(0, 100, (16, 16)) + (120 if n % 2 else 0)
            Image.fromarray(pixels.astype("uint8")).save(png, "PNG")
            z.writestr(f"{'light' if n % 2 else 'dark'}/{n:03}.png", png.getvalue())
    return archive.getvalue()


def trainers(server: Server) -> set[int]:
    """Those of this server: the machine may have others."""
    return {process.pid for process in processes(server.data_dir) if process.kind == "trainer"}


def start_training(server: Server) -> str:
    said = server.serve()
    until(lambda: True if server.api.get("/readyz").is_success else None)
    token = said["setup_url"].partition("#token=")[2]
    session = server.post("/api/v1/auth/setup", {"token": token, **ACCOUNT})
    server.api.headers["Authorization"] = f"Bearer {session['access_token']}"
    upload = server.api.post("/api/v1/datasets/upload", data={"name": "tones"}, files={"file": ("t.zip", images())})
    dataset = upload.json()["id"]
    until(lambda: server.get(f"/api/v1/datasets/{dataset}")["status"] == "ready" or None)
    until(lambda: server.get("/api/v1/models")["items"][0]["status"] == "ready" or None)
    job = {"dataset_id": dataset, "task_type": "classification", "framework": "timm", "model_name": "test_resnet",
           "config": {"epochs": EPOCHS, "early_stopping_patience": None}}  # fmt: skip
    return str(server.post("/api/v1/training/jobs", job)["id"])


def epochs(server: Server, job_id: str) -> list[int]:
    return [row["epoch"] for row in server.get(f"/api/v1/training/jobs/{job_id}/metrics?kind=epoch")["items"]]


def test_the_same_trainer_goes_on_and_the_job_completes_with_every_epoch_once(server):
    job_id = start_training(server)
    until(lambda: len(epochs(server, job_id)) >= 2 or None)
    (trainer,) = trainers(server)

    server.end(signal.SIGKILL)
    os.kill(trainer, 0)
    server.serve()

    job = until(lambda: j if (j := server.get(f"/api/v1/training/jobs/{job_id}"))["ended_at"] else None)
    assert (job["state"], job["attempt"], job["error"]) == ("completed", 1, None)
    assert epochs(server, job_id) == list(range(1, EPOCHS + 1))
    events = server.get(f"/api/v1/training/jobs/{job_id}/events")["items"]
    assert [e["seq"] for e in events] == list(range(1, job["event_seq"] + 1))
    until(lambda: trainer not in trainers(server) or None)
    assert server.end(signal.SIGTERM) == 0


def test_a_clean_stop_leaves_the_trainer_alone(server):
    job_id = start_training(server)
    until(lambda: len(epochs(server, job_id)) >= 1 or None)
    (trainer,) = trainers(server)
    assert server.end(signal.SIGTERM) == 0
    os.kill(trainer, 0)
    server.serve()
    server.api.post(f"/api/v1/training/jobs/{job_id}/cancel")
    job = until(lambda: j if (j := server.get(f"/api/v1/training/jobs/{job_id}"))["ended_at"] else None)
    assert job["state"] in {"cancelled", "completed"}
    until(lambda: trainer not in trainers(server) or None)
    assert server.end(signal.SIGTERM) == 0
