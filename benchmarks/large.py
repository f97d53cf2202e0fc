"""What 10,000 ended and 1,000 active jobs cost, half of them running and half queued, against a page of each.

Sweep: what the worker does every two seconds, in this process: look at all that is due, and reconcile what has
changed. Lists and rest: the app by its public command; 50 jobs by HTTP, and the processor time it takes while nobody
is there.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from sqlalchemy import update

from benchmarks import world
from benchmarks.server import Server, running
from benchmarks.stats import Figure
from visionai import observability
from visionai.db import Database, utcnow
from visionai.executors.subprocess import SubprocessExecutor, this_host
from visionai.frameworks import Frameworks
from visionai.identity.tokens import access_token
from visionai.jobs import reconcile
from visionai.jobs.tables import Job
from visionai.parts import Parts
from visionai.pubsub import Subscriber
from visionai.settings import Settings
from visionai.storage.local import LocalStorage

PAGE = 50
ENDED, ACTIVE = 10_000, 1_000
LISTS = {"newest": "", "completed": "state=completed", "queued": "state=queued", "running": "state=running"}


class Sized:
    """A data directory with so many jobs, and what was measured on it."""

    def __init__(self, folder: Path, ended: int, active: int) -> None:
        self.settings = world.settings_of(folder, slots=0)
        self.lists: defaultdict[str, list[float]] = defaultdict(list)
        self.sweeps: list[float] = []
        self.rest: list[float] = []
        self.executor = SubprocessExecutor(self.settings.data_dir / "runs", this_host(self.settings.data_dir))

        async def fill(db: Database) -> str:
            there = await world.make(db)
            await world.add_ended(db, there, ended)
            await world.add_running(db, there, active // 2, self.executor)
            await world.add_queued(db, there, active - active // 2)
            assert there.credential.session_id is not None
            return access_token(self.settings, there.user_id, there.credential.session_id)

        self.token = world.run_on(self.settings, fill)

    def sweep(self) -> None:
        async def timed(db: Database) -> float:
            parts = _parts(self.settings, db, self.executor)
            await _sweep(parts)  # opens connections, compiles statements
            async with db.write() as session:  # as after a restart
                await session.execute(update(Job).where(Job.ended_at.is_(None)).values(next_check_at=utcnow()))
            began = time.perf_counter()
            await _sweep(parts)
            return time.perf_counter() - began

        self.sweeps.append(world.run_on(self.settings, timed) * 1e3)

    @contextmanager
    def served(self) -> Iterator[Server]:
        with running(self.settings.data_dir, {"SLOTS": "0"}) as server:
            server.api.headers["Authorization"] = f"Bearer {self.token}"
            yield server

    def list_by(self, server: Server, name: str) -> None:
        began = time.perf_counter()
        page = server.get(f"/api/v1/training/jobs?limit={PAGE}&{LISTS[name]}")
        self.lists[name].append((time.perf_counter() - began) * 1e3)
        assert len(page["items"]) == PAGE

    def idle(self, server: Server, seconds: float) -> None:
        process = psutil.Process(server.process.pid)
        before = sum(process.cpu_times()[:2])
        time.sleep(seconds)
        self.rest.append((sum(process.cpu_times()[:2]) - before) / seconds * 100)


def measure(folder: Path, *, rounds: int, seconds: float) -> list[Figure]:
    observability.configure("console", "error")
    small, large = Sized(folder / "small", PAGE, 2 * PAGE), Sized(folder / "large", ENDED, ACTIVE)
    for _ in range(rounds):
        small.sweep()
        large.sweep()
    with small.served() as one, large.served() as other:
        for _ in range(10 * rounds):
            for name in LISTS:
                small.list_by(one, name)
                large.list_by(other, name)
        small.idle(one, seconds)
        large.idle(other, seconds)
    ratio = [b / a for a, b in zip(small.sweeps, large.sweeps, strict=True)]
    return [
        Figure(f"{ENDED:,} ended and {ACTIVE:,} active jobs ÷ {PAGE} and {2 * PAGE}: a sweep", ratio, "×", digits=1),
        Figure("  a sweep of the large one", large.sweeps, "ms", digits=1),
        *(figure for name in LISTS for figure in _list_figures(name, small.lists[name], large.lists[name])),
        Figure("  processor of the app at rest, large", large.rest, "%", digits=1),
        Figure("  processor of the app at rest, small", small.rest, "%", digits=1),
    ]


def _list_figures(name: str, small: list[float], large: list[float]) -> list[Figure]:
    ratio = [b / a for a, b in zip(small, large, strict=True)]
    return [
        Figure(f"  a list of {PAGE}, {name}", ratio, "×", digits=1),
        Figure("    in the large one", large, "ms", digits=1),
    ]


async def _sweep(parts: Parts) -> None:
    await asyncio.gather(*(reconcile.reconcile(parts, job_id) for job_id in await reconcile.sweep(parts)))


def _parts(settings: Settings, db: Database, executor: SubprocessExecutor) -> Parts:
    redis = None  # no hints: what would be woken is swept
    return Parts(
        settings=settings, environ={}, db=db, redis=redis,  # type: ignore[arg-type]
        storage=LocalStorage(settings.data_dir / "storage", settings.secret), frameworks=Frameworks(settings, {}),
        executor=executor, subscriber=Subscriber(redis),  # type: ignore[arg-type]
    )  # fmt: skip
