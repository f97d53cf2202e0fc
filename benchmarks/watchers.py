"""A thousand browsers on one job: from the commit of an event to its arrival at the last of them.

Three processes: the app, which notes when a transaction was committed; the watchers, each a WebSocket of its own over
TCP, which note when a message arrived; and the trainer that reports an event now and then. All clocks are the system's
monotonic one.
"""

from __future__ import annotations

import asyncio
import base64
import functools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import cast
from uuid import UUID

import httpx
import msgspec

from benchmarks import world
from benchmarks.stats import Figure
from visionai.db import Database, Deliver
from visionai.identity.tokens import Credential, callback_token, ticket
from visionai.jobs.events import Event
from visionai.wakeup import Publish

WATCHERS = 1000
PAUSE_SECONDS = 0.25
GET_READY_SECONDS = 60.0


def measure(folder: Path, *, events: int) -> list[Figure]:
    settings = world.settings_of(folder / "watched")

    async def fill(db: Database) -> tuple[Credential, UUID]:
        there = await world.make(db)
        return there.credential, (await world.add_running(db, there, 1))[0]

    credential, job_id = world.run_on(settings, fill)
    path = f"/ws/training/{job_id}?token={ticket(settings, credential, job_id)}"
    with _child("serve", str(settings.data_dir)) as app:
        port = json.loads(_line(app))["port"]
        with _child("watch", str(port), path, str(events)) as watchers:
            took = json.loads(_line(watchers))["seconds"]
            _report(port, job_id, callback_token(settings, job_id, 1), events)
            arrived: dict[str, list[float]] = json.loads(_line(watchers))
        app.send_signal(signal.SIGTERM)
        committed: dict[str, float] = json.loads(_line(app))
    delays = [sorted((t - committed[seq]) * 1e3 for t in times) for seq, times in arrived.items()]
    return [
        Figure(f"{WATCHERS:,} watchers: from commit to the last browser", [d[-1] for d in delays], "ms", digits=0),
        Figure("  p50", [median(d) for d in delays], "ms", digits=0),
        Figure("  p99", [quantiles(d, n=100)[98] for d in delays], "ms", digits=0),
        Figure("  until all of them are connected", [took], "s", digits=1),
    ]


def _report(port: int, job_id: UUID, token: str, count: int) -> None:
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}, trust_env=False) as trainer:
        for seq in range(1, count + 1):
            event = {"seq": seq, "type": "note", "message": "x" * 200}
            trainer.post(f"http://127.0.0.1:{port}/v1/jobs/{job_id}/event", json=event).raise_for_status()
            time.sleep(PAUSE_SECONDS)


@contextmanager
def _child(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "benchmarks.watchers", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


class Watcher(asyncio.Protocol):
    """A browser, as cheap as it can be: what it does is no part of what is measured."""

    def __init__(self, request: bytes, last: int) -> None:
        self._request, self._last = request, last
        self._buffer = b""
        self._upgraded = False
        self.arrived: dict[int, float] = {}
        self.ready = asyncio.Event()
        self.done = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        self._buffer += data
        if not self._upgraded:
            head, end, self._buffer = self._buffer.partition(b"\r\n\r\n")
            assert end, head
            assert head.startswith(b"HTTP/1.1 101"), head
            self._upgraded = True
        while (frame := self._frame()) is not None:
            self._take(frame, now)

    def _frame(self) -> bytes | None:
        """The next message. The server's frames are whole and bear no mask (RFC 6455, 5.2)."""
        if len(self._buffer) < 4:
            return None
        length, head = self._buffer[1], 2
        if length == 126:
            length, head = int.from_bytes(self._buffer[2:4]), 4
        if len(self._buffer) < head + length:
            return None
        frame, self._buffer = self._buffer[head : head + length], self._buffer[head + length :]
        return frame

    def _take(self, frame: bytes, now: float) -> None:
        if frame.startswith(b'{"seq":'):
            seq = int(frame[7 : frame.index(b",")])
            self.arrived[seq] = now
            if seq == self._last:
                self.done.set()
        else:
            self.ready.set()  # the first sync: it follows live from here on


async def _watch(port: int, path: str, events: int) -> None:
    loop, began = asyncio.get_running_loop(), time.monotonic()
    watchers = []
    for _ in range(WATCHERS):
        key = base64.b64encode(os.urandom(16)).decode()
        request = (
            f"GET {path} HTTP/1.1\r\nHost: b\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        ).encode()
        make = functools.partial(Watcher, request, events)
        _, watcher = await loop.create_connection(make, "127.0.0.1", port)
        watchers.append(watcher)
    async with asyncio.timeout(GET_READY_SECONDS):
        for watcher in watchers:
            await watcher.ready.wait()
    print(json.dumps({"seconds": time.monotonic() - began}), flush=True)
    for watcher in watchers:
        await watcher.done.wait()
    seen = {seq: [watcher.arrived[seq] for watcher in watchers] for seq in range(1, events + 1)}
    print(json.dumps(seen), flush=True)


async def _serve(data_dir: Path) -> None:
    """What ``visionai serve`` runs, without the worker. When it is ended it says when each event was committed."""
    import uvicorn  # noqa: PLC0415

    from visionai import observability  # noqa: PLC0415
    from visionai.app import create_app  # noqa: PLC0415

    observability.configure("console", "error")
    app = create_app(world.settings_of(data_dir, websockets_per_user=2 * WATCHERS), {}, background=False)
    committed: dict[int, float] = {}

    def send_and_note(send: Deliver, effects: Sequence[object]) -> None:
        now = time.monotonic()
        committed.update({msgspec.json.decode(e.body, type=Event).seq: now for e in effects if isinstance(e, Publish)})
        send(effects)

    class Server(uvicorn.Server):
        async def startup(self, sockets: object = None) -> None:
            await super().startup()
            db: Database = app.state.parts.db
            assert db.deliver is not None
            db.deliver = functools.partial(send_and_note, db.deliver)
            print(json.dumps({"port": self.servers[0].sockets[0].getsockname()[1]}), flush=True)

        async def shutdown(self, sockets: object = None) -> None:
            print(json.dumps(committed), flush=True)
            await super().shutdown()

    config = uvicorn.Config(
        app, port=0, log_config=None, access_log=False, server_header=False, ws="websockets-sansio",
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    await Server(config).serve()


if __name__ == "__main__":
    import uvloop

    match sys.argv[1:]:
        case ["serve", data_dir]:
            uvloop.run(_serve(Path(data_dir)))
        case ["watch", port, path, events]:
            uvloop.run(_watch(int(port), path, int(events)))
