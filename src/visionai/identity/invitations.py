"""Invitations: the one way in for those for whom no admin makes an account. A link is used once, within a week, and is
good only while who made it may still invite."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import msgspec
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.db import Database, utcnow
from visionai.errors import BadInput, Conflict, Forbidden, NotFound, Unauthorised
from visionai.identity import passwords, sessions, tokens
from visionai.identity.access import (
    CurrentUser,
    ProjectRole,
    Role,
    invitation_filter,
    require_invitation,
    require_invited,
)
from visionai.identity.accounts import add_user
from visionai.identity.audit import Actor, record
from visionai.identity.projects import join
from visionai.identity.sessions import Client, SignedIn
from visionai.identity.tables import Invitation, Project, User
from visionai.settings import Settings

LIFE = timedelta(days=7)
MOST = 500
"""Of one person, open at once."""


class Invited(msgspec.Struct):
    """An invitation with what it refers to."""

    row: Invitation
    by: User
    project: Project | None


async def new(
    session: AsyncSession, user: CurrentUser, *, email: str | None, role: Role, project_id: UUID | None,
    project_role: ProjectRole | None,
) -> tuple[Invited, str]:  # fmt: skip
    """With the token of its link, which nobody sees again. Raises Forbidden for who may not invite so."""
    await require_invitation(session, user, role, project_id)
    if project_id is None and project_role is not None:
        raise BadInput.field("project_role", "goes with project_id: name the project")
    if (await session.scalar(select(func.count()).where(Invitation.invited_by == user.id)) or 0) >= MOST:
        raise Conflict(f"{MOST} of your invitations are open: take some back.", code="too_many_invitations")
    token = tokens.opaque()
    row = Invitation(
        email=email.lower() if email is not None else None, role=role, project_id=project_id,
        project_role=(project_role or "editor") if project_id is not None else None,
        token_hash=tokens.digest(token), invited_by=user.id, expires_at=utcnow() + LIFE,
    )  # fmt: skip
    session.add(row)
    await session.flush()
    record(
        session, user.actor, "invitation.created", ("invitation", row.id, row.email or ""), project_id=project_id,
        role=role, project_role=row.project_role,
    )  # fmt: skip
    return await _with_all(session, row), token


async def page(session: AsyncSession, user: CurrentUser, *, before: UUID | None, limit: int) -> list[Invited]:
    """Open ones that this user may see, newest first."""
    query = select(Invitation).where(invitation_filter(user), Invitation.expires_at > utcnow())
    if before is not None:
        query = query.where(Invitation.id < before)
    rows = await session.scalars(query.order_by(Invitation.id.desc()).limit(limit))
    return [await _with_all(session, row) for row in rows.all()]


async def take_back(session: AsyncSession, user: CurrentUser, invitation_id: UUID) -> None:
    gone = await session.execute(
        delete(Invitation).where(Invitation.id == invitation_id, invitation_filter(user))
        .returning(Invitation.email, Invitation.project_id)
    )  # fmt: skip
    if (row := gone.one_or_none()) is None:
        raise NotFound("There is no such invitation: it may have been used.")
    target = ("invitation", invitation_id, row.email or "")
    record(session, user.actor, "invitation.withdrawn", target, project_id=row.project_id)


async def of_token(session: AsyncSession, token: str, *, lock: bool = False) -> Invited:
    """Raises Unauthorised for one that is used, taken back, expired, or of somebody who may invite so no longer."""
    query = select(Invitation).where(Invitation.token_hash == tokens.digest(token), Invitation.expires_at > utcnow())
    row = await session.scalar(query.with_for_update() if lock else query)
    found = await _with_all(session, row) if row is not None else None
    if found is None or found.by.disabled_at is not None or not await _may_still(session, found):
        raise Unauthorised("This invitation is not valid any more: ask for another one.", code="link_invalid")
    return found


async def accept(
    db: Database, settings: Settings, client: Client, token: str, email: str | None, name: str, password: str
) -> SignedIn:
    """Make the account, sign in. ``email`` may be left out where the invitation names it."""
    async with db.read() as session:
        address = await _new_address(session, await of_token(session, token), email)
    password_hash = await passwords.hashed(password, address, name)
    async with db.write() as session:
        found = await of_token(session, token, lock=True)
        role: Role = found.row.role  # type: ignore[assignment]  # a String column holds the literal
        await _new_address(session, found, email)
        user = await add_user(session, address, password_hash, role, name)
        await _join(session, found, user.id)
        record(
            session, Actor(user.id, user.email, "link", client.ip), "user.created", ("user", user.id, user.email),
            project_id=found.row.project_id, role=role, project_role=found.row.project_role, invited_by=found.by.email,
        )  # fmt: skip
        return await sessions.begin(session, settings, user, client)


async def accept_into_project(
    session: AsyncSession, user: CurrentUser, token: str
) -> tuple[Project, ProjectRole]:  # fmt: skip
    """By somebody who has an account, which stays as it is. Raises Conflict for who is in the project already."""
    found = await of_token(session, token, lock=True)
    if found.project is None:
        raise Conflict("This invitation is for a new account, and you have one.", code="account_exists")
    require_invited(user, found.row.email)
    await _join(session, found, user.id)
    role: ProjectRole = found.row.project_role  # type: ignore[assignment]  # likewise
    record(
        session, user.actor, "member.added", ("user", user.id, user.email), project_id=found.project.id, role=role,
        invited_by=found.by.email,
    )  # fmt: skip
    return found.project, role


async def _new_address(session: AsyncSession, found: Invited, email: str | None) -> str:
    address = found.row.email or (email.lower() if email is not None else None)
    if address is None:
        raise BadInput.field("email", "is missing: the invitation names none")
    if email is not None and email.lower() != address:
        raise BadInput.field("email", "is not the address that was invited")
    if await session.scalar(select(User.id).where(User.email == address)) is not None:
        raise Conflict(
            "There is an account with this address: sign in, and open the link again.", code="account_exists"
        )
    return address


async def _join(session: AsyncSession, found: Invited, user_id: UUID) -> None:
    if found.project is not None and found.row.project_role is not None:
        await join(session, found.project.id, user_id, found.row.project_role)
    await session.delete(found.row)


async def _may_still(session: AsyncSession, found: Invited) -> bool:
    by = CurrentUser(found.by.id, found.by.email, found.by.name, found.by.role)
    try:
        await require_invitation(session, by, found.row.role, found.row.project_id)
    except (Forbidden, NotFound):
        return False
    return True


async def _with_all(session: AsyncSession, row: Invitation) -> Invited:
    project = await session.get(Project, row.project_id) if row.project_id is not None else None
    return Invited(row, await session.get_one(User, row.invited_by), project)
