"""Hypothesis plays ends, losses, cancellations, killed servers and clock jumps against the real reconciler on a SQLite.

Whatever the order: never more children at work than the limit, none doubled, no ended operation revived; and once
things calm down every operation has ended and left nothing.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import time_machine
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import select, update

from visionai.db import Database, database_url, migrate, utcnow
from visionai.executors.base import Handle, Launch
from visionai.executors.fake import FakeExecutor
from visionai.identity.tables import Project, User
from visionai.operations import queries
from visionai.operations.decide import ENDED
from visionai.operations.kinds import Context, OperationKind
from visionai.operations.reconcile import reconcile_operation
from visionai.operations.tables import Operation
from visionai.operations.work import Limits, Outcome, Reason, write
from visionai.settings import Settings
from visionai.storage.local import LocalStorage

AT_ONCE = 2


class ServerKilled(BaseException):
    """Takes the server away at a chosen instant, as SIGKILL does."""


async def nothing(*_: Any) -> dict[str, Any]:
    return {}


KIND = OperationKind(
    name="played", work="nobody:starts_it", limits=Limits(), prepare=nothing, publish=nothing,  # type: ignore[arg-type]
    completed=nothing, failed=nothing, clean=nothing,  # type: ignore[arg-type]
)  # fmt: skip


class Operations(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp())
        self.traveller = time_machine.travel(datetime(2026, 1, 1, tzinfo=UTC), tick=False)
        self.clock = self.traveller.start()
        url = database_url(None, self.folder)
        migrate(url)
        self.db = Database(url)
        self.executor = FakeExecutor(self.folder / "runs")
        self.ctx = Context(
            db=self.db, storage=LocalStorage(self.folder / "storage", "s" * 32), executor=self.executor,
            settings=Settings(data_dir=self.folder, imports=AT_ONCE), kinds={"played": KIND}, environ={},
        )  # fmt: skip
        self.projects = self.run(self._projects())
        self.operations: list[UUID] = []
        self.last_word: dict[UUID, str] = {}

    def run(self, coroutine: Any) -> Any:
        return self.loop.run_until_complete(coroutine)

    def teardown(self) -> None:
        try:
            self.calm_down()
        finally:
            self.run(self.db.close())
            self.traveller.stop()
            self.loop.close()
            shutil.rmtree(self.folder)

    @precondition(lambda self: len(self.operations) < 6)
    @rule(project=st.integers(0, 1))
    def submit(self, project: int) -> None:
        async def ask() -> UUID:
            async with self.db.write() as session:
                of = self.projects[project]
                op = await queries.submit(
                    session, "played", project_id=of.id, user_id=of.created_by, subject_id=None
                )  # fmt: skip
                op.subject_id = op.id
            return op.id

        self.operations.append(self.run(ask()))

    @precondition(lambda self: self.operations)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        op_id = data.draw(st.sampled_from(self.operations))

        async def ask() -> None:
            async with self.db.write() as session:
                await queries.cancel(session, op_id, utcnow())

        self.run(ask())

    @precondition(lambda self: self.operations)
    @rule(data=st.data())
    def wake(self, data: st.DataObject) -> None:
        self.run(reconcile_operation(self.ctx, data.draw(st.sampled_from(self.operations))))

    @rule()
    def sweep(self) -> None:
        self.run(self._sweep())

    @precondition(lambda self: self.operations)
    @rule(data=st.data(), before=st.booleans(), back=st.integers(0, 5))
    def server_is_killed_around_a_start(self, data: st.DataObject, before: bool, back: int) -> None:
        """Its lease is still there when it comes back, perhaps to a clock that was set back meanwhile."""
        start = self.executor.start

        async def killed(launch: Launch) -> Handle:
            if not before:
                await start(launch)
            raise ServerKilled

        self.executor.start = killed  # type: ignore[method-assign]
        op_id = data.draw(st.sampled_from(self.operations))
        try:
            self.run(reconcile_operation(self.ctx, op_id))
        except ServerKilled:
            self.run(self._hold_lease(op_id))
            self.clock.shift(timedelta(hours=-back) if back else timedelta(minutes=1))
        finally:
            self.executor.start = start  # type: ignore[method-assign]

    @precondition(lambda self: self.executor.alive)
    @rule(data=st.data(), good=st.booleans())
    def end(self, data: st.DataObject, good: bool) -> None:
        self._leaves(data.draw(st.sampled_from(sorted(self.executor.alive))), good)

    @precondition(lambda self: self.executor.alive)
    @rule(data=st.data())
    def disappear(self, data: st.DataObject) -> None:
        self.executor.lose(data.draw(st.sampled_from(sorted(self.executor.alive))))

    @rule(hours=st.sampled_from([-5, -1, 1, 5]))
    def clock_jumps(self, hours: int) -> None:
        self.clock.shift(timedelta(hours=hours))

    @rule(seconds=st.integers(1, 120))
    def time_passes(self, seconds: int) -> None:
        self.clock.shift(seconds)

    @invariant()
    def never_more_than_the_limit_and_none_twice(self) -> None:
        at_work = [launch.rsplit("-", 1)[0] for launch in self.executor.alive]
        assert len(at_work) == len(set(at_work))
        assert len(at_work) <= AT_ONCE

    @invariant()
    def ended_is_ended(self) -> None:
        for op in self.run(self._all()):
            if op.id in self.last_word:
                assert op.status == self.last_word[op.id], "an ended operation was revived"
            elif op.status in ENDED:
                self.last_word[op.id] = op.status

    def calm_down(self) -> None:
        """From here on children work as they should: nothing may be forgotten."""
        found: list[Operation] = []
        for _ in range(60):
            self.clock.shift(timedelta(minutes=1))
            self.run(self._sweep())
            for launch in list(self.executor.alive):
                self._leaves(launch, good=True)
            found = self.run(self._all())
            if all(op.status in ENDED and op.launch_id is None for op in found):
                break
        assert {op.status for op in found} <= ENDED, "an operation was forgotten"
        assert all(op.launch_id is None for op in found), "traces were left"
        assert self.executor.alive == [], "a process was left over"

    def _leaves(self, launch_id: str, good: bool) -> None:
        outcome = Outcome(result={}) if good else Outcome(error=Reason("broken_archive", "It is broken."))
        write(self.executor.run_dir(launch_id) / "work" / "result.json", outcome)
        self.executor.exit(launch_id, 0 if good else 1)

    async def _sweep(self) -> None:
        async with self.db.read() as session:
            due = await queries.due(session, utcnow(), at_once=AT_ONCE)
        for op_id in due:
            await reconcile_operation(self.ctx, op_id)

    async def _hold_lease(self, op_id: UUID) -> None:
        async with self.db.write() as session:
            expires = utcnow() + timedelta(seconds=self.ctx.settings.lease_seconds)
            held = update(Operation).where(Operation.id == op_id)
            await session.execute(held.values(lease_token=UUID(int=1), lease_expires_at=expires))

    async def _all(self) -> list[Operation]:
        async with self.db.read() as session:
            return list(await session.scalars(select(Operation)))

    async def _projects(self) -> list[Project]:
        async with self.db.write() as session:
            user = User(email="ada@example.org", password_hash="-", role="engineer")
            session.add(user)
            await session.flush()
            projects = [Project(name=name, created_by=user.id) for name in ("one", "two")]
            session.add_all(projects)
        return projects


TestOperations = Operations.TestCase
TestOperations.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
