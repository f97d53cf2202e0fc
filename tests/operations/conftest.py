from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.db import Database, database_url, migrate
from visionai.executors.base import Gone, Handle, Launch, Observation
from visionai.identity.tables import Project, User
from visionai.operations.kinds import Context, OperationKind
from visionai.operations.queries import submit
from visionai.operations.tables import Operation
from visionai.operations.work import Limits, Outcome, write
from visionai.settings import Settings
from visionai.storage.local import LocalStorage


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def move(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class ScriptedExecutor:
    """Starts nothing: a test says what each launch is to be seen as, and what it leaves behind."""

    host_id = "here"

    def __init__(self, runs: Path) -> None:
        self.runs = runs
        self.seen: dict[str, Observation] = {}
        self.started: list[str] = []
        self.stopped: list[tuple[str, bool]] = []
        self.environments: list[dict[str, str]] = []
        self.on_start: Callable[[], None] = lambda: None

    async def start(self, launch: Launch) -> Handle:
        self.started.append(launch.launch_id)
        self.environments.append(launch.env)
        self.on_start()
        return self._handle(launch.launch_id)

    async def adopt(self, launch_id: str) -> Handle | None:
        return self._handle(launch_id) if launch_id in self.started else None

    async def poll(self, handle: Handle) -> Observation:
        return self.seen.get(Path(handle.run_dir).name, Gone("nobody started it"))

    async def stop(self, handle: Handle, *, kill: bool = False) -> None:
        self.stopped.append((Path(handle.run_dir).name, kill))

    def run_dir(self, launch_id: str) -> Path:
        return self.runs / launch_id

    async def launches(self) -> list[str]:
        return [path.name for path in self.runs.iterdir()]

    async def remove(self, launch_id: str) -> None:
        work = self.run_dir(launch_id) / "work"
        for path in [*work.glob("*"), work, self.run_dir(launch_id)]:
            path.unlink(missing_ok=True) if path.is_file() else path.rmdir()

    def leaves(self, launch_id: str, process: Observation, outcome: Outcome | None = None) -> None:
        self.seen[launch_id] = process
        if outcome is not None:
            write(self.run_dir(launch_id) / "work" / "result.json", outcome)

    def _handle(self, launch_id: str) -> Handle:
        return Handle(self.host_id, "boot", str(self.run_dir(launch_id)), 1, 1)


class Recorder:
    """A kind that notes which of its hooks were called, and fails where it is told to."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.raises: dict[str, BaseException] = {}

    def kind(self, work: str = "operation_work:succeed") -> OperationKind:
        return OperationKind(
            name="recorded", work=work, limits=Limits(), prepare=self._prepare, publish=self._publish,
            completed=self._completed, failed=self._failed, clean=self._clean,
        )  # fmt: skip

    def _note(self, name: str) -> None:
        self.calls.append(name)
        if name in self.raises:
            raise self.raises[name]

    async def _prepare(self, ctx: Context, op: Operation, work: Path) -> dict[str, Any]:
        self._note("prepare")
        return dict(op.params)

    async def _publish(self, ctx: Context, op: Operation, work: Path) -> None:
        self._note("publish")

    async def _completed(self, session: AsyncSession, op: Operation) -> None:
        self._note("completed")

    async def _failed(self, session: AsyncSession, op: Operation) -> None:
        self._note("failed")

    async def _clean(self, ctx: Context, op: Operation) -> None:
        self._note("clean")


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    url = database_url(None, tmp_path)
    migrate(url)
    database = Database(url)
    yield database
    await database.close()


@pytest.fixture
async def project(db: Database) -> Project:
    async with db.write() as session:
        user = User(email="ada@example.org", password_hash="-", role="engineer")
        session.add(user)
        await session.flush()
        project = Project(name="p", created_by=user.id)
        session.add(project)
    return project


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def executor(tmp_path: Path) -> ScriptedExecutor:
    runs = tmp_path / "runs"
    runs.mkdir()
    return ScriptedExecutor(runs)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def ctx(db: Database, tmp_path: Path, clock: Clock, executor: ScriptedExecutor, recorder: Recorder) -> Context:
    return Context(
        db=db, storage=LocalStorage(tmp_path / "storage", "s" * 32), executor=executor,
        settings=Settings(data_dir=tmp_path, jwt_secret="s" * 32), kinds={"recorded": recorder.kind()},
        environ={"PATH": "/usr/bin:/bin", "JWT_SECRET": "never", "DATABASE_URL": "never"}, now=clock,
    )  # fmt: skip


@pytest.fixture
async def op_id(db: Database, project: Project, clock: Clock) -> UUID:
    async with db.write() as session:
        op = await submit(
            session,
            "recorded",
            project_id=project.id,
            user_id=project.created_by,
            subject_id=project.id,
            params={"a": 1},
        )
        op.next_check_at = clock()
    return op.id
