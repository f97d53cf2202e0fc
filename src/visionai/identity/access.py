"""Who may do what, decided here and nowhere else.

Everything belongs to a project. What a person may do in one is the lesser of their role (``viewer`` reads,
``engineer`` and up also edit) and of their role in the project; admins may do everything. A project one is not a
member of does not exist for that person: NotFound, never Forbidden.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from visionai.errors import Forbidden, NotFound, Unauthorised
from visionai.identity.tables import Project, ProjectMember, User

ProjectRole = Literal["reader", "editor", "owner"]

RANK: dict[str, int] = {"reader": 1, "editor": 2, "owner": 3}
CEILING: dict[str, int] = {"viewer": 1, "engineer": 3, "manager": 3, "admin": 3}


class CurrentUser(msgspec.Struct, frozen=True):
    id: UUID
    email: str
    name: str
    role: str

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"


async def current_user(session: AsyncSession, user_id: UUID) -> CurrentUser:
    """Raises Unauthorised for one who is disabled or gone, whatever their token says."""
    user = await session.get(User, user_id)
    if user is None or user.disabled_at is not None:
        raise Unauthorised("This account is disabled: ask an admin.", code="account_disabled")
    return CurrentUser(user.id, user.email, user.name, user.role)


async def require_project(session: AsyncSession, user: CurrentUser, project_id: UUID, *, at_least: ProjectRole) -> None:
    rank = await _rank(session, user, project_id)
    if rank == 0:
        raise NotFound("There is nothing here, or it is not yours to see.")
    if rank < RANK[at_least]:
        raise Forbidden(f"This takes the role {at_least} in the project: ask one of its owners.")


async def default_project(session: AsyncSession, user: CurrentUser) -> UUID:
    """The oldest project in which this user may edit: where things go when no project is named."""
    if CEILING[user.role] < RANK["editor"]:
        raise Forbidden("Your role is viewer: you can look at everything in your projects and change nothing.")
    found = await session.scalar(
        select(ProjectMember.project_id)
        .where(ProjectMember.user_id == user.id, ProjectMember.role.in_(["editor", "owner"]))
        .order_by(ProjectMember.project_id)
        .limit(1)
    )
    if found is None:
        raise Forbidden("You have no project to work in: ask an admin to add you to one.")
    return found


def project_filter(user: CurrentUser, column: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    """Restricts a query to the rows of this user's projects."""
    if user.is_admin:
        return true()
    return column.in_(select(ProjectMember.project_id).where(ProjectMember.user_id == user.id))


async def my_projects(session: AsyncSession, user: CurrentUser) -> list[tuple[Project, ProjectRole]]:
    """With the user's own role in each; an admin sees all and acts as owner."""
    if user.is_admin:
        return [(p, "owner") for p in await session.scalars(select(Project).order_by(Project.id))]
    rows = await session.execute(
        select(Project, ProjectMember.role)
        .join(ProjectMember, ProjectMember.project_id == Project.id)
        .where(ProjectMember.user_id == user.id)
        .order_by(Project.id)
    )
    return [(project, role) for project, role in rows]  # type: ignore[misc]  # a String column holds the literal


async def _rank(session: AsyncSession, user: CurrentUser, project_id: UUID) -> int:
    if user.is_admin:
        return RANK["owner"] if await session.get(Project, project_id) is not None else 0
    member = await session.get(ProjectMember, (project_id, user.id))
    return min(RANK[member.role], CEILING[user.role]) if member is not None else 0
