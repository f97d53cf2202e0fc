"""Fakes for tests of trainers: a server, real HTTP on loopback, that can be made to misbehave; a clock without time."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from visionai.trainers.contract import TrainerEnv

JOB = "job-1"


class Call(NamedTuple):
    method: str
    path: str
    """Below the job, or the whole path of a transfer."""
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Answer(NamedTuple):
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = MappingProxyType({})


class HangUp(Exception):
    """Close the connection without an answer."""


class Server:
    """Behaves. Subclasses override ``answer`` to misbehave in the way that their name says."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.stored: dict[str, bytes] = {}
        self.complete: list[str] = []
        self.requests: dict[str, dict[str, Any]] = {}
        self.files: dict[str, bytes] = {}
        self.inputs: dict[str, Any] = {}
        self.action = "continue"
        self._lock = threading.Lock()
        self._changed = threading.Condition()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def handle(self, call: Call) -> Answer:
        with self._lock:
            try:
                return self.answer(call)
            finally:
                with self._changed:
                    self.calls.append(call)
                    self._changed.notify_all()

    def answer(self, call: Call) -> Answer:
        if call.path.startswith("/files/"):
            return Answer(200, self.files[call.path.removeprefix("/files/").partition("?")[0]])
        if call.path.startswith("/store/"):
            self.stored[call.path] = call.body
            return Answer(200)
        if call.path == "inputs":
            return Answer(200, json.dumps(self.inputs).encode())
        if call.path == "heartbeat":
            return Answer(200, json.dumps({"action": self.action}).encode())
        if call.path == "validation":
            return Answer(200, b'{"is_best": true}')
        if call.path == "artifacts":
            return self._ticket(call.json)
        if call.path.endswith("/complete"):
            return self._completed(call.path.split("/")[1])
        return Answer(204)

    def to(self, path: str) -> list[Call]:
        with self._changed:
            return [call for call in self.calls if call.path == path]

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Until it holds; fails after a time that only a hang takes."""
        with self._changed:
            assert self._changed.wait_for(condition, timeout=120), [call.path for call in self.calls]

    def _ticket(self, request: dict[str, Any]) -> Answer:
        """Two ranges, so that ranges are tested."""
        name = request["name"]
        self.requests[name] = request
        starts = sorted({0, request["size"] // 2})
        uploads = [
            {"url": f"/store/{name}/{start}", "headers": {"X-Part": str(start)}, "offset": start, "length": end - start}
            for start, end in zip(starts, [*starts[1:], request["size"]], strict=True)
        ]
        return Answer(201, json.dumps({"id": name, "uploads": uploads}).encode())

    def content(self, name: str) -> bytes:
        """What has arrived of an artifact."""
        starts = sorted({0, self.requests[name]["size"] // 2})
        return b"".join(self.stored.get(f"/store/{name}/{start}", b"") for start in starts)

    def _completed(self, name: str) -> Answer:
        request = self.requests[name]
        content = self.content(name)
        if (len(content), hashlib.sha256(content).hexdigest()) != (request["size"], request["sha256"]):
            return problem(422, "hash_mismatch")
        self.complete.append(name)
        return Answer(200, json.dumps({"id": name, "status": "complete"}).encode())


def problem(status: int, code: str, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, json.dumps({"code": code, "detail": code}).encode(), headers or {})


class FakeClock:
    """Waits take no time, until ``budget`` seconds have passed; from then on only events end a wait."""

    def __init__(self, budget: float = 1e9) -> None:
        self.time, self.budget, self.waits = 0.0, budget, list[float]()
        self._lock = threading.Lock()

    def now(self) -> float:
        with self._lock:
            return self.time

    def wait(self, event: threading.Event, seconds: float | None) -> None:
        with self._lock:
            passes = seconds is not None and self.time + seconds <= self.budget
            if passes and not event.is_set():
                self.time += seconds or 0.0
                self.waits.append(seconds or 0.0)
        if not passes:
            event.wait()
        event.clear()


def environment(url: str, folder: Path) -> TrainerEnv:
    return TrainerEnv(
        job_id=JOB,
        attempt=1,
        backend_base_url=url,
        callback_token="token-of-the-attempt",  # noqa: S106
        framework="timm",
        task_type="classification",
        model_name="test_resnet",
        dataset_id="d",
        dataset_version="v",
        workspace=str(folder / "workspace"),
        cache_dir=str(folder / "cache"),
        trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = self.path.removeprefix(f"/v1/jobs/{JOB}/")
            try:
                answer = server.handle(Call(self.command, path, headers, body))
            except HangUp:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = do_PUT = _any

        def log_message(self, *args: object) -> None:
            pass

    return Handler
