from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import update

from visionai.db import Database
from visionai.errors import StorageFull
from visionai.executors.base import Exited, Gone, Running
from visionai.ids import uuid7
from visionai.operations import queries
from visionai.operations.kinds import Context
from visionai.operations.reconcile import POLL_SECONDS, reconcile_operation
from visionai.operations.tables import Operation
from visionai.operations.work import Outcome, Progress, Reason, write
from visionai.wakeup import Wake

GOOD = Outcome(result={"made": 1})


class ServerKilled(BaseException):
    """Passes through everything, as a SIGKILL does."""


async def row(db: Database, op_id: UUID) -> Operation:
    async with db.read() as session:
        return await session.get_one(Operation, op_id)


def first(op_id: UUID) -> str:
    return f"op-{op_id}-1"


async def test_the_way_to_completion(
    ctx: Context, db: Database, op_id: UUID, executor: Any, recorder: Any, clock: Any
) -> None:
    executor.seen[first(op_id)] = Running()
    await reconcile_operation(ctx, op_id)
    assert (await row(db, op_id)).status == "running"
    write(executor.run_dir(first(op_id)) / "work" / "progress.json", Progress(40.0, "at work"))
    clock.move(1)
    await reconcile_operation(ctx, op_id)
    op = await row(db, op_id)
    assert (op.progress, op.message) == (40.0, "at work")
    executor.leaves(first(op_id), Exited(0), GOOD)
    clock.move(1)
    await reconcile_operation(ctx, op_id)
    op = await row(db, op_id)
    assert (op.status, op.progress, op.result, op.ended_at) == ("completed", 100.0, {"made": 1}, clock())
    assert recorder.calls == ["prepare", "publish", "completed", "clean"]
    assert not executor.run_dir(first(op_id)).exists()
    assert op.lease_token is None


async def test_the_child_gets_its_input_and_none_of_the_secrets(ctx: Context, op_id: UUID, executor: Any) -> None:
    executor.seen[first(op_id)] = Running()
    await reconcile_operation(ctx, op_id)
    params = msgspec.json.decode((executor.run_dir(first(op_id)) / "work" / "params.json").read_bytes())
    assert params["input"] == {"a": 1}
    assert "never" not in executor.environments[0].values()


async def test_only_one_chain_of_wake_ups(ctx: Context, db: Database, op_id: UUID, executor: Any, clock: Any) -> None:
    """However many triggers there are, each poll is followed by one wake-up: more would multiply."""
    sent: list[object] = []

    def deliver(effects: Any) -> None:
        sent.extend(e for e in effects if isinstance(e, Wake))

    db.deliver = deliver
    executor.seen[first(op_id)] = Running()
    for _ in range(5):
        await reconcile_operation(ctx, op_id)
    assert len(sent) == 1
    clock.move(1)
    for _ in range(5):
        await reconcile_operation(ctx, op_id)
    assert len(sent) == 2


async def test_a_lost_child_is_followed_by_another_up_to_the_limit(
    ctx: Context, db: Database, op_id: UUID, executor: Any
) -> None:
    for number in (1, 2, 3):
        executor.seen[f"op-{op_id}-{number}"] = Gone("it has disappeared")
    await reconcile_operation(ctx, op_id)
    op = await row(db, op_id)
    assert executor.started == [f"op-{op_id}-{n}" for n in (1, 2, 3)]
    assert (op.status, op.attempt) == ("failed", 3)
    assert op.error is not None
    assert "3 times" in op.error["message"]


async def test_the_users_mistake_is_told_and_not_tried_again(
    ctx: Context, db: Database, op_id: UUID, executor: Any, recorder: Any
) -> None:
    executor.on_start = lambda: executor.leaves(
        first(op_id),
        Exited(1),
        Outcome(result={"faults": []}, error=Reason("broken_archive", "It is broken.", "Mend it.")),
    )
    await reconcile_operation(ctx, op_id)
    op = await row(db, op_id)
    assert (op.status, op.attempt, op.result) == ("failed", 1, {"faults": []})
    assert op.error == {"code": "broken_archive", "message": "It is broken.", "hint": "Mend it."}
    assert recorder.calls == ["prepare", "failed", "clean"]


@pytest.mark.parametrize("hook", ["prepare", "publish", "completed", "failed", "clean"])
async def test_a_server_killed_in_any_step_is_made_up_for_by_the_next(
    ctx: Context, db: Database, op_id: UUID, executor: Any, recorder: Any, clock: Any, hook: str
) -> None:
    bad = Outcome(error=Reason("broken_archive", "It is broken."))
    executor.on_start = lambda: executor.leaves(first(op_id), Exited(0), bad if hook == "failed" else GOOD)
    recorder.raises = {hook: ServerKilled()}
    with pytest.raises(ServerKilled):
        await reconcile_operation(ctx, op_id)
    recorder.raises = {}
    await reconcile_operation(ctx, op_id)
    op = await row(db, op_id)
    assert op.status == ("failed" if hook == "failed" else "completed")
    assert op.attempt == 1
    assert op.launch_id is None
    assert not executor.run_dir(first(op_id)).exists()


async def test_a_start_that_was_not_noted_is_adopted(ctx: Context, db: Database, op_id: UUID, executor: Any) -> None:
    def kill() -> None:
        raise ServerKilled

    executor.on_start = kill
    with pytest.raises(ServerKilled):
        await reconcile_operation(ctx, op_id)
    assert (await row(db, op_id)).handle is None
    executor.on_start = lambda: None
    executor.seen[first(op_id)] = Running()
    await reconcile_operation(ctx, op_id)
    assert set(executor.started) == {first(op_id)}
    assert (await row(db, op_id)).attempt == 1


async def test_a_cancelled_start_that_was_not_noted_is_stopped(
    ctx: Context, db: Database, project: Any, op_id: UUID, executor: Any, clock: Any
) -> None:
    def kill() -> None:
        raise ServerKilled

    executor.on_start = kill
    executor.seen[first(op_id)] = Running()
    with pytest.raises(ServerKilled):
        await reconcile_operation(ctx, op_id)
    async with db.write() as session:
        await queries.cancel(session, project.id, clock())
    await reconcile_operation(ctx, op_id)
    assert executor.stopped == [(first(op_id), False)]
    executor.seen[first(op_id)] = Exited(143)
    await reconcile_operation(ctx, op_id)
    assert (await row(db, op_id)).status == "cancelled"


async def test_a_bug_in_publishing_is_tried_again_and_then_given_up(
    ctx: Context, db: Database, op_id: UUID, executor: Any, recorder: Any
) -> None:
    executor.on_start = lambda: executor.leaves(executor.started[-1], Exited(0), GOOD)
    recorder.raises = {"publish": ValueError("a bug")}
    await reconcile_operation(ctx, op_id)
    op = await row(db, op_id)
    assert (op.status, op.attempt) == ("failed", 3)
    assert recorder.calls.count("publish") == 3


async def test_a_full_disk_while_publishing_is_told(
    ctx: Context, db: Database, op_id: UUID, executor: Any, recorder: Any
) -> None:
    executor.on_start = lambda: executor.leaves(first(op_id), Exited(0), GOOD)
    recorder.raises = {"publish": StorageFull("The disk is full: free some space and try again.")}
    await reconcile_operation(ctx, op_id)
    op = await row(db, op_id)
    assert op.status == "failed"
    assert op.error is not None
    assert op.error["code"] == "storage_full"


async def test_another_workers_lease_is_respected_until_it_expires(
    ctx: Context, db: Database, op_id: UUID, executor: Any, clock: Any
) -> None:
    executor.seen[first(op_id)] = Running()
    async with db.write() as session:
        await session.execute(update(Operation).values(lease_token=uuid7(), lease_expires_at=ctx.now()))
    clock.move(-1)
    await reconcile_operation(ctx, op_id)
    assert executor.started == []
    clock.move(2)
    await reconcile_operation(ctx, op_id)
    assert executor.started == [first(op_id)]


async def test_a_stale_workers_write_is_refused(
    ctx: Context, db: Database, op_id: UUID, executor: Any, recorder: Any
) -> None:
    """It lost its lease while it started the child: it writes nothing, and leaves the lease to its new holder."""
    other = uuid7()

    async def steal() -> None:
        async with db.write() as session:
            await session.execute(update(Operation).values(lease_token=other))

    kind = ctx.kinds["recorded"]

    async def prepare(*_: Any) -> dict[str, Any]:
        await steal()
        return {}

    stolen = msgspec.structs.replace(ctx, kinds={"recorded": msgspec.structs.replace(kind, prepare=prepare)})
    await reconcile_operation(stolen, op_id)
    op = await row(db, op_id)
    assert op.handle is None
    assert op.lease_token == other


async def test_a_new_process_releases_what_the_last_one_held(ctx: Context, db: Database, op_id: UUID) -> None:
    async with db.write() as session:
        await session.execute(update(Operation).values(lease_token=uuid7(), lease_expires_at=ctx.now()))
    async with db.write() as session:
        await queries.release_leases(session)
    assert (await row(db, op_id)).lease_token is None


async def test_due_names_what_waits_and_what_is_to_be_cleaned(
    ctx: Context, db: Database, op_id: UUID, executor: Any, clock: Any, recorder: Any
) -> None:
    async def due() -> list[UUID]:
        async with db.read() as session:
            return await queries.due(session, clock(), at_once=2)

    assert await due() == [op_id]
    executor.seen[first(op_id)] = Running()
    await reconcile_operation(ctx, op_id)
    assert await due() == []
    clock.move(1)
    assert await due() == [op_id]
    executor.leaves(first(op_id), Exited(0), GOOD)
    recorder.raises = {"clean": OSError("away")}
    await reconcile_operation(ctx, op_id)
    assert (await row(db, op_id)).status == "completed"
    clock.move(60)
    assert await due() == [op_id]
    recorder.raises = {}
    await reconcile_operation(ctx, op_id)
    assert await due() == []


async def test_one_too_many_waits_says_why_and_is_woken_by_the_end_of_another(
    ctx: Context, db: Database, op_id: UUID, project: Any, executor: Any, clock: Any
) -> None:
    sent: list[UUID] = []

    def deliver(effects: Any) -> None:
        sent.extend(e.id for e in effects if isinstance(e, Wake) and not e.delay)

    db.deliver = deliver
    one_at_once = msgspec.structs.replace(ctx, settings=msgspec.structs.replace(ctx.settings, imports=1))
    async with db.write() as session:
        other = await queries.submit(
            session, "recorded", project_id=project.id, user_id=project.created_by, subject_id=None
        )
    executor.seen[first(op_id)] = Running()
    for each in (op_id, other.id):
        await reconcile_operation(one_at_once, each)
    waiting = await row(db, other.id)
    assert (waiting.status, waiting.message) == ("pending", "Waiting for another import to end: 1 may run at once.")
    assert executor.started == [first(op_id)]
    sent.clear()
    executor.leaves(first(op_id), Exited(0), GOOD)
    await reconcile_operation(one_at_once, op_id)
    assert sent == [other.id]
    executor.seen[first(other.id)] = Running()
    await reconcile_operation(one_at_once, other.id)
    assert executor.started == [first(op_id), first(other.id)]
    assert (await row(db, other.id)).message == ""


async def test_a_clock_that_was_moved_back_holds_nothing_up(
    ctx: Context, db: Database, op_id: UUID, executor: Any, clock: Any
) -> None:
    """Not the look that was set before, nor the lease of a server that was killed."""
    executor.seen[first(op_id)] = Running()
    await reconcile_operation(ctx, op_id)
    async with db.write() as session:
        ahead = clock() + timedelta(seconds=ctx.settings.lease_seconds)
        await session.execute(update(Operation).values(lease_token=uuid7(), lease_expires_at=ahead))
    clock.move(-5 * 3600)
    async with db.read() as session:
        assert await queries.due(session, clock(), at_once=2) == [op_id]
    executor.leaves(first(op_id), Exited(0), GOOD)
    await reconcile_operation(ctx, op_id)
    assert (await row(db, op_id)).status == "completed"


async def test_after_the_clock_was_moved_back_the_looks_are_as_frequent_as_before(
    ctx: Context, db: Database, op_id: UUID, executor: Any, clock: Any
) -> None:
    executor.seen[first(op_id)] = Running()
    await reconcile_operation(ctx, op_id)
    clock.move(-5 * 3600)
    await reconcile_operation(ctx, op_id)
    assert (await row(db, op_id)).next_check_at == clock() + timedelta(seconds=POLL_SECONDS)


async def test_cancelling_asks_first_and_kills_later(
    ctx: Context, db: Database, op_id: UUID, project: Any, executor: Any, clock: Any, recorder: Any
) -> None:
    executor.seen[first(op_id)] = Running()
    await reconcile_operation(ctx, op_id)
    async with db.write() as session:
        await queries.cancel(session, project.id, clock())
    await reconcile_operation(ctx, op_id)
    clock.move(11)
    await reconcile_operation(ctx, op_id)
    assert executor.stopped == [(first(op_id), False), (first(op_id), True)]
    executor.seen[first(op_id)] = Exited(137)
    await reconcile_operation(ctx, op_id)
    assert (await row(db, op_id)).status == "cancelled"
    assert recorder.calls == ["prepare", "failed", "clean"]
