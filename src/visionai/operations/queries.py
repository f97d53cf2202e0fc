"""Asking for operations: submit one, cancel one, find those that are due."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, not_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.db import after_commit
from visionai.operations import decide
from visionai.operations.tables import Operation
from visionai.wakeup import Wake

ACTIVE = ("pending", "running")
PUT_OFF = timedelta(seconds=5)  # the furthest ahead that a check is set


async def submit(
    session: AsyncSession,
    kind: str,
    *,
    project_id: UUID,
    user_id: UUID,
    subject_id: UUID | None,
    params: dict[str, Any] | None = None,
    operation_id: UUID | None = None,
) -> Operation:
    """Have it done. It begins once this transaction is committed."""
    op = Operation(
        kind=kind, project_id=project_id, created_by=user_id, subject_id=subject_id, params=params or {},
        **({} if operation_id is None else {"id": operation_id}),
    )  # fmt: skip
    session.add(op)
    await session.flush()
    after_commit(session, Wake("operation", op.id))
    return op


async def cancel(session: AsyncSession, subject_id: UUID, now: datetime) -> None:
    """Ask for the end of whatever works on this subject; what has ended stays as it is."""
    found = await session.scalars(
        update(Operation)
        .where(Operation.subject_id == subject_id, Operation.status.in_(ACTIVE))
        .values(cancel_requested_at=now, next_check_at=now)
        .returning(Operation.id)
    )
    for op_id in found:
        after_commit(session, Wake("operation", op_id))


async def due(session: AsyncSession, now: datetime, *, at_once: int, limit: int = 100) -> list[UUID]:
    """Those that somebody should look at now: what may start, as ``at_once`` may run, then the longest waiting first.
    The sweep wakes them."""
    starting = await next_to_start(session, at_once)
    in_line = and_(Operation.status == "pending", Operation.cancel_requested_at.is_(None))
    found = await session.scalars(
        select(Operation.id)
        .where(
            or_(Operation.status.in_(ACTIVE), Operation.launch_id.is_not(None)),
            or_(Operation.next_check_at <= now, Operation.next_check_at > now + 2 * PUT_OFF),
            not_(in_line),
        )
        .order_by(Operation.next_check_at)
        .limit(limit)
    )
    return [*starting, *found]


async def next_to_start(session: AsyncSession, at_once: int) -> list[UUID]:
    rows = await session.execute(
        select(Operation.id, Operation.project_id, Operation.status)
        .where(
            or_(
                Operation.status == "running",
                and_(Operation.status == "pending", Operation.cancel_requested_at.is_(None)),
            )
        )
        .order_by(Operation.id)
    )
    found = rows.all()
    waiting = [(op_id, project_id) for op_id, project_id, status in found if status == "pending"]
    return decide.next_to_start(waiting, [row.project_id for row in found if row.status == "running"], at_once)


def is_due(op: Operation, now: datetime) -> bool:
    """A check far ahead was set before the clock was moved back: it is due too."""
    return not now < op.next_check_at <= now + 2 * PUT_OFF


async def latest(session: AsyncSession, subject_ids: list[UUID]) -> dict[UUID, Operation]:
    """The newest operation on each of these subjects."""
    found = await session.scalars(select(Operation).where(Operation.subject_id.in_(subject_ids)).order_by(Operation.id))
    return {op.subject_id: op for op in found if op.subject_id is not None}


async def release_leases(session: AsyncSession) -> None:
    """At the start of a process that owns the database alone: whoever held a lease is no more."""
    await session.execute(
        update(Operation).where(Operation.lease_token.is_not(None)).values(lease_token=None, lease_expires_at=None)
    )
