"""Hypothesis plays reports, crashes, cancellations and clock jumps against the real reconciler on a real SQLite.

Whatever the order: no illegal transition, no ended job revived, no process doubled, no slot given twice, event numbers
without a gap; and once things calm down, every job has ended, nothing runs and every slot is free.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import time_machine
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from jobs_world import make_world
from sqlalchemy import select

from visionai.errors import AttemptEnded
from visionai.executors.base import Handle, Launch
from visionai.identity.tokens import Callback
from visionai.jobs import reconcile, reports, submit
from visionai.jobs.policy import Policy
from visionai.jobs.state import ENDED
from visionai.jobs.tables import Attempt, Job, JobEvent, MetricRow
from visionai.trainers import contract

SLOTS = 2


class ServerKilled(BaseException):
    """Takes the server away at a chosen instant, as SIGKILL does: nothing after it is run."""


class Jobs(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp())
        self.traveller = time_machine.travel(datetime(2026, 1, 1, tzinfo=UTC), tick=False)
        self.clock = self.traveller.start()
        self.world = self.run(make_world(self.folder, slots=SLOTS))
        self.executor = self.world.executor
        self.jobs: list[UUID] = []
        self.last_word: dict[UUID, str] = {}
        self.epochs: dict[str, int] = {}

    def run(self, coroutine):
        return self.loop.run_until_complete(coroutine)

    def teardown(self) -> None:
        try:
            self.calm_down()
        finally:
            self.run(self.world.parts.db.close())
            self.traveller.stop()
            self.loop.close()
            shutil.rmtree(self.folder)

    # --- what people do ---------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.jobs) < 4)
    @rule(priority=st.sampled_from(["low", "normal", "high"]), time_limit=st.sampled_from([None, 60.0]))
    def submit(self, priority: str, time_limit: float | None) -> None:
        policy = Policy(time_limit_seconds=time_limit)
        self.jobs.append(self.run(self.world.submit(priority=priority, policy=policy)))

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from(self.jobs))

        async def ask() -> None:
            async with self.world.parts.db.write() as session:
                await submit.cancel(session, await session.get_one(Job, job_id))

        self.run(ask())

    # --- what the server does ---------------------------------------------------------------------------------------

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def wake(self, data: st.DataObject) -> None:
        self.run(reconcile.reconcile(self.world.parts, data.draw(st.sampled_from(self.jobs))))

    @rule()
    def sweep(self) -> None:
        self.run(self._sweep())

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), before=st.booleans())
    def server_is_killed_around_a_launch(self, data: st.DataObject, before: bool) -> None:
        """Before the process is started, or after it and before its handle is written down."""
        job_id = data.draw(st.sampled_from(self.jobs))
        start = self.executor.start

        async def killed(launch: Launch) -> Handle:
            if not before:
                await start(launch)
            raise ServerKilled

        drop = reconcile._drop_lease

        async def gone(*_: object) -> None:
            """A killed server gives no lease back."""

        self.executor.start = killed
        reconcile._drop_lease = gone
        try:
            self.run(reconcile.reconcile(self.world.parts, job_id))
        except ServerKilled:
            self.clock.shift(self.world.parts.settings.lease_seconds + 1)
            self.world.parts.unbroken_since = datetime.now(UTC)
        finally:
            self.executor.start = start
            reconcile._drop_lease = drop
            self.clock.shift(self.world.parts.settings.lease_seconds + 1)

    # --- what trainers do -------------------------------------------------------------------------------------------

    @precondition(lambda self: self.executor.launched)
    @rule(data=st.data(), seq=st.one_of(st.none(), st.integers(1, 3)))
    def report_an_epoch(self, data: st.DataObject, seq: int | None) -> None:
        """Of any attempt there ever was, dead or alive."""
        launch = data.draw(st.sampled_from(sorted(self.executor.launched)))
        epoch = self.epochs.get(launch, 0) + 1
        heartbeat = contract.Heartbeat(
            epoch=epoch, progress=min(100, epoch), total_epochs=3, metrics={"val/accuracy": 0.5}, seq=seq
        )
        if self._report(launch, reports.heartbeat(heartbeat)):
            self.epochs[launch] = epoch

    @precondition(lambda self: self.executor.launched)
    @rule(
        data=st.data(), status=st.sampled_from(["succeeded", "failed", "stopped"]),
        code=st.sampled_from(["oom", "config_invalid", "internal"]), leaves=st.booleans(),
    )  # fmt: skip
    def done(self, data: st.DataObject, status: str, code: str, leaves: bool) -> None:
        launch = data.draw(st.sampled_from(sorted(self.executor.launched)))
        error = contract.ErrorInfo(code, "it failed") if status == "failed" else None
        self._report(launch, reports.done(contract.Done(status=status, error=error)))
        if leaves:
            self.executor.exit(launch, 0)

    @precondition(lambda self: self.executor.alive)
    @rule(data=st.data(), code=st.sampled_from([0, 1, 137, 143]))
    def exit(self, data: st.DataObject, code: int) -> None:
        self.executor.exit(data.draw(st.sampled_from(sorted(self.executor.alive))), code)

    @precondition(lambda self: self.executor.alive)
    @rule(data=st.data(), uncounted=st.booleans())
    def disappear(self, data: st.DataObject, uncounted: bool) -> None:
        self.executor.lose(data.draw(st.sampled_from(sorted(self.executor.alive))), uncounted=uncounted)

    # --- what the clock does ----------------------------------------------------------------------------------------

    @rule(hours=st.sampled_from([-5, -1, 1, 5]), noticed=st.booleans())
    def clock_jumps(self, hours: int, noticed: bool) -> None:
        self.clock.shift(timedelta(hours=hours))
        if noticed:
            self.world.parts.unbroken_since = datetime.now(UTC)

    @rule(seconds=st.integers(1, 120))
    def time_passes(self, seconds: int) -> None:
        self.clock.shift(seconds)

    # --- what must hold ---------------------------------------------------------------------------------------------

    @invariant()
    def ended_is_ended(self) -> None:
        for job in self.run(self._all(Job)):
            if job.id in self.last_word:
                assert job.state == self.last_word[job.id], "an ended job was revived"
            elif job.state in ENDED:
                self.last_word[job.id] = job.state

    @invariant()
    def never_two_processes_of_a_job_nor_more_than_slots(self) -> None:
        of_jobs = [launch.rsplit("-", 1)[0] for launch in self.executor.alive]
        assert len(of_jobs) == len(set(of_jobs))
        assert len(of_jobs) <= SLOTS

    @invariant()
    def what_is_said_of_a_process_is_true_of_it(self) -> None:
        for attempt in self.run(self._all(Attempt)):
            gone = (attempt.error or {}).get("code") in {"trainer_exited", "trainer_lost"}
            if gone or attempt.released_at is not None:
                assert attempt.launch_id not in self.executor.alive

    @invariant()
    def events_are_numbered_without_gaps(self) -> None:
        for job in self.run(self._all(Job)):
            assert self.run(self._sequence(job.id)) == list(range(1, job.event_seq + 1))

    @invariant()
    def each_epoch_counts_once(self) -> None:
        rows = [(r.job_id, r.epoch) for r in self.run(self._all(MetricRow)) if not r.superseded]
        assert len(rows) == len(set(rows))

    def calm_down(self) -> None:
        """From here on trainers work as they should: nothing may be forgotten."""
        for _ in range(60):
            self.clock.shift(timedelta(minutes=1))
            self.world.parts.unbroken_since = datetime.now(UTC)
            self.run(self._sweep())
            for launch in list(self.executor.alive):
                self._report(launch, reports.done(contract.Done(status="succeeded")))
                self.executor.exit(launch, 0)
            jobs = self.run(self._all(Job))
            if all(job.state in ENDED for job in jobs):
                break
        assert {job.state for job in jobs} <= ENDED, "a job was forgotten"
        assert self.executor.alive == [], "a process was left over"
        assert all(a.released_at is not None for a in self.run(self._all(Attempt))), "a slot was left taken"

    # --- helpers ----------------------------------------------------------------------------------------------------

    async def _sweep(self) -> None:
        for job_id in await reconcile.sweep(self.world.parts):
            await reconcile.reconcile(self.world.parts, job_id)

    def _report(self, launch: str, take: reports.Take) -> bool:
        job_id, attempt = launch.removeprefix("job-").rsplit("-", 1)
        try:
            self.run(reports.accept(self.world.parts.db, Callback(UUID(job_id), int(attempt)), take))
        except AttemptEnded:
            return False
        return True

    async def _all(self, table):
        async with self.world.parts.db.read() as session:
            return list(await session.scalars(select(table)))

    async def _sequence(self, job_id: UUID) -> list[int]:
        async with self.world.parts.db.read() as session:
            found = await session.scalars(select(JobEvent.seq).where(JobEvent.job_id == job_id).order_by(JobEvent.seq))
            return list(found)


TestJobs = Jobs.TestCase
TestJobs.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
