"""Who may do what, decided here and nowhere else.

Everything belongs to a project. What a person may do in one is the lesser of their role (``viewer`` reads,
``engineer`` and up also edit) and of their role in the project; admins may do everything. A project one is not a
member of does not exist for that person: NotFound, never Forbidden.

People are managed by rank too. Admins manage everybody; managers manage engineers and viewers: they change, disable,
invite them and make links to a new password, and can make of nobody more than an engineer. Who owns a project may
invite engineers and viewers into it, and nobody anywhere else; a viewer owns nothing. Of themselves nobody changes the
role, and the last enabled admin stays one.

An API token does what its person may do, with two bounds: one of scope ``read`` changes nothing, and none comes near
what keeps accounts safe (passwords, sessions, tokens, people, invitations, who is in a project). For that somebody has
to be signed in.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal, cast
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Uuid, and_, bindparam, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from visionai.db import utcnow
from visionai.errors import Forbidden, NotFound, Unauthorised
from visionai.identity.audit import Actor
from visionai.identity.tables import ApiToken, AuditEntry, Invitation, Project, ProjectMember, Session, User
from visionai.identity.tokens import Callback, Credential, digest

Role = Literal["admin", "manager", "engineer", "viewer"]
ProjectRole = Literal["reader", "editor", "owner"]
Scope = Literal["read", "write"]

RANK: dict[str, int] = {"reader": 1, "editor": 2, "owner": 3}
CEILING: dict[str, int] = {"viewer": 1, "engineer": 3, "manager": 3, "admin": 3}


MANAGED = ("engineer", "viewer")
"""The roles of those whom a manager manages."""


class CurrentUser(msgspec.Struct, frozen=True):
    id: UUID
    email: str
    name: str
    role: str
    credential: Credential | None = None
    """What they showed."""
    scope: str = "write"
    """``read`` where they showed an API token that changes nothing."""
    token_name: str | None = None
    ip: str = ""

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"

    @property
    def actor(self) -> Actor:
        """Them in the audit."""
        return Actor(
            self.id, self.email, "token" if self.token_name is not None else "session", self.ip, self.token_name
        )

    @property
    def session_id(self) -> UUID | None:
        """None where an API token asks."""
        return self.credential.session_id if self.credential is not None else None


async def current_user(session: AsyncSession, shown: Credential, ip: str = "") -> CurrentUser:
    """Whom an access token or a ticket stands for. Raises Unauthorised for one who is disabled, and where the session
    or the API token it came from is over, whatever it says itself: one read for all of it."""
    if shown.session_id is not None:
        row = (await session.execute(_WHO_BY_SESSION, {"id": shown.session_id})).one_or_none()
        if row is None or row.id != shown.user_id:
            raise Unauthorised("Your session has ended: sign in again.", code="session_ended")
        return _current(row, shown, "write", None, ip)
    return await _by_api_token(session, ApiToken.id == shown.token_id, ip)


async def api_token_user(session: AsyncSession, token: str, ip: str = "") -> CurrentUser:
    """Whom a ``vai_…`` stands for. Raises Unauthorised likewise."""
    return await _by_api_token(session, ApiToken.token_hash == digest(token), ip)


async def still_allowed(
    session: AsyncSession, asked: Collection[tuple[Credential, UUID]]
) -> set[tuple[Credential, UUID]]:
    """Of these, those whose credential still holds and who may still look into that project."""
    users = {shown.user_id for shown, _ in asked}
    people = select(User.id, User.role).where(User.id.in_(users), User.disabled_at.is_(None))
    roles = {row.id: row.role for row in await session.execute(people)}
    inside = select(ProjectMember.project_id, ProjectMember.user_id).where(ProjectMember.user_id.in_(users))
    members = {(row.project_id, row.user_id) for row in await session.execute(inside)}
    valid = set(await session.scalars(select(Session.id).where(Session.user_id.in_(users))))
    unexpired = or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > utcnow())
    valid |= set(await session.scalars(select(ApiToken.id).where(ApiToken.user_id.in_(users), unexpired)))
    return {
        (shown, project_id)
        for shown, project_id in asked
        if {shown.session_id, shown.token_id} & valid
        and (role := roles.get(shown.user_id)) is not None
        and (role == "admin" or (project_id, shown.user_id) in members)
    }


def require_session(user: CurrentUser) -> None:
    if user.session_id is None:
        raise Forbidden(
            "An API token cannot do this: accounts, people and tokens are looked after by somebody who is signed in.",
            code="needs_session",
        )


def require_write(user: CurrentUser) -> None:
    if user.scope != "write":
        raise Forbidden("This API token only reads: make one of scope write.", code="needs_write")


def may_manage(user: CurrentUser, role: str) -> bool:
    """Whether they may make, invite, change or disable somebody of this role."""
    return user.is_admin or (user.role == "manager" and role in MANAGED)


def require_admin(user: CurrentUser, *, instead: str) -> None:
    """``instead``: what others may do."""
    if not user.is_admin:
        raise Forbidden(f"Only an admin can do this: {instead}.")


def require_manager(user: CurrentUser) -> None:
    if user.role not in {"admin", "manager"}:
        raise Forbidden("Only an admin or a manager can do this.")


def require_managed(user: CurrentUser, role: str) -> None:
    """To look after somebody who has this role."""
    require_manager(user)
    if not may_manage(user, role):
        raise Forbidden("A manager looks after engineers and viewers: ask an admin.")


def require_new_role(user: CurrentUser, user_id: UUID, role: str) -> None:
    """To give this role to somebody whom they look after."""
    if user_id == user.id:
        raise Forbidden("Nobody changes their own role: ask another admin.", code="yourself")
    if not may_manage(user, role):
        raise Forbidden("A manager can make people engineers and viewers: ask an admin.")


def require_somebody_else(user: CurrentUser, user_id: UUID) -> None:
    """To disable them."""
    if user_id == user.id:
        raise Forbidden("Nobody disables themselves: ask another admin.", code="yourself")


def require_invited(user: CurrentUser, email: str | None) -> None:
    """An invitation that names an address is for that one; any other is for whoever has its link."""
    if email not in {None, user.email}:
        raise Forbidden("This invitation is for another address: sign in with that one.")


def require_maker(user: CurrentUser) -> None:
    """To make a project, which its maker owns."""
    if CEILING[user.role] < RANK["owner"]:
        raise Forbidden("Your role is viewer: ask an admin to make the project for you.")


def require_quota_of(user: CurrentUser, user_id: UUID) -> None:
    """One's own, and for admins and managers anybody's."""
    if user_id != user.id and user.role not in {"admin", "manager"}:
        raise NotFound("There is no such user.")


def require_own(user: CurrentUser, user_id: UUID, what: str) -> None:
    """What is one person's alone, a conversation, does not exist for others, admins included."""
    if user_id != user.id:
        raise NotFound(f"There is no such {what}.")


def require_own_job(trainer: Callback, job_id: UUID) -> None:
    """A trainer's token is for its attempt's job and no other."""
    if trainer.job_id != job_id:
        raise Forbidden("This token belongs to another job.")


async def require_invitation(session: AsyncSession, user: CurrentUser, role: str, project_id: UUID | None) -> None:
    """Of somebody with this role, into this project if it is one."""
    if project_id is not None:
        await require_project(session, user, project_id, at_least="owner")
    if not may_manage(user, role) and (project_id is None or role not in MANAGED):
        raise Forbidden(
            "Admins invite anybody, managers engineers and viewers; others invite engineers and viewers into projects "
            "that they own."
        )


def invitation_filter(user: CurrentUser) -> ColumnElement[bool]:
    """Those that one may see and take back: one's own, and those of people whom one manages."""
    if user.is_admin:
        return true()
    own = Invitation.invited_by == user.id
    return or_(own, Invitation.role.in_(MANAGED)) if user.role == "manager" else own


async def may_see(session: AsyncSession, user: CurrentUser, project_id: UUID) -> bool:
    return await _rank(session, user, project_id) > 0


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


async def audit_filter(session: AsyncSession, user: CurrentUser, project_id: UUID | None) -> ColumnElement[bool]:
    """Which entries of the audit one may see: admins all, also of projects that are gone; owners those of their
    projects."""
    if project_id is not None and not user.is_admin:
        await require_project(session, user, project_id, at_least="owner")
    if project_id is not None or user.is_admin:
        return AuditEntry.project_id == project_id if project_id is not None else true()
    owned = select(ProjectMember.project_id).where(ProjectMember.user_id == user.id, ProjectMember.role == "owner")
    if CEILING[user.role] < RANK["owner"] or await session.scalar(owned.limit(1)) is None:
        raise Forbidden("This is for admins, and for owners of projects.")
    return AuditEntry.project_id.in_(owned)


async def my_projects(session: AsyncSession, user: CurrentUser) -> list[tuple[Project, ProjectRole]]:
    """With the role they act in: for a viewer never more than a reader's; an admin sees all and acts as owner.
    First stands the one where things go when none is named (``default_project``)."""
    if user.is_admin:
        mine = and_(
            ProjectMember.project_id == Project.id, ProjectMember.user_id == user.id, ProjectMember.role != "reader"
        )
        query = select(Project).outerjoin(ProjectMember, mine)
        return [
            (p, "owner") for p in await session.scalars(query.order_by(ProjectMember.user_id.is_(None), Project.id))
        ]
    rows = await session.execute(
        select(Project, ProjectMember.role)
        .join(ProjectMember, ProjectMember.project_id == Project.id)
        .where(ProjectMember.user_id == user.id)
        .order_by(Project.id)
    )
    return [(project, _acting(role, user)) for project, role in rows]


_WHO = (User.id, User.email, User.name, User.role, User.disabled_at)
_WHO_BY_SESSION = (
    select(*_WHO).join(Session, Session.user_id == User.id).where(Session.id == bindparam("id", type_=Uuid()))
)


async def _by_api_token(session: AsyncSession, which: ColumnElement[bool], ip: str) -> CurrentUser:
    token = (ApiToken.id.label("token_id"), ApiToken.name.label("token_name"), ApiToken.scope, ApiToken.expires_at)
    query: Any = select(*_WHO, *token)
    row = (await session.execute(query.join(ApiToken, ApiToken.user_id == User.id).where(which))).one_or_none()
    if row is None:
        raise Unauthorised("This API token is not valid: it may have been deleted.", code="token_invalid")
    if row.expires_at is not None and row.expires_at <= utcnow():
        raise Unauthorised("This API token has expired: make a new one.", code="token_expired")
    return _current(row, Credential(row.id, token_id=row.token_id), row.scope, row.token_name, ip)


def _current(row: Any, shown: Credential, scope: str, token_name: str | None, ip: str) -> CurrentUser:
    if row.disabled_at is not None:
        raise Unauthorised("This account is disabled: ask an admin.", code="account_disabled")
    return CurrentUser(row.id, row.email, row.name, row.role, shown, scope, token_name, ip)


def _acting(role: str, user: CurrentUser) -> ProjectRole:
    """The lesser of the two."""
    rank = min(RANK[role], CEILING[user.role])
    roles: dict[int, Any] = {number: name for name, number in RANK.items()}
    return cast(ProjectRole, roles[rank])


async def _rank(session: AsyncSession, user: CurrentUser, project_id: UUID) -> int:
    if user.is_admin:
        return RANK["owner"] if await session.get(Project, project_id) is not None else 0
    member = await session.get(ProjectMember, (project_id, user.id))
    return min(RANK[member.role], CEILING[user.role]) if member is not None else 0
