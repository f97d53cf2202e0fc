"""With real processes: the wrapper, the child, its limits."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from visionai.db import Database, utcnow
from visionai.executors.base import Handle
from visionai.executors.subprocess import SubprocessExecutor
from visionai.operations import queries
from visionai.operations.child import run
from visionai.operations.kinds import Context
from visionai.operations.reconcile import reconcile_operation
from visionai.operations.tables import Operation
from visionai.operations.work import Limits, Progress, Report, WorkFailed

pytestmark = pytest.mark.process


@pytest.fixture
def real(ctx: Context, recorder: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Context]:
    """The context with real processes; ``work`` names a function of operation_work."""
    monkeypatch.setattr("visionai.operations.reconcile.PYTHONPATH", f"{Path(__file__).parent}:{_source()}")

    def make(work: str, **limits: int) -> Context:
        kind = msgspec.structs.replace(recorder.kind(f"operation_work:{work}"), limits=Limits(**limits))
        return msgspec.structs.replace(
            ctx, executor=SubprocessExecutor(tmp_path / "real-runs", "here"), kinds={"recorded": kind}, now=utcnow
        )

    return make


def _source() -> Path:
    import visionai

    return Path(visionai.__file__).parents[1]


async def reconciled_until_ended(ctx: Context, op_id: UUID) -> Operation:
    async with asyncio.timeout(60):
        while True:
            await reconcile_operation(ctx, op_id)
            async with ctx.db.read() as session:
                op = await session.get_one(Operation, op_id)
            if op.ended_at is not None:
                return op
            await asyncio.sleep(0.02)


async def test_success(real: Any, op_id: UUID) -> None:
    op = await reconciled_until_ended(real("succeed"), op_id)
    assert op.status == "completed"
    assert op.result is not None
    assert op.result["given"] == {"a": 1}
    assert not {"JWT_SECRET", "DATABASE_URL", "REDIS_URL"} & set(op.result["environment"])
    assert op.result["core"] == 0


async def test_the_users_mistake_is_told_in_its_own_words(real: Any, op_id: UUID) -> None:
    op = await reconciled_until_ended(real("refuse"), op_id)
    assert (op.status, op.attempt, op.result) == ("failed", 1, {"faults": ["one"]})
    assert op.error == {"code": "broken_archive", "message": "It is broken.", "hint": "Mend it."}


async def test_a_killed_child_is_followed_by_another(real: Any, db: Database, op_id: UUID, tmp_path: Path) -> None:
    async with db.write() as session:
        (await session.get_one(Operation, op_id)).params = {"marker": str(tmp_path / "marker")}
    op = await reconciled_until_ended(real("break_off_once"), op_id)
    assert (op.status, op.attempt) == ("completed", 2)


async def test_the_wrapper_and_the_child_killed(real: Any, db: Database, op_id: UUID) -> None:
    ctx = real("hang")
    await reconcile_operation(ctx, op_id)
    async with db.read() as session:
        handle = msgspec.convert((await session.get_one(Operation, op_id)).handle, Handle)
    children = Path(f"/proc/{handle.pid}/task/{handle.pid}/children")
    async with asyncio.timeout(30):
        while not (child := children.read_text().split()):  # noqa: ASYNC110  (nothing tells when it has started)
            await asyncio.sleep(0.01)
    os.kill(handle.pid, signal.SIGKILL)
    os.kill(int(child[0]), signal.SIGKILL)
    async with asyncio.timeout(30):
        while True:
            await reconcile_operation(ctx, op_id)
            async with db.read() as session:
                op = await session.get_one(Operation, op_id)
            if op.attempt == 2 and op.handle is not None:
                break
            await asyncio.sleep(0.02)
    async with db.write() as session:
        assert op.subject_id is not None
        await queries.cancel(session, op.subject_id, utcnow())
    assert (await reconciled_until_ended(ctx, op_id)).status == "cancelled"


async def test_too_much_memory_is_told_and_not_tried_again(real: Any, db: Database, op_id: UUID) -> None:
    async with db.write() as session:
        (await session.get_one(Operation, op_id)).params = {"bytes": 8 << 30}
    op = await reconciled_until_ended(real("take_all_memory", memory_bytes=1 << 30), op_id)
    assert (op.status, op.attempt) == ("failed", 1)
    assert op.error is not None
    assert op.error["code"] == "out_of_memory"


async def test_what_takes_too_long_is_ended_and_not_tried_again(real: Any, op_id: UUID) -> None:
    ctx = real("hang")
    ctx = msgspec.structs.replace(ctx, settings=msgspec.structs.replace(ctx.settings, import_seconds=0.1))
    op = await reconciled_until_ended(ctx, op_id)
    assert (op.status, op.attempt) == ("failed", 1)
    assert op.error is not None
    assert op.error["code"] == "took_too_long"
    assert "IMPORT_SECONDS" in op.error["hint"]


async def test_cancelling_ends_the_process(real: Any, db: Database, op_id: UUID) -> None:
    ctx = real("hang")
    await reconcile_operation(ctx, op_id)
    async with db.write() as session:
        op = await session.get_one(Operation, op_id)
        assert op.subject_id is not None
        await queries.cancel(session, op.subject_id, utcnow())
    assert (await reconciled_until_ended(ctx, op_id)).status == "cancelled"
    assert op.handle is not None
    assert not Path(op.handle["run_dir"]).exists()


def test_a_failure_carries_what_was_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    outcome = run("operation_work:refuse", {}, tmp_path)
    assert outcome.error == WorkFailed("broken_archive", "It is broken.", "Mend it.").reason
    assert outcome.result == {"faults": ["one"]}


def test_progress_is_not_written_more_often_than_anybody_looks(tmp_path: Path) -> None:
    now = 0.0
    report = Report(tmp_path, clock=lambda: now)
    report(1, "one")
    report(2, "two")
    assert msgspec.json.decode((tmp_path / "progress.json").read_bytes(), type=Progress).progress == 1
    now = 1.0
    report(3, "three")
    assert msgspec.json.decode((tmp_path / "progress.json").read_bytes(), type=Progress) == Progress(3, "three")
