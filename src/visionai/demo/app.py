"""The app that the demo drives: a process of its own, or the one that runs on its data directory already."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator

import httpx

from visionai import frameworks, locks, server
from visionai.settings import Settings

STOP_SECONDS = 60.0


class DemoFailed(Exception):
    """The sentence says what to do."""


class SignIn(httpx.Auth):
    """Sends the access token, and signs in again when it has run out: an installation may take longer than it lives."""

    requires_response_body = True  # the largest is the checkpoint, some megabytes

    def __init__(self, url: str, account: dict[str, str], token: str) -> None:
        self._url, self._account, self._token = url, account, token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token}"
        answer = yield request
        if answer.status_code != 401:
            return
        answer = yield httpx.Request("POST", f"{self._url}/api/v1/auth/login", json=self._account)
        if answer.status_code == 200:
            self._token = answer.json()["access_token"]
            request.headers["Authorization"] = f"Bearer {self._token}"
            yield request


class App:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._installing: subprocess.Popen[bytes] | None = None
        self.data_dir = settings.data_dir
        self.log = settings.data_dir / "server.log"
        self.stop_command = f"visionai stop --data-dir {settings.data_dir}"
        self.url = ""
        self.setup_url: str | None = None
        self.adopted = False
        self.auth: SignIn | None = None
        self.job_id: str | None = None
        """The training that this demo started."""

    def start(self) -> None:
        """Returns once it listens. Raises DemoFailed with what this start said, not an earlier one."""
        if (running := server.running(self.data_dir)) is not None:
            self.url, self.adopted = running.url, True
            return
        if self.log.exists():
            self.log.replace(self.log.with_name("server.log.1"))
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "visionai.cli", "serve", "--json", "--port", str(self._settings.port),
                 "--data-dir", str(self.data_dir)],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True,
            )  # fmt: skip
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if not said:
            self._process.wait()
            tail = [line.removeprefix("visionai: ") for line in self.log.read_text(errors="replace").splitlines()]
            raise DemoFailed("the app did not start: " + " / ".join(line for line in tail[-3:] if line.strip()))
        self.url, self.setup_url = json.loads(said)["url"], json.loads(said)["setup_url"]

    def stop(self) -> bool:
        """End the app cleanly if this demo started it; with SIGKILL if it does not end by itself."""
        if self._process is None or self._process.poll() is not None:
            return False
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        return True

    def install(self) -> None:
        """Begin to install timm, if that is not under way already."""
        if frameworks.installing(self._settings, "timm") is None:
            self._installing = subprocess.Popen(
                [sys.executable, "-m", "visionai.cli", "trainer", "install", "timm", "--data-dir", str(self.data_dir)],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip

    def is_installing(self) -> bool:
        """Whether timm is on its way, by this demo or an earlier one."""
        begun = self._installing is not None and self._installing.poll() is None
        return begun or frameworks.installing(self._settings, "timm") is not None

    def end_installation(self) -> bool:
        """Whether there was one. pip ends with it; what it has fetched is kept in its cache."""
        if not self.is_installing():
            return False
        record = frameworks.installing(self._settings, "timm")
        pid = record.pid if record is not None else self._installing.pid if self._installing is not None else None
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while self.is_installing() and time.monotonic() < deadline:
            time.sleep(0.1)
        return True

    def cancel(self) -> bool:
        """End this demo's training, if it still runs, and wait until its processes are gone. Whether it ran."""
        if self.job_id is None or self.auth is None:
            return False
        ran = False
        with contextlib.suppress(httpx.HTTPError), self._client() as api:
            path = f"/api/v1/training/jobs/{self.job_id}"
            ran = api.get(path).json().get("ended_at") is None and api.post(f"{path}/cancel").is_success
            deadline = time.monotonic() + STOP_SECONDS
            while time.monotonic() < deadline:
                if api.get(path).json().get("ended_at") is not None and not self.left_behind():
                    break
                time.sleep(0.2)
        return ran

    def left_behind(self) -> bool:
        """Whether processes of this demo's training are still there."""
        return self.job_id is not None and locks.trainings(self.data_dir, self.job_id) > 0

    def _client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=30, trust_env=False, auth=self.auth)
