"""Projects and who is in them. Each has at least one owner, always."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.errors import BadInput, Conflict, NotFound
from visionai.identity.access import CurrentUser, ProjectRole, require_project
from visionai.identity.audit import changed, record, record_change
from visionai.identity.tables import Project, ProjectMember, Quota, User


async def add_project(session: AsyncSession, user_id: UUID, name: str) -> Project:
    project = Project(name=name, created_by=user_id)
    session.add(project)
    await session.flush()
    session.add(ProjectMember(project_id=project.id, user_id=user_id, role="owner"))
    return project


async def rename(session: AsyncSession, user: CurrentUser, project_id: UUID, name: str) -> Project:
    await require_project(session, user, project_id, at_least="owner")
    project = await session.get_one(Project, project_id)
    target = ("project", project_id, project.name)
    changes = changed(name=(project.name, name))
    record_change(session, user.actor, "project.renamed", target, changes, project_id=project_id)
    project.name = name
    return project


async def remove(session: AsyncSession, user: CurrentUser, project_id: UUID) -> None:
    """With its members and open invitations. The caller has looked that nothing is in it."""
    await session.execute(delete(Quota).where(Quota.subject_id == project_id))
    name = await session.scalar(delete(Project).where(Project.id == project_id).returning(Project.name))
    record(session, user.actor, "project.deleted", ("project", project_id, name or ""), project_id=project_id)


async def add_member(
    session: AsyncSession, user: CurrentUser, project_id: UUID, user_id: UUID, role: ProjectRole
) -> tuple[ProjectMember, User]:
    await require_project(session, user, project_id, at_least="owner")
    added = await session.get(User, user_id)
    if added is None:
        raise BadInput.field("user_id", "there is no such user")
    member = await join(session, project_id, user_id, role)
    record(session, user.actor, "member.added", ("user", user_id, added.email), project_id=project_id, role=role)
    return member, added


async def join(session: AsyncSession, project_id: UUID, user_id: UUID, role: str) -> ProjectMember:
    if await session.get(ProjectMember, (project_id, user_id)) is not None:
        raise Conflict("This user is a member already.", code="member_exists")
    member = ProjectMember(project_id=project_id, user_id=user_id, role=role)
    session.add(member)
    return member


async def change_member(
    session: AsyncSession, user: CurrentUser, project_id: UUID, user_id: UUID, role: ProjectRole
) -> tuple[ProjectMember, User]:
    await require_project(session, user, project_id, at_least="owner")
    member = await _member(session, project_id, user_id)
    if role != "owner":
        await _keep_an_owner(session, member)
    person = await session.get_one(User, user_id)
    target, changes = ("user", user_id, person.email), changed(role=(member.role, role))
    record_change(session, user.actor, "member.role_changed", target, changes, project_id=project_id)
    member.role = role
    return member, person


async def remove_member(session: AsyncSession, user: CurrentUser, project_id: UUID, user_id: UUID) -> None:
    """By an owner, or by themselves."""
    await require_project(session, user, project_id, at_least="reader" if user_id == user.id else "owner")
    member = await _member(session, project_id, user_id)
    await _keep_an_owner(session, member)
    await session.delete(member)
    person = await session.get_one(User, user_id)
    record(session, user.actor, "member.removed", ("user", user_id, person.email), project_id=project_id)


async def _member(session: AsyncSession, project_id: UUID, user_id: UUID) -> ProjectMember:
    member = await session.get(ProjectMember, (project_id, user_id))
    if member is None:
        raise NotFound("This user is not in the project.")
    return member


async def _keep_an_owner(session: AsyncSession, member: ProjectMember) -> None:
    """Raises Conflict if this is the only one. The project's row is locked, so that of two owners who leave at once
    one stays."""
    await session.get(Project, member.project_id, with_for_update=True)
    owners = select(func.count()).where(ProjectMember.project_id == member.project_id, ProjectMember.role == "owner")
    if member.role == "owner" and await session.scalar(owners) == 1:
        raise Conflict("This is the project's only owner: make somebody else an owner first.", code="last_owner")
