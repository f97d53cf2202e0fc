"""The app as a process of its own, started by its public command and driven through its API."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

from visionai.settings import Settings

T = TypeVar("T")
WAIT_SECONDS = 300.0
ACCOUNT = {"email": "bench@example.org", "password": "measure twice, cut once"}


class Server:
    def __init__(
        self, process: subprocess.Popen[str], api: httpx.Client, ready_seconds: float, ready_cpu: float
    ) -> None:
        self.process = process
        self.api = api
        self.ready_seconds = ready_seconds
        self.ready_cpu = ready_cpu

    def memory(self) -> tuple[float, float]:
        """RSS and PSS in MB of the app and of the embedded Redis; trainers that are asked what they can are not it."""
        root = psutil.Process(self.process.pid)
        redis = [p for p in root.children() if p.name().startswith("valkey")]
        all_of_it = [p.memory_full_info() for p in (root, *redis)]
        return sum(m.rss for m in all_of_it) / 1e6, sum(m.pss for m in all_of_it) / 1e6

    def get(self, path: str) -> dict[str, Any]:
        answer = self.api.get(path).raise_for_status().json()
        assert isinstance(answer, dict)
        return answer

    def post(self, path: str, **request: Any) -> dict[str, Any]:
        answer = self.api.post(path, **request).raise_for_status().json()
        assert isinstance(answer, dict)
        return answer


@contextmanager
def running(data_dir: Path, extra: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Started, ready, with an account if the data directory is new; stopped at the end."""
    settings = {name.upper() for name in Settings.__struct_fields__}
    environ = {k: v for k, v in os.environ.items() if k not in settings} | {"LOG_LEVEL": "error"} | dict(extra or {})
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "visionai.cli", "serve", "--json", "--port", "0", "--data-dir", str(data_dir)],
        env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        with httpx.Client(base_url=said["url"], timeout=60, trust_env=False) as api:
            until(lambda: api.get("/readyz").status_code == 200, every=0.01)
            ready = time.perf_counter() - began
            cpu = sum(psutil.Process(process.pid).cpu_times()[:2])
            if said["setup_url"] is not None:
                _set_up(api, said["setup_url"].partition("#token=")[2])
            yield Server(process, api, ready, cpu)
    finally:
        process.terminate()
        process.wait()


def until(look: Callable[[], T], *, every: float) -> T:
    """The first true answer. Raises TimeoutError after WAIT_SECONDS."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if answer := look():
            return answer
        time.sleep(every)
    raise TimeoutError(f"waited {WAIT_SECONDS:.0f} s in vain")


def _set_up(api: httpx.Client, token: str) -> None:
    session = api.post("/api/v1/auth/setup", json={"token": token, **ACCOUNT}).raise_for_status().json()
    api.headers["Authorization"] = f"Bearer {session['access_token']}"
