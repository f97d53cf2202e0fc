"""Projects and their members."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.api import idempotency
from visionai.api import identity_shapes as shapes
from visionai.api.problems import responses
from visionai.api.shapes import Page
from visionai.chat.garbage import forget_conversations
from visionai.db import Database
from visionai.errors import Conflict
from visionai.identity import access, projects
from visionai.identity.access import CurrentUser
from visionai.identity.audit import record
from visionai.identity.tables import Project, ProjectMember, User
from visionai.jobs.projects import Held, forget_traces, held, require_empty


@get("/projects", responses=responses(), summary="One's projects")
async def list_projects(
    user: NamedDependency[CurrentUser], db: NamedDependency[Database]
) -> Page[shapes.ListedProject]:  # fmt: skip
    """Of an admin all. Each with how much is in it."""
    async with db.read() as session:
        found, counts = await access.my_projects(session, user), await held(session, user)
    return Page([
        shapes.ListedProject(
            project.id, project.name, role, project.created_at,
            **msgspec.structs.asdict(counts.get(project.id, Held())),
        )
        for project, role in found
    ])  # fmt: skip


@post(
    "/projects", opt={"audit": "project.created"}, responses=responses(403),
    summary="Make a project; its maker owns it",
)  # fmt: skip
async def add_project(
    request: Request[Any, Any, Any], data: JSONBody[shapes.NewProject], user: NamedDependency[CurrentUser],
    db: NamedDependency[Database],
) -> Response[shapes.Project]:  # fmt: skip
    access.require_maker(user)

    async def make(session: AsyncSession) -> shapes.Project:
        made = await projects.add_project(session, user.id, data.name)
        record(session, user.actor, "project.created", ("project", made.id, made.name), project_id=made.id)
        return project_shape(made, "owner")

    return await idempotency.create(db, request, user, make)


@patch(
    "/projects/{project_id:uuid}", opt={"audit": "project.renamed"}, responses=responses(403, 404),
    summary="Rename a project",
)  # fmt: skip
async def change_project(
    project_id: FromPath[UUID], data: JSONBody[shapes.ProjectChange], user: NamedDependency[CurrentUser],
    db: NamedDependency[Database],
) -> shapes.Project:  # fmt: skip
    async with db.write() as session:
        return project_shape(await projects.rename(session, user, project_id, data.name), "owner")


@delete(
    "/projects/{project_id:uuid}", opt={"audit": "project.deleted"}, responses=responses(403, 404, 409),
    summary="Delete an empty project",
)  # fmt: skip
async def remove_project(
    project_id: FromPath[UUID], user: NamedDependency[CurrentUser], db: NamedDependency[Database]
) -> None:
    """409 ``project_not_empty`` says what is in it. Its conversations and open invitations go with it."""
    try:
        async with db.write() as session:
            await access.require_project(session, user, project_id, at_least="owner")
            await require_empty(session, project_id)
            await forget_conversations(session, project_id)
            await forget_traces(session, project_id)
            await projects.remove(session, user, project_id)
    except IntegrityError:
        raise Conflict("Something has just been put into the project.", code="project_not_empty") from None


@get("/projects/{project_id:uuid}/members", responses=responses(404), summary="Who is in a project")
async def list_members(
    project_id: FromPath[UUID], user: NamedDependency[CurrentUser], db: NamedDependency[Database]
) -> Page[shapes.Member]:
    async with db.read() as session:
        await access.require_project(session, user, project_id, at_least="reader")
        rows = await session.execute(
            select(ProjectMember, User).join(User, User.id == ProjectMember.user_id)
            .where(ProjectMember.project_id == project_id).order_by(User.id)
        )  # fmt: skip
        return Page([_member(m, u) for m, u in rows])


@post(
    "/projects/{project_id:uuid}/members", opt={"session": True, "audit": "member.added"},
    responses=responses(403, 404, 409), summary="Add somebody to a project",
)  # fmt: skip
async def add_member(
    project_id: FromPath[UUID], data: JSONBody[shapes.NewMember], user: NamedDependency[CurrentUser],
    db: NamedDependency[Database],
) -> shapes.Member:  # fmt: skip
    async with db.write() as session:
        return _member(*await projects.add_member(session, user, project_id, data.user_id, data.role))


@patch(
    "/projects/{project_id:uuid}/members/{user_id:uuid}", opt={"session": True, "audit": "member.role_changed"},
    responses=responses(403, 404, 409), summary="Change a member's role",
)  # fmt: skip
async def change_member(
    project_id: FromPath[UUID], user_id: FromPath[UUID], data: JSONBody[shapes.MemberChange],
    user: NamedDependency[CurrentUser], db: NamedDependency[Database],
) -> shapes.Member:  # fmt: skip
    """The last owner stays one (409 ``last_owner``)."""
    async with db.write() as session:
        return _member(*await projects.change_member(session, user, project_id, user_id, data.role))


@delete(
    "/projects/{project_id:uuid}/members/{user_id:uuid}", opt={"session": True, "audit": "member.removed"},
    responses=responses(403, 404, 409), summary="Take somebody out of a project, or leave it",
)  # fmt: skip
async def remove_member(
    project_id: FromPath[UUID], user_id: FromPath[UUID], user: NamedDependency[CurrentUser],
    db: NamedDependency[Database],
) -> None:  # fmt: skip
    """The last owner stays (409 ``last_owner``)."""
    async with db.write() as session:
        await projects.remove_member(session, user, project_id, user_id)


def project_shape(project: Project, role: access.ProjectRole) -> shapes.Project:
    return shapes.Project(project.id, project.name, role, project.created_at)


def _member(member: ProjectMember, user: User) -> shapes.Member:
    role: Any = member.role
    return shapes.Member(user.id, user.email, user.name, role)


router = Router(
    "/api/v1", tags=["projects"],
    route_handlers=[
        list_projects, add_project, change_project, remove_project, list_members, add_member, change_member,
        remove_member,
    ],
)  # fmt: skip
