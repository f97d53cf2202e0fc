"""Quotas of people and projects: what they may have, and what they use."""

from uuid import UUID

import msgspec
from litestar import Router, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.api import shapes
from visionai.api.problems import responses
from visionai.db import Database
from visionai.identity import quotas
from visionai.identity.access import CurrentUser
from visionai.jobs.quotas import use

CHANGES = {"session": True, "audit": "quota.changed"}


@get("/users/{user_id:uuid}/quota", responses=responses(404), summary="What somebody may have, and what they use")
async def get_users(
    user_id: FromPath[UUID], user: NamedDependency[CurrentUser], db: NamedDependency[Database]
) -> shapes.Quota:
    async with db.read() as session:
        await quotas.readable(session, user, "user", user_id)
        return await _shape(session, "user", user_id)


@put("/users/{user_id:uuid}/quota", opt=CHANGES, responses=responses(403, 404), summary="Set it (admins)")
async def put_users(
    user_id: FromPath[UUID], data: JSONBody[shapes.NewQuota], user: NamedDependency[CurrentUser],
    db: NamedDependency[Database],
) -> shapes.Quota:  # fmt: skip
    """What is null, or left out, has no limit; ``running`` then has the server's (``RUNNING_PER_USER``)."""
    async with db.write() as session:
        await quotas.put(session, user, "user", user_id, _allowance(data))
        return await _shape(session, "user", user_id)


@get("/projects/{project_id:uuid}/quota", responses=responses(404), summary="What a project may have, and what it uses")
async def get_projects(
    project_id: FromPath[UUID], user: NamedDependency[CurrentUser], db: NamedDependency[Database]
) -> shapes.Quota:
    async with db.read() as session:
        await quotas.readable(session, user, "project", project_id)
        return await _shape(session, "project", project_id)


@put("/projects/{project_id:uuid}/quota", opt=CHANGES, responses=responses(403, 404), summary="Set it (admins)")
async def put_projects(
    project_id: FromPath[UUID], data: JSONBody[shapes.NewQuota], user: NamedDependency[CurrentUser],
    db: NamedDependency[Database],
) -> shapes.Quota:  # fmt: skip
    async with db.write() as session:
        await quotas.put(session, user, "project", project_id, _allowance(data))
        return await _shape(session, "project", project_id)


def _allowance(data: shapes.NewQuota) -> quotas.Allowance:
    return quotas.Allowance(**msgspec.structs.asdict(data))


async def _shape(session: AsyncSession, kind: str, subject_id: UUID) -> shapes.Quota:
    await session.flush()
    allowance = msgspec.structs.asdict(await quotas.of(session, subject_id))
    used = msgspec.convert(msgspec.structs.asdict(await use(session, kind, subject_id)), shapes.QuotaUse)
    return shapes.Quota(**allowance, used=used)


router = Router(
    "/api/v1", tags=["quotas"], route_handlers=[get_users, put_users, get_projects, put_projects]
)  # fmt: skip
