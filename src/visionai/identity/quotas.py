"""Quotas: what one person, or one project, may have and use. What counts against them is ``jobs.quotas``' to say."""

from __future__ import annotations

from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.errors import NotFound
from visionai.identity import audit
from visionai.identity.access import CurrentUser, require_admin, require_project, require_quota_of
from visionai.identity.tables import Project, Quota, User


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """None: no limit, and for ``running`` the server's own."""

    datasets: int | None = None
    storage_bytes: int | None = None
    gpu_seconds: int | None = None
    running: int | None = None


async def of(session: AsyncSession, subject_id: UUID) -> Allowance:
    row = await session.get(Quota, subject_id)
    if row is None:
        return Allowance()
    return Allowance(**{name: getattr(row, name) for name in Allowance.__struct_fields__})


async def running(session: AsyncSession) -> dict[UUID, int]:
    """Of those people and projects that have a number of their own."""
    rows = await session.execute(select(Quota.subject_id, Quota.running).where(Quota.running.is_not(None)))
    return {subject_id: number for subject_id, number in rows if number is not None}


async def readable(session: AsyncSession, user: CurrentUser, kind: str, subject_id: UUID) -> None:
    """Raises NotFound for who may not look."""
    if kind == "project":
        await require_project(session, user, subject_id, at_least="reader")
    else:
        require_quota_of(user, subject_id)
        await _subject(session, kind, subject_id)


async def put(session: AsyncSession, user: CurrentUser, kind: str, subject_id: UUID, allowance: Allowance) -> None:
    require_admin(user, instead="ask one for more")
    name = await _subject(session, kind, subject_id)
    before, after = await of(session, subject_id), msgspec.structs.asdict(allowance)
    await session.merge(Quota(subject_id=subject_id, **after))
    changes = audit.changed(**{field: (getattr(before, field), value) for field, value in after.items()})
    project_id = subject_id if kind == "project" else None
    audit.record_change(session, user.actor, "quota.changed", (kind, subject_id, name), changes, project_id=project_id)


async def _subject(session: AsyncSession, kind: str, subject_id: UUID) -> str:
    if kind == "project":
        project = await session.get(Project, subject_id)
        if project is None:
            raise NotFound("There is no such project.")
        return project.name
    user = await session.get(User, subject_id)
    if user is None:
        raise NotFound("There is no such user.")
    return user.email
