"""What others did of late that concerns somebody: put them into a project, gave them a role, stopped their training.

It is read out of the audit, so that nothing else has to be written down and nothing is told that was not done.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.identity.access import CurrentUser
from visionai.identity.audit import Action
from visionai.identity.tables import AuditEntry, Project
from visionai.jobs.tables import Job

TOLD = timedelta(days=30)
MOST = 20
TO_THEM: tuple[Action, ...] = ("member.added", "member.role_changed", "member.removed", "user.role_changed")


class Notice(msgspec.Struct, frozen=True):
    id: UUID
    time: datetime
    by: str
    action: str
    project_id: UUID | None
    project_name: str | None
    """As it is called now; None where it is gone."""
    job_id: UUID | None
    job_name: str | None
    role: str | None
    """The new one."""


async def notices(session: AsyncSession, user: CurrentUser, now: datetime) -> list[Notice]:
    """The latest first."""
    theirs = select(Job.id).where(
        Job.created_by == user.id, Job.cancel_requested_at >= now - TOLD, Job.deleted_at.is_(None)
    )
    done = (AuditEntry.action.in_(TO_THEM), AuditEntry.target_id == user.id)
    stopped = (AuditEntry.action == "job.cancelled", AuditEntry.target_id.in_(theirs))
    found = [entry for which in (done, stopped) for entry in await _entries(session, user, now, *which)]
    return [_notice(*row) for row in sorted(found, key=lambda row: row[0].id, reverse=True)[:MOST]]


async def _entries(session: AsyncSession, user: CurrentUser, now: datetime, *which: ColumnElement[bool]) -> list[Any]:
    """Each with what its project is called."""
    query = select(AuditEntry, Project.name).outerjoin(Project, Project.id == AuditEntry.project_id)
    by_others = (AuditEntry.user_id != user.id, AuditEntry.time >= now - TOLD)
    return list(await session.execute(query.where(*which, *by_others).order_by(AuditEntry.id.desc()).limit(MOST)))


def _notice(entry: AuditEntry, project: str | None) -> Notice:
    role, is_job = entry.detail.get("role"), entry.target_type == "job"
    return Notice(
        id=entry.id, time=entry.time, by=entry.actor, action=entry.action, project_id=entry.project_id,
        project_name=project, job_id=entry.target_id if is_job else None,
        job_name=entry.target_name if is_job else None, role=role["new"] if isinstance(role, dict) else role,
    )  # fmt: skip
