"""What people did: to look at, and as a file."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromQuery, QueryParameter
from litestar.response import Stream
from sqlalchemy import select, true
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.api import identity_shapes as shapes
from visionai.api.parameters import Limit, zoned
from visionai.api.problems import responses
from visionai.api.shapes import Page
from visionai.datasets.tables import Dataset
from visionai.db import Database
from visionai.identity import audit_log
from visionai.identity.access import CurrentUser
from visionai.identity.audit_log import Format, Wanted
from visionai.identity.tables import AuditEntry, Project, User
from visionai.jobs.tables import Job

MEDIA_TYPES: dict[Format, str] = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}

PAGES: dict[str, Any] = {"dataset": Dataset, "job": Job, "project": Project, "user": User}
"""What the UI has a page for."""

Begins = Annotated[str | None, QueryParameter(max_length=40, description="How it begins: `job.`")]


async def provide_wanted(
    user_id: FromQuery[UUID | None] = None, action: Begins = None, project_id: FromQuery[UUID | None] = None,
    target_id: FromQuery[UUID | None] = None, since: FromQuery[datetime | None] = None,
    until: FromQuery[datetime | None] = None,
) -> Wanted:  # fmt: skip
    since, until = zoned("since", since), zoned("until", until)
    return Wanted(user_id=user_id, action=action, project_id=project_id, target_id=target_id, since=since, until=until)


@get("/audit", responses=responses(403, 404), summary="What people did, newest first")
async def list_entries(
    user: NamedDependency[CurrentUser], db: NamedDependency[Database], wanted: NamedDependency[Wanted],
    cursor: FromQuery[UUID | None] = None, limit: Limit = 100,
) -> Page[shapes.AuditEntry]:  # fmt: skip
    """Admins see all; owners of projects what was done in those, without anybody's address in the network."""
    async with db.read() as session:
        allowed = await audit_log.allowed(session, user, wanted)
        found = await audit_log.page(session, allowed, before=cursor, limit=limit + 1)
        projects = await _projects(session, found)
        there = await _there(session, found)
    items = [
        shapes.AuditEntry(
            **audit_log.fields(entry, with_ip=user.is_admin), project_name=projects.get(entry.project_id),
            target_exists=entry.target_id in there,
        )
        for entry in found[:limit]
    ]  # fmt: skip
    return Page(items, str(items[-1].id) if len(found) > limit else None)


@get("/audit/export", responses=responses(403, 404), summary="The same as a file")
async def export_entries(
    user: NamedDependency[CurrentUser], db: NamedDependency[Database], wanted: NamedDependency[Wanted],
    format_: Annotated[Format, QueryParameter(name="format")] = "csv",
) -> Stream:  # fmt: skip
    """All that match, as they are read. In CSV a cell that a spreadsheet would take for a formula begins with ``'``."""
    async with db.read() as session:
        allowed = await audit_log.allowed(session, user, wanted)
    headers = {"Content-Disposition": f'attachment; filename="audit.{format_}"'}
    lines: Any = audit_log.export(db, allowed, format_, with_ip=user.is_admin)
    return Stream(lines, media_type=MEDIA_TYPES[format_], headers=headers)


async def _projects(session: AsyncSession, entries: list[AuditEntry]) -> dict[UUID | None, str]:
    """Their names, of those that are there."""
    ids = {entry.project_id for entry in entries} - {None}
    return {
        row.id: row.name for row in await session.execute(select(Project.id, Project.name).where(Project.id.in_(ids)))
    }


async def _there(session: AsyncSession, entries: list[AuditEntry]) -> set[UUID | None]:
    """What is still there of all that these entries name, and has a page."""
    found: set[UUID | None] = set()
    for kind, table in PAGES.items():
        ids = {entry.target_id for entry in entries if entry.target_type == kind}
        if ids:
            kept = table.deleted_at.is_(None) if hasattr(table, "deleted_at") else true()
            found |= set(await session.scalars(select(table.id).where(table.id.in_(ids), kept)))
    return found


router = Router(
    "/api/v1", tags=["audit"], dependencies={"wanted": Provide(provide_wanted)},
    route_handlers=[list_entries, export_entries],
)  # fmt: skip
