"""Other people's accounts: looking after them, and the link with which somebody sets a new password."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.db import Database, utcnow
from visionai.errors import Conflict, NotFound, Unauthorised
from visionai.identity import audit, passwords, sessions, tokens
from visionai.identity.access import (
    CurrentUser,
    Role,
    require_managed,
    require_manager,
    require_new_role,
    require_somebody_else,
)
from visionai.identity.sessions import Client, SignedIn
from visionai.identity.tables import PasswordReset, User
from visionai.settings import Settings

log = structlog.get_logger()

RESET_LIFE = timedelta(hours=24)


class Change(msgspec.Struct, kw_only=True):
    """What is None stays as it is."""

    name: str | None = None
    role: Role | None = None
    disabled: bool | None = None


class Link(msgspec.Struct):
    token: str
    expires_at: datetime


async def page(session: AsyncSession, user: CurrentUser, *, after: UUID | None, limit: int) -> list[User]:
    """The oldest accounts first."""
    require_manager(user)
    query = select(User).order_by(User.id).limit(limit)
    return list(await session.scalars(query.where(User.id > after) if after is not None else query))


async def change(session: AsyncSession, user: CurrentUser, user_id: UUID, change: Change) -> User:
    """Raises Conflict ``last_admin`` where nobody would be left to look after the others.

    A new role voids the link to a new password: who may make one for an engineer may not for an admin.
    """
    changed = await _managed(session, user, user_id)
    before = (changed.role, changed.disabled_at is not None, changed.name)
    if change.role is not None and change.role != changed.role:
        require_new_role(user, user_id, change.role)
        await _keep_an_admin(session, changed)
        changed.role = change.role
        await forget_reset(session, user_id)
    if change.disabled is not None and change.disabled != (changed.disabled_at is not None):
        require_somebody_else(user, user_id)
        if change.disabled:
            await _keep_an_admin(session, changed)
            await sessions.end_all(session, user_id)
            await forget_reset(session, user_id)
        changed.disabled_at = utcnow() if change.disabled else None
    if change.name is not None:
        changed.name = change.name
    role, disabled, name = zip(before, (changed.role, changed.disabled_at is not None, changed.name), strict=True)
    target = ("user", user_id, changed.email)
    ability: audit.Action = "user.disabled" if changed.disabled_at is not None else "user.enabled"
    audit.record_change(session, user.actor, "user.role_changed", target, audit.changed(role=role))
    audit.record_change(session, user.actor, ability, target, audit.changed(disabled=disabled))
    audit.record_change(session, user.actor, "user.renamed", target, audit.changed(name=name))
    log.info("person_changed", user=str(user_id), by=str(user.id), role=changed.role, disabled=change.disabled)
    return changed


async def new_reset(session: AsyncSession, user: CurrentUser, user_id: UUID) -> Link:
    """A one-time link to a new password. An earlier one stops working."""
    person = await _managed(session, user, user_id)
    if person.disabled_at is not None:
        raise Conflict("This account is disabled: enable it first.", code="account_disabled")
    link = Link(tokens.opaque(), utcnow() + RESET_LIFE)
    await forget_reset(session, user_id)
    session.add(PasswordReset(user_id=user_id, token_hash=tokens.digest(link.token), expires_at=link.expires_at))
    audit.record(session, user.actor, "user.reset_link_made", ("user", user_id, person.email))
    log.info("reset_link_made", user=str(user_id), by=str(user.id))
    return link


async def reset(db: Database, settings: Settings, client: Client, token: str, password: str) -> SignedIn:
    """Set the password, end all sessions, sign in."""
    async with db.read() as session:
        person = await _of_reset(session, token)
    password_hash = await passwords.hashed(password, person.email, person.name)
    async with db.write() as session:
        person = await _of_reset(session, token)
        person.password_hash = password_hash
        await forget_reset(session, person.id)
        await sessions.end_all(session, person.id)
        who = audit.Actor(person.id, person.email, "link", client.ip)
        audit.record(session, who, "user.password_changed", ("user", person.id, person.email))
        return await sessions.begin(session, settings, person, client)


async def forget_reset(session: AsyncSession, user_id: UUID) -> None:
    if (earlier := await session.get(PasswordReset, user_id)) is not None:
        await session.delete(earlier)
        await session.flush()


async def _managed(session: AsyncSession, user: CurrentUser, user_id: UUID) -> User:
    require_manager(user)
    person = await session.get(User, user_id, with_for_update=True)
    if person is None:
        raise NotFound("There is no such user.")
    require_managed(user, person.role)
    return person


async def _keep_an_admin(session: AsyncSession, person: User) -> None:
    """Locks the admins' rows, so that of two who are taken away at once one stays."""
    admins = select(User.id).where(User.role == "admin", User.disabled_at.is_(None)).order_by(User.id)
    if set(await session.scalars(admins.with_for_update())) == {person.id}:
        raise Conflict("This is the only admin: make somebody else an admin first.", code="last_admin")


async def _of_reset(session: AsyncSession, token: str) -> User:
    person = await session.scalar(
        select(User).join(PasswordReset, PasswordReset.user_id == User.id)
        .where(PasswordReset.token_hash == tokens.digest(token), PasswordReset.expires_at > utcnow())
        .where(User.disabled_at.is_(None))
    )  # fmt: skip
    if person is None:
        raise Unauthorised("This link is not valid any more: ask for another one.", code="link_invalid")
    return person
