"""Two workers and a trainer, interleaved between any two transactions and any two calls of the executor.

Each worker is stopped before every transaction it opens and every call it makes to the executor; Hypothesis says who
may go on. A worker may be held up for so long that its lease expires, and be killed where it stands. What must hold is
what must hold for one (``test_machine``).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
import time_machine
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from jobs_world import World
from sqlalchemy.ext.asyncio import AsyncSession
from test_machine import Jobs, ServerKilled

from visionai.db import Database
from visionai.executors.fake import FakeExecutor
from visionai.jobs import reconcile
from visionai.parts import Parts

WORKERS = st.sampled_from([0, 1])
STEPS_TO_THE_END = 300


class Gate:
    """Whoever comes waits until it is opened once for them; where the worker was killed nobody passes any more."""

    def __init__(self) -> None:
        self.waiting: asyncio.Future[None] | None = None
        self.arrived = asyncio.Event()
        self.killed = False

    async def __call__(self) -> None:
        if self.killed:
            raise ServerKilled
        self.waiting = asyncio.get_running_loop().create_future()
        self.arrived.set()
        await self.waiting

    def open(self) -> None:
        waiting, self.waiting = self.waiting, None
        self.arrived.clear()
        if waiting is not None:
            if self.killed:
                waiting.set_exception(ServerKilled())
            else:
                waiting.set_result(None)


class GatedDatabase:
    def __init__(self, db: Database, gate: Gate) -> None:
        self.db, self.gate, self.refused = db, gate, False

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        await self.gate()
        async with self.db.read() as session:
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        await self.gate()
        async with self.db.write() as session:
            yield session


class GatedExecutor:
    def __init__(self, executor: FakeExecutor, gate: Gate) -> None:
        self.executor, self.gate = executor, gate

    def __getattr__(self, name: str) -> Any:
        known = getattr(self.executor, name)
        if not asyncio.iscoroutinefunction(known):
            return known
        return self._gated(known)

    def _gated(self, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def gated(*args: Any, **more: Any) -> Any:
            await self.gate()
            return await call(*args, **more)

        return gated


class Worker:
    def __init__(self, parts: Parts) -> None:
        self.gate = Gate()
        self.parts = msgspec.structs.replace(
            parts, db=GatedDatabase(parts.db, self.gate), executor=GatedExecutor(parts.executor, self.gate)
        )
        self.task: asyncio.Task[Any] | None = None

    @property
    def busy(self) -> bool:
        return self.task is not None

    async def step(self) -> None:
        """As far as the next gate, or to the end."""
        self.gate.open()
        assert self.task is not None
        arrival = asyncio.ensure_future(self.gate.arrived.wait())
        await asyncio.wait({self.task, arrival}, return_when=asyncio.FIRST_COMPLETED)
        arrival.cancel()
        if self.task.done():
            error = self.task.exception()
            self.task, self.gate.killed = None, False
            if error is not None and not isinstance(error, ServerKilled):
                raise error


class TwoWorkers(Jobs):
    def __init__(self) -> None:
        super().__init__()
        self.workers = [Worker(self.world.parts) for _ in range(2)]

    @precondition(lambda self: self.jobs)
    @rule(worker=WORKERS, data=st.data())
    def begin(self, worker: int, data: st.DataObject) -> None:
        chosen = self.workers[worker]
        if not chosen.busy:
            job_id = data.draw(st.sampled_from(self.jobs))
            chosen.parts.unbroken_since = self.world.parts.unbroken_since

            async def start() -> None:
                chosen.task = asyncio.ensure_future(reconcile.reconcile(chosen.parts, job_id))
                await chosen.step()

            self.run(start())

    @precondition(lambda self: any(worker.busy for worker in self.workers))
    @rule(worker=WORKERS, steps=st.integers(1, 6))
    def go_on(self, worker: int, steps: int) -> None:
        for _ in range(steps):
            if self.workers[worker].busy:
                self.run(self.workers[worker].step())

    @precondition(lambda self: any(worker.busy for worker in self.workers))
    @rule(worker=WORKERS)
    def kill(self, worker: int) -> None:
        """It gives no lease back and does nothing more."""
        chosen = self.workers[worker]
        chosen.gate.killed = True
        for _ in range(3):  # the transaction that it stood before, and the one that would give the lease back
            if chosen.busy:
                self.run(chosen.step())
        assert not chosen.busy

    @precondition(lambda self: any(worker.busy for worker in self.workers))
    @rule()
    def leases_expire(self) -> None:
        """Both are held up for longer than that."""
        self.clock.shift(self.world.parts.settings.lease_seconds + 1)

    def calm_down(self) -> None:
        for worker in self.workers:
            for _ in range(STEPS_TO_THE_END):
                if worker.busy:
                    self.run(worker.step())
            assert not worker.busy, "a worker does not come to an end"
        super().calm_down()


async def test_a_worker_that_was_held_up_records_nothing_of_what_came_after_it(world: World) -> None:
    with time_machine.travel(datetime(2026, 1, 1, tzinfo=UTC), tick=False) as clock:
        job_id = await world.submit()
        await reconcile.reconcile(world.parts, job_id)
        world.executor.exit(f"job-{job_id}-1", 1)
        late = Worker(world.parts)
        late.task = asyncio.ensure_future(reconcile.reconcile(late.parts, job_id))
        for _ in range(4):  # it has the lease, and has seen that the first attempt's process exited
            await late.step()
        clock.shift(world.parts.settings.lease_seconds + 1)
        await reconcile.reconcile(world.parts, job_id)
        while late.busy:
            await late.step()
    attempt = await world.attempt(job_id)
    assert attempt is not None
    assert (attempt.number, attempt.ended_at) == (2, None)
    assert world.executor.alive == [f"job-{job_id}-2"]


TestTwoWorkers = TwoWorkers.TestCase
TestTwoWorkers.settings = settings(
    max_examples=15, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
