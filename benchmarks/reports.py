"""Durable heartbeats per second: 32 trainers that each wait for an answer before they send the next one.

Group commit against the very same code with transactions of one report, in turn, on databases of their own; and beside
them a bare route, which shows what the HTTP server alone costs. Every answer was committed with ``synchronous=FULL``.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from uuid import UUID

import msgspec

from benchmarks import world
from benchmarks.stats import Figure
from visionai.db import Database
from visionai.groupcommit import MOST, GroupCommit
from visionai.identity.tokens import callback_token

CLIENTS = 32


class Run(msgspec.Struct, frozen=True):
    per_second: float
    p50: float
    p99: float
    """Milliseconds from a request to its answer."""
    cpu: float
    """Milliseconds of the server's CPU for each request."""


def measure(folder: Path, *, pairs: int, seconds: float) -> list[Figure]:
    grouped, single, bare = [], [], []
    for n in range(pairs):
        grouped.append(_heartbeats(folder / f"grouped-{n}", MOST, seconds))
        single.append(_heartbeats(folder / f"single-{n}", 1, seconds))
        bare.append(_bare(folder / f"bare-{n}", seconds))
    ratio = [a.per_second / b.per_second for a, b in zip(grouped, single, strict=True)]
    return [
        Figure("durable heartbeats, group commit ÷ transactions of one", ratio, "×", aim=10, digits=1, at_least=True),
        Figure("  with group commit", [r.per_second for r in grouped], "/s", digits=0),
        Figure("    answer, p50", [r.p50 for r in grouped], "ms", digits=1),
        Figure("    answer, p99", [r.p99 for r in grouped], "ms", digits=1),
        Figure("    server CPU each", [r.cpu for r in grouped], "ms"),
        Figure("  with transactions of one", [r.per_second for r in single], "/s", digits=0),
        Figure("    answer, p50", [r.p50 for r in single], "ms", digits=1),
        Figure("    answer, p99", [r.p99 for r in single], "ms", digits=1),
        Figure("    server CPU each", [r.cpu for r in single], "ms"),
        Figure("  a bare route (/healthz)", [r.per_second for r in bare], "/s", digits=0),
        Figure("    server CPU each", [r.cpu for r in bare], "ms"),
    ]


def _heartbeats(data_dir: Path, most: int, seconds: float) -> Run:
    settings = world.settings_of(data_dir)
    jobs = world.run_on(settings, _running_jobs)

    def request(client: int, n: int) -> bytes:
        body = msgspec.json.encode({
            "seq": n, "epoch": n, "progress": 50.0, "total_epochs": 10**6, "step": n, "eta_seconds": 12.5,
            "metrics": {"train/loss": 1 / n, "val/loss": 1.1 / n, "val/accuracy": 0.5, "lr": 1e-3},
            "system": {"cpu": 99.0, "rss": 10**9},
        })  # fmt: skip
        token = callback_token(settings, jobs[client], 1)
        return (
            f"POST /v1/jobs/{jobs[client]}/heartbeat HTTP/1.1\r\nHost: b\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body

    return _load(data_dir, most, seconds, request)


def _bare(data_dir: Path, seconds: float) -> Run:
    world.settings_of(data_dir)
    return _load(data_dir, 1, seconds, lambda _client, _n: b"GET /healthz HTTP/1.1\r\nHost: b\r\n\r\n")


def _load(data_dir: Path, most: int, seconds: float, request: Callable[[int, int], bytes]) -> Run:
    with _serving(data_dir, most) as (port, cpu):
        asyncio.run(_clients(port, 0.5, request, first=1))  # warm
        before = cpu()
        took = asyncio.run(_clients(port, seconds, request, first=100_000))
        used = cpu() - before
    cuts = quantiles(took, n=100)
    return Run(len(took) / seconds, median(took) * 1e3, cuts[98] * 1e3, used / len(took) * 1e3)


async def _clients(port: int, seconds: float, request: Callable[[int, int], bytes], *, first: int) -> list[float]:
    took: list[float] = []
    end = time.perf_counter() + seconds

    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        n = first
        while (began := time.perf_counter()) < end:
            writer.write(request(number, n))
            await _answer(reader)
            took.append(time.perf_counter() - began)
            n += 1
        writer.close()

    await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    return took


async def _answer(reader: asyncio.StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = head.split(b" ", 2)[1]
    length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
    body = await reader.readexactly(length)
    if status != b"200":
        raise RuntimeError(f"{status.decode()}: {body.decode()}")


@contextmanager
def _serving(data_dir: Path, most: int) -> Iterator[tuple[int, Callable[[], float]]]:
    """The app without its worker, which would miss the trainers' processes: its port, and its CPU seconds so far."""
    import psutil  # noqa: PLC0415

    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.reports", str(data_dir), str(most)], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            port = json.loads(process.stdout.readline())["port"]
            times = psutil.Process(process.pid).cpu_times
            yield port, lambda: sum(times()[:2])
        finally:
            process.terminate()


async def _running_jobs(db: Database) -> list[UUID]:
    return await world.add_running(db, await world.make(db), CLIENTS)


async def _serve(data_dir: Path, most: int) -> None:
    """What ``visionai serve`` runs, without the worker, and with ``most`` reports in a transaction."""
    import uvicorn  # noqa: PLC0415

    from visionai import observability  # noqa: PLC0415
    from visionai.app import create_app  # noqa: PLC0415

    observability.configure("console", "error")
    app = create_app(world.settings_of(data_dir), {}, background=False)

    class Server(uvicorn.Server):
        async def startup(self, sockets: object = None) -> None:
            await super().startup()
            db: Database = app.state.parts.db
            db.group = GroupCommit(db.write, most=most)
            print(json.dumps({"port": self.servers[0].sockets[0].getsockname()[1]}), flush=True)

    config = uvicorn.Config(app, port=0, log_config=None, access_log=False, server_header=False)
    await Server(config).serve()


if __name__ == "__main__":
    import uvloop

    uvloop.run(_serve(Path(sys.argv[1]), int(sys.argv[2])))
