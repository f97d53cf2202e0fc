"""A job's event stream: numbered in the transaction that makes the event, published after its commit."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.db import after_commit, utcnow
from visionai.jobs.tables import ActivityRow, Job, JobEvent
from visionai.wakeup import Publish, job_channel


class Event(msgspec.Struct, frozen=True):
    """On the wire. The types and their data are described at ``api.shapes.JobEvent``."""

    seq: int
    type: str
    time: datetime
    data: dict[str, Any]


async def emit(session: AsyncSession, job_id: UUID, type_: str, data: dict[str, Any]) -> None:
    """Append an event. The job's row stays locked until the commit, so readers see numbers without gaps."""
    seq = (
        await session.execute(
            update(Job).where(Job.id == job_id).values(event_seq=Job.event_seq + 1).returning(Job.event_seq),
            execution_options={"synchronize_session": False},
        )
    ).scalar_one()
    event = Event(seq, type_, utcnow(), data)
    session.add(JobEvent(job_id=job_id, seq=seq, type=type_, time=event.time, data=data))
    after_commit(session, Publish(job_channel(job_id), msgspec.json.encode(event)))


async def since(session: AsyncSession, job_id: UUID, seq: int, limit: int) -> list[Event]:
    """Events after ``seq``, oldest first."""
    rows = await session.scalars(
        select(JobEvent).where(JobEvent.job_id == job_id, JobEvent.seq > seq).order_by(JobEvent.seq).limit(limit)
    )
    return [Event(r.seq, r.type, r.time, r.data) for r in rows]


async def activity(
    session: AsyncSession, job_id: UUID, name: str, attempt: int, status: str, message: str = ""
) -> None:
    """Begin (``running``) or end a line of the timeline; beginning it again counts a try."""
    row = await session.get(ActivityRow, (job_id, name, attempt))
    if row is None:
        row = ActivityRow(
            job_id=job_id, name=name, attempt=attempt, status=status, started_at=utcnow(), message=message
        )
        session.add(row)
    elif row.status == status == "running":
        row.tries += 1
    elif row.ended_at is not None:
        return
    row.status, row.message = status, message
    if status != "running":
        row.ended_at = utcnow()
    await emit(session, job_id, "activity", {"name": name, "attempt": attempt, "status": status, "message": message})
