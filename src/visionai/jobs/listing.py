"""Lists of jobs: which ones, in which order, a page at a time; and what there is to choose from."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.datasets.tables import Dataset
from visionai.errors import BadInput
from visionai.identity.access import CurrentUser, project_filter
from visionai.identity.tables import User
from visionai.jobs.tables import Job

Order: TypeAlias = Literal["newest", "best", "duration"]

NOTHING = -1e300  # ranks what has no value yet behind all that have one
SLACK = timedelta(minutes=1)
EXACTLY = ("framework", "model_name", "dataset_id", "created_by", "project_id")
CHOICES = 200
"""So many of each kind are offered: more is no list that anybody reads."""


class Filter(msgspec.Struct, frozen=True):
    """What a job must be to be listed; what is left out, it may be in any way."""

    states: list[str] = []
    q: str | None = None
    """What its name holds, in small letters or capitals."""
    framework: str | None = None
    model_name: str | None = None
    dataset_id: UUID | None = None
    created_by: UUID | None = None
    created_after: datetime | None = None
    project_id: UUID | None = None


class Choices(msgspec.Struct, frozen=True):
    frameworks: list[str]
    models: list[str]
    datasets: list[tuple[UUID, str]]
    people: list[tuple[UUID, str]]


async def page(
    session: AsyncSession, user: CurrentUser, wanted: Filter, *, order: Order, after: UUID | None, limit: int
) -> list[Job]:
    """One more than ``limit`` where there are more. ``after`` is the last job already seen. Found by number, so that
    no wide rows are sorted."""
    rank = _rank(order)
    falling = [Job.id.desc()] if rank is None else [rank.desc(), Job.id.desc()]
    query = _visible(select(Job.id), user).where(*_conditions(wanted))
    if after is not None:
        query = query.where(Job.id < after if rank is None else await _behind(session, user, rank, after))
    ids = list(await session.scalars(query.order_by(*falling).limit(limit + 1)))
    found = {job.id: job for job in await session.scalars(select(Job).where(Job.id.in_(ids)))}
    return [found[job_id] for job_id in ids]


async def choices(session: AsyncSession, user: CurrentUser) -> Choices:
    """Of the jobs that this user can see: what a list of them can be narrowed to."""

    async def names(column: Any) -> list[str]:
        return list(await session.scalars(_visible(select(column), user).distinct().order_by(column).limit(CHOICES)))

    async def rows(key: Any, name: Any, used: Any) -> list[tuple[UUID, str]]:
        query = select(key, name).where(key.in_(_visible(select(used), user).distinct())).order_by(name).limit(CHOICES)
        return [(found, called) for found, called in await session.execute(query)]

    called = func.coalesce(func.nullif(User.name, ""), User.email)
    return Choices(
        await names(Job.framework), await names(Job.model_name),
        await rows(Dataset.id, Dataset.name, Job.dataset_id), await rows(User.id, called, Job.created_by),
    )  # fmt: skip


def _visible(query: Select[Any], user: CurrentUser) -> Select[Any]:
    return query.where(project_filter(user, Job.project_id), Job.deleted_at.is_(None))


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    exactly = {name: getattr(wanted, name) for name in EXACTLY}
    conditions = [getattr(Job, name) == value for name, value in exactly.items() if value is not None]
    if wanted.states:
        conditions.append(Job.state.in_(wanted.states))
    if wanted.q:
        conditions.append(Job.name.icontains(wanted.q, autoescape=True))
    if (since := wanted.created_after) is not None:
        # A number is never older than its job's time: so what is too old is left out without being read.
        oldest = UUID(int=max(0, int((since - SLACK).timestamp() * 1000)) << 80)
        conditions += [Job.created_at >= since, Job.id >= oldest]
    return conditions


def _rank(order: Order) -> ColumnElement[float] | None:
    """What to sort by, the largest first; None: by number alone, which is by age."""
    if order == "best":
        value = Job.best["value"].as_float()
        return func.coalesce(case((Job.best["mode"].as_string() == "min", -value), else_=value), NOTHING)
    return Job.run_seconds.expression if order == "duration" else None


async def _behind(
    session: AsyncSession, user: CurrentUser, rank: ColumnElement[float], after: UUID
) -> ColumnElement[bool]:
    reached = await session.scalar(select(rank).where(Job.id == after, project_filter(user, Job.project_id)))
    if reached is None:
        raise BadInput.field("cursor", "is of a job that is gone: start again from the first page")
    return or_(rank < reached, and_(rank == reached, Job.id < after))
