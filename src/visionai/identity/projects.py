"""Projects and who is in them. Each has at least one owner, always."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.errors import BadInput, Conflict, NotFound
from visionai.identity.access import CurrentUser, ProjectRole, require_project
from visionai.identity.tables import Project, ProjectMember, User


async def add_project(session: AsyncSession, user_id: UUID, name: str) -> Project:
    project = Project(name=name, created_by=user_id)
    session.add(project)
    await session.flush()
    session.add(ProjectMember(project_id=project.id, user_id=user_id, role="owner"))
    return project


async def rename(session: AsyncSession, user: CurrentUser, project_id: UUID, name: str) -> Project:
    await require_project(session, user, project_id, at_least="owner")
    project = await session.get_one(Project, project_id)
    project.name = name
    return project


async def remove(session: AsyncSession, project_id: UUID) -> None:
    """With its members and open invitations. The caller has looked that nothing is in it."""
    await session.execute(delete(Project).where(Project.id == project_id))


async def add_member(
    session: AsyncSession, user: CurrentUser, project_id: UUID, user_id: UUID, role: ProjectRole
) -> tuple[ProjectMember, User]:
    await require_project(session, user, project_id, at_least="owner")
    added = await session.get(User, user_id)
    if added is None:
        raise BadInput.field("user_id", "there is no such user")
    return await join(session, project_id, user_id, role), added


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
    member.role = role
    return member, await session.get_one(User, user_id)


async def remove_member(session: AsyncSession, user: CurrentUser, project_id: UUID, user_id: UUID) -> None:
    """By an owner, or by themselves."""
    await require_project(session, user, project_id, at_least="reader" if user_id == user.id else "owner")
    member = await _member(session, project_id, user_id)
    await _keep_an_owner(session, member)
    await session.delete(member)


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
