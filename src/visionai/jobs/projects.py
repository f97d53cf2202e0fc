"""What a project holds; and its last traces, which go with it."""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, delete, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.datasets.tables import Dataset, DatasetVersion
from visionai.errors import Conflict
from visionai.identity.access import CurrentUser, project_filter
from visionai.identity.tables import ProjectMember
from visionai.jobs.tables import Job
from visionai.operations.queries import ACTIVE
from visionai.operations.tables import Operation


class Held(msgspec.Struct):
    datasets: int = 0
    trainings: int = 0
    members: int = 0


async def held(session: AsyncSession, user: CurrentUser) -> dict[UUID, Held]:
    """How much is in each project that this user can see."""
    found: defaultdict[UUID, Held] = defaultdict(Held)
    kept = {
        "datasets": (Dataset.project_id, Dataset.deleted_at.is_(None)),
        "trainings": (Job.project_id, Job.deleted_at.is_(None)),
        "members": (ProjectMember.project_id, true()),
    }  # fmt: skip
    for name, (column, there) in kept.items():
        query = select(column, func.count()).where(project_filter(user, column), there).group_by(column)
        for project_id, count in await session.execute(query):
            setattr(found[project_id], name, count)
    return found


async def require_empty(session: AsyncSession, project_id: UUID) -> None:
    """Raises Conflict ``project_not_empty``, which says what is in it."""
    datasets = await _count(session, Dataset.project_id == project_id, Dataset.deleted_at.is_(None))
    jobs = await _count(session, Job.project_id == project_id, Job.deleted_at.is_(None))
    held = [f"{n} {word}{'s' if n > 1 else ''}" for n, word in ((datasets, "data set"), (jobs, "training")) if n]
    if held:
        raise Conflict(f"The project holds {' and '.join(held)}: delete them first.", code="project_not_empty")
    leaving = (
        await _count(session, Dataset.project_id == project_id, Dataset.freed_at.is_(None))
        or await _count(session, Job.project_id == project_id)
        or await _count(session, Operation.project_id == project_id, Operation.status.in_(ACTIVE))
    )
    if leaving:
        raise Conflict(
            "What was deleted in the project is still being freed: try again in some seconds.",
            code="project_not_empty", retry_after=5,
        )  # fmt: skip


async def forget_traces(session: AsyncSession, project_id: UUID) -> None:
    """The rows of data sets that have been freed, and of operations that have ended."""
    for table in (Operation, DatasetVersion, Dataset):
        await session.execute(delete(table).where(table.project_id == project_id))


async def _count(session: AsyncSession, *which: ColumnElement[bool]) -> int:
    return await session.scalar(select(func.count()).where(*which)) or 0
