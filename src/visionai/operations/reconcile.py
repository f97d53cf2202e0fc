"""Take an operation as far as it can go now: load, look, decide, apply, until there is something to wait for.

Every trigger calls ``reconcile_operation``, and calling it once too often does no harm. A lease keeps workers off each
other's rows: every write names its token, so that a worker which lost the lease changes nothing more. A crash at any
point is repaired by the next call:

- an attempt is committed before it is started, and starting it again adopts what runs;
- a result stays in the run directory until the operation has ended, and publishing may be repeated;
- ``launch_id`` stays on an ended row until its traces are removed.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

import visionai
from visionai import failpoints, tasks
from visionai.db import after_commit
from visionai.errors import Unavailable, VisionAIError
from visionai.executors.base import Gone, Handle, Launch, Running
from visionai.executors.subprocess import trainer_environment
from visionai.ids import uuid7
from visionai.operations.decide import (
    ENDED,
    Action,
    Attempt,
    Cancel,
    Clean,
    Fail,
    Nothing,
    Publish,
    Seen,
    Start,
    Stop,
    View,
    Wait,
    after_loss,
    decide,
    launch_id,
)
from visionai.operations.kinds import Context
from visionai.operations.queries import PUT_OFF, is_due, next_to_start
from visionai.operations.tables import Operation
from visionai.operations.work import Outcome, Params, Progress, Reason, write
from visionai.wakeup import Wake

T = TypeVar("T")
log = structlog.get_logger()

POLL_SECONDS = 0.5
PYTHONPATH = str(Path(visionai.__file__).parents[1])  # the child runs this very code, installed or not


class LeaseLost(Exception):
    """Another worker has this operation now."""


async def reconcile_operation(ctx: Context, op_id: UUID) -> None:
    """Do what is to be done now. Returns at once if another worker is at it, or the child runs on another host."""
    async with ctx.db.read() as session:
        op = await session.get(Operation, op_id)
    if op is None or (op.status in ENDED and op.launch_id is None) or _runs_elsewhere(ctx, op):
        return
    async with _lease(ctx, op_id) as lease:
        if lease is not None:
            await _advance(ctx, lease)


class Lease(msgspec.Struct, frozen=True):
    ctx: Context
    op_id: UUID
    token: UUID

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[tuple[AsyncSession, Operation]]:
        """A transaction on the row that renews the lease. Raises LeaseLost if another worker has taken it."""
        async with self.ctx.db.write() as session:
            op = await session.scalar(
                select(Operation)
                .where(Operation.id == self.op_id, Operation.lease_token == self.token)
                .with_for_update()
            )
            if op is None:
                raise LeaseLost
            op.lease_expires_at = self.ctx.now() + timedelta(seconds=self.ctx.settings.lease_seconds)
            yield session, op
            failpoints.reach("operation.recorded")


@asynccontextmanager
async def _lease(ctx: Context, op_id: UUID) -> AsyncIterator[Lease | None]:
    """The lease, renewed as long as the body runs and given back after it; None if another worker holds it."""
    now, token = ctx.now(), uuid7()
    expires = now + timedelta(seconds=ctx.settings.lease_seconds)
    free = or_(  # one that lasts longer than any was taken before the clock was moved back
        Operation.lease_token.is_(None), Operation.lease_expires_at < now, Operation.lease_expires_at > expires
    )
    async with ctx.db.write() as session:
        claimed = await session.scalar(
            update(Operation)
            .where(Operation.id == op_id, free)
            .values(lease_token=token, lease_expires_at=expires)
            .returning(Operation.id)
        )
    if claimed is None:
        yield None
        return
    lease = Lease(ctx, op_id, token)
    keeper = asyncio.create_task(_keep(lease))
    try:
        yield lease
    except LeaseLost:
        log.warning("lease_lost", operation=str(op_id), next="the worker that took it goes on")
    finally:
        await tasks.end(keeper)
        async with ctx.db.write() as session:
            await session.execute(
                update(Operation)
                .where(Operation.id == op_id, Operation.lease_token == token)
                .values(lease_token=None, lease_expires_at=None)
            )


async def _keep(lease: Lease) -> None:
    while True:
        await asyncio.sleep(lease.ctx.settings.lease_seconds / 3)
        async with lease.transaction():
            pass


async def _advance(ctx: Context, lease: Lease) -> None:
    """Step by step, until there is something to wait for."""
    while True:
        async with ctx.db.read() as session:
            op = await session.get_one(Operation, lease.op_id)
        if _runs_elsewhere(ctx, op):
            return
        handle = await _handle(ctx, op)
        seen = await _look(ctx, op, handle)
        action = decide(_view(op), seen, ctx.now())
        match action:
            case Nothing():
                return
            case Wait():
                await _wait(ctx, lease, op)
                return
            case Stop(kill):
                assert handle is not None
                await ctx.executor.stop(handle, kill=kill)
                await _wait(ctx, lease, op)
                return
        try:
            if not await _apply(ctx, lease, op, action, seen):
                return
            failpoints.reach("operation.applied", type(action).__name__)
        except LeaseLost:
            raise
        except Unavailable as e:
            log.warning("operation_put_off", operation=str(op.id), error=e.detail)
            await _put_off(lease)
            return
        except VisionAIError as e:
            await _apply(ctx, lease, op, Fail(Reason(e.code, e.detail)), seen)
        except Exception:
            log.exception("operation_step_failed", operation=str(op.id), step=type(action).__name__)
            if not isinstance(action, Start | Publish):
                await _put_off(lease)
                return
            await _apply(ctx, lease, op, after_loss(_view(op), None), seen)


async def _handle(ctx: Context, op: Operation) -> Handle | None:
    """Of the present attempt's process. One that is to be cancelled may run although the server was killed before it
    noted so: ``adopt`` finds it, or sees to it that it never starts."""
    if op.handle is not None:
        return msgspec.convert(op.handle, Handle)
    if op.status == "running" and op.cancel_requested_at is not None:
        return await ctx.executor.adopt(launch_id(op.id, op.attempt))
    return None


async def _look(ctx: Context, op: Operation, handle: Handle | None) -> Seen:
    """The process first and the result after it: what is written last is then seen last."""
    if handle is None:
        return Seen()
    if handle.host_id != ctx.executor.host_id:
        return Seen(Gone("this data directory was moved to another machine"))
    process = await ctx.executor.poll(handle)
    return Seen(process, None if isinstance(process, Running) else _read(_work(ctx, op) / "result.json", Outcome))


async def _apply(ctx: Context, lease: Lease, op: Operation, action: Action, seen: Seen) -> bool:
    """False if it is not this operation's turn yet."""
    kind = ctx.kinds[op.kind]
    match action:
        case Attempt(number):
            if op.attempt:
                await ctx.executor.remove(launch_id(op.id, op.attempt))
            async with lease.transaction() as (session, row):
                at_once = ctx.settings.imports
                if row.status == "pending" and row.id not in await next_to_start(session, at_once):
                    row.message = f"Waiting for another import to end: {at_once} may run at once."
                    return False
                row.status, row.attempt, row.handle, row.message = "running", number, None, ""
                row.launch_id = launch_id(op.id, number)
                row.started_at = row.started_at or ctx.now()
        case Start():
            handle = await _start(ctx, op)
            failpoints.reach("operation.launched")
            async with lease.transaction() as (_, row):
                row.handle = msgspec.to_builtins(handle)
        case Publish():
            assert seen.outcome is not None
            op.result = seen.outcome.result
            await kind.publish(ctx, op, _work(ctx, op))
            failpoints.reach("operation.published")
            async with lease.transaction() as (session, row):
                if row.cancel_requested_at is None:
                    row.result, row.progress = seen.outcome.result, 100.0
                    await _end(ctx, session, row, "completed")
                    await kind.completed(session, row)
        case Fail(error):
            async with lease.transaction() as (session, row):
                row.error = msgspec.to_builtins(error)
                row.result = seen.outcome.result if seen.outcome is not None else None
                await _end(ctx, session, row, "failed")
                await kind.failed(session, row)
        case Cancel():
            async with lease.transaction() as (session, row):
                await _end(ctx, session, row, "cancelled")
                await kind.failed(session, row)
        case Clean():
            await kind.clean(ctx, op)
            for number in range(1, op.attempt + 1):
                await ctx.executor.remove(launch_id(op.id, number))
            async with lease.transaction() as (_, row):
                row.launch_id = row.handle = None
        case _:
            raise AssertionError(action)
    return True


async def _start(ctx: Context, op: Operation) -> Handle:
    kind = ctx.kinds[op.kind]
    work = _work(ctx, op)
    work.mkdir(parents=True, exist_ok=True, mode=0o700)
    given = await kind.prepare(ctx, op, work)
    limits = msgspec.structs.replace(kind.limits, wall_seconds=ctx.settings.import_seconds)
    write(work / "params.json", Params(limits, given))
    return await ctx.executor.start(Launch(
        launch_id=launch_id(op.id, op.attempt),
        argv=[sys.executable, "-P", "-m", "visionai.operations.child", kind.work],
        env=trainer_environment(ctx.environ) | {"PYTHONPATH": PYTHONPATH},
    ))  # fmt: skip


async def _end(ctx: Context, session: AsyncSession, row: Operation, status: str) -> None:
    row.status, row.ended_at, row.next_check_at = status, ctx.now(), ctx.now()
    row.launch_id = row.launch_id or launch_id(row.id, row.attempt)
    row.message = ""
    await session.flush()
    for waiting in await next_to_start(session, ctx.settings.imports):
        after_commit(session, Wake("operation", waiting))


async def _wait(ctx: Context, lease: Lease, op: Operation) -> None:
    """Note the progress and come back. Only the call that was due sends the next wake-up, so there is one chain."""
    seen = _read(_work(ctx, op) / "progress.json", Progress) or Progress(op.progress, op.message)
    now = ctx.now()
    async with lease.transaction() as (session, row):
        row.progress, row.message = max(row.progress, seen.progress), seen.message
        if is_due(row, now):
            row.next_check_at = now + timedelta(seconds=POLL_SECONDS)
            after_commit(session, Wake("operation", row.id, delay=POLL_SECONDS))


async def _put_off(lease: Lease) -> None:
    async with lease.transaction() as (_, row):
        row.next_check_at = lease.ctx.now() + PUT_OFF


def _runs_elsewhere(ctx: Context, op: Operation) -> bool:
    """An embedded database is used by one host alone, so there a strange handle is of a machine that is no more."""
    return op.handle is not None and op.handle["host_id"] != ctx.executor.host_id and not ctx.db.embedded


def _view(op: Operation) -> View:
    return View(
        status=op.status, attempt=op.attempt, max_attempts=op.max_attempts, launched=op.handle is not None,
        cancel_requested_at=op.cancel_requested_at, traces=op.launch_id is not None,
    )  # fmt: skip


def _work(ctx: Context, op: Operation) -> Path:
    return ctx.executor.run_dir(launch_id(op.id, op.attempt)) / "work"


def _read(path: Path, kind: type[T]) -> T | None:
    """What the child wrote; None if it has not, or if it is not what the child should write."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None
