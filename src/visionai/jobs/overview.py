"""What is going on just now, in numbers: for who looks after the server. A few indexed reads, however much there is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.datasets.tables import Dataset
from visionai.jobs.state import JobState
from visionai.jobs.tables import Attempt, Job
from visionai.operations.queries import ACTIVE
from visionai.operations.tables import Operation

FAILURES = 20
FAILED_OF_LATE = timedelta(days=1)


class Since(msgspec.Struct, frozen=True):
    id: UUID
    name: str
    since: datetime


class Trainer(msgspec.Struct, frozen=True):
    """Whoever has a slot."""

    job_id: UUID
    job_name: str
    attempt: int
    slot: int
    since: datetime
    handle: dict[str, Any] | None


class Failure(msgspec.Struct, frozen=True):
    id: UUID
    kind: str
    dataset_id: UUID | None
    dataset_name: str | None
    error: dict[str, Any] | None
    ended_at: datetime


class Overview(msgspec.Struct, frozen=True):
    states: dict[str, int]
    oldest_waiting: Since | None
    longest_silent: Since | None
    trainers: list[Trainer]
    operations: dict[str, int]
    """Those that run and those that wait."""
    uploads: int
    failures: list[Failure]


async def overview(session: AsyncSession, host_id: str, now: datetime) -> Overview:
    states = select(Job.state, func.count()).where(Job.deleted_at.is_(None)).group_by(Job.state)
    working = select(Operation.status, func.count()).where(Operation.status.in_(ACTIVE)).group_by(Operation.status)
    coming = (Dataset.status == "uploading", Dataset.deleted_at.is_(None))
    heard = func.coalesce(Job.last_heartbeat_at, Job.started_at)
    return Overview(
        states=await _counted(session, states),
        oldest_waiting=await _oldest(session, JobState.QUEUED, func.coalesce(Job.queued_at, Job.created_at)),
        longest_silent=await _oldest(session, JobState.RUNNING, heard),
        trainers=await _trainers(session, host_id),
        operations=await _counted(session, working),
        uploads=await session.scalar(select(func.count()).where(*coming)) or 0,
        failures=await _failures(session, now),
    )  # fmt: skip


async def _counted(session: AsyncSession, query: Any) -> dict[str, int]:
    return {state: int(count) for state, count in await session.execute(query)}


async def _oldest(session: AsyncSession, state: JobState, since: ColumnElement[Any]) -> Since | None:
    query = select(Job.id, Job.name, since).where(Job.state == state, Job.deleted_at.is_(None)).order_by(since)
    row = (await session.execute(query.limit(1))).one_or_none()
    return Since(*row) if row is not None and row[2] is not None else None


async def _trainers(session: AsyncSession, host_id: str) -> list[Trainer]:
    rows = await session.execute(
        select(Job.id, Job.name, Attempt.number, Attempt.slot, Attempt.created_at, Attempt.handle)
        .join(Attempt, Attempt.job_id == Job.id)
        .where(Attempt.host_id == host_id, Attempt.released_at.is_(None))
        .order_by(Attempt.slot)
    )
    return [Trainer(*row) for row in rows]


async def _failures(session: AsyncSession, now: datetime) -> list[Failure]:
    there = Dataset.deleted_at.is_(None)
    rows = await session.execute(
        select(Operation.id, Operation.kind, Dataset.id, Dataset.name, Operation.error, Operation.ended_at)
        .outerjoin(Dataset, (Dataset.id == Operation.subject_id) & there)
        .where(Operation.status == "failed", Operation.ended_at >= now - FAILED_OF_LATE)
        .order_by(Operation.ended_at.desc())
        .limit(FAILURES)
    )
    return [Failure(*row) for row in rows]
