"""A job's event stream: numbered in the transaction that makes the event, published after its commit."""

from __future__ import annotations

from datetime import datetime
from itertools import accumulate
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Text, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.db import after_commit, append, utcnow
from visionai.jobs.tables import ActivityRow, Job, JobEvent
from visionai.wakeup import Publish, job_channel

PAGE_BYTES = 4 * 2**20


class Event(msgspec.Struct, frozen=True):
    """On the wire. The types and their data are described at ``api.shapes.JobEvent``."""

    seq: int
    type: str
    time: datetime
    data: dict[str, Any]


def emit(session: AsyncSession, job: Job, type_: str, data: dict[str, Any]) -> None:
    """Append an event. ``job`` was read for update in this transaction, so readers see numbers without gaps."""
    job.event_seq += 1
    event = Event(job.event_seq, type_, utcnow(), data)
    append(session, JobEvent, {"job_id": job.id, **msgspec.structs.asdict(event)})
    after_commit(session, Publish(job_channel(job.id), msgspec.json.encode(event)))


async def since(session: AsyncSession, job_id: UUID, seq: int, limit: int) -> list[Event]:
    """Events after ``seq``, oldest first."""
    rows = await session.scalars(
        select(JobEvent).where(JobEvent.job_id == job_id, JobEvent.seq > seq).order_by(JobEvent.seq).limit(limit)
    )
    return [Event(r.seq, r.type, r.time, r.data) for r in rows]


async def page(
    session: AsyncSession, job_id: UUID, seq: int, limit: int, most_bytes: int = PAGE_BYTES
) -> tuple[list[Event], bool]:
    """As ``since``, but it ends early where more would have more than ``most_bytes``, though never before the first
    one. Also whether there are more."""
    sizes = await session.execute(
        select(JobEvent.seq, func.length(cast(JobEvent.data, Text)))
        .where(JobEvent.job_id == job_id, JobEvent.seq > seq)
        .order_by(JobEvent.seq)
        .limit(limit + 1)
    )
    known = [size for _, size in sizes]
    count = max(1, sum(total <= most_bytes for total in accumulate(known[:limit])))
    return await since(session, job_id, seq, count), count < len(known)


async def activity(session: AsyncSession, job: Job, name: str, attempt: int, status: str, message: str = "") -> None:
    """Begin (``running``) or end a line of the timeline; beginning it again counts a try."""
    row = await session.get(ActivityRow, (job.id, name, attempt))
    if row is None:
        row = ActivityRow(
            job_id=job.id, name=name, attempt=attempt, status=status, started_at=utcnow(), message=message
        )
        session.add(row)
    elif row.status == status == "running":
        row.tries += 1
    elif row.ended_at is not None:
        return
    row.status, row.message = status, message or row.message
    if status != "running":
        row.ended_at = utcnow()
    emit(session, job, "activity", {"name": name, "attempt": attempt, "status": status, "message": message})
