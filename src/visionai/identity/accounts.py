"""Accounts: the first one by the set-up link, further ones by an admin or an invitation; signing in, one's own data."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.db import Database, utcnow
from visionai.errors import BadInput, Conflict, Unauthorised
from visionai.identity import passwords, sessions, tokens
from visionai.identity.access import CurrentUser, Role
from visionai.identity.audit import Actor, changed, record, record_change
from visionai.identity.projects import add_project
from visionai.identity.sessions import Client, SignedIn
from visionai.identity.tables import PasswordReset, SetupToken, User
from visionai.settings import Settings


async def setup_needed(session: AsyncSession) -> bool:
    return (await session.scalar(select(func.count()).select_from(User))) == 0


async def new_setup_token(db: Database) -> str | None:
    """A fresh one-time token while there is no user; None afterwards. Earlier ones stop working."""
    async with db.write() as session:
        if not await setup_needed(session):
            return None
        await session.execute(update(SetupToken).values(used_at=utcnow()))
        token = tokens.opaque()
        session.add(SetupToken(token_hash=tokens.digest(token)))
        return token


async def setup(
    db: Database, settings: Settings, client: Client, token: str, email: str, password: str, name: str
) -> SignedIn:
    """Make the first admin and the first project. Only with a good link is the password judged, which takes long."""
    unused = (SetupToken.token_hash == tokens.digest(token), SetupToken.used_at.is_(None))
    async with db.read() as session:
        await _require_link(session, await session.scalar(select(SetupToken.id).where(*unused)))
    password_hash = await passwords.hashed(password, email, name)
    async with db.write() as session:
        use = update(SetupToken).where(*unused).values(used_at=utcnow()).returning(SetupToken.id)
        await _require_link(session, await session.scalar(use))
        user = await add_user(session, email, password_hash, "admin", name)
        who = Actor(user.id, user.email, "setup", client.ip)
        record(session, who, "user.created", ("user", user.id, user.email), role="admin")
        return await sessions.begin(session, settings, user, client)


async def _require_link(session: AsyncSession, link_id: UUID | None) -> None:
    if not await setup_needed(session):
        raise Conflict("The set-up has been done: sign in.", code="setup_done")
    if link_id is None:
        raise Unauthorised("This set-up link is not valid any more: use the one printed at the last start.")


async def login(db: Database, settings: Settings, client: Client, email: str, password: str) -> SignedIn:
    async with db.read() as session:
        user = await session.scalar(select(User).where(User.email == email.lower()))
    try:
        if not await passwords.fits(user.password_hash if user else None, password) or user is None:
            raise Unauthorised("This address and password do not fit together.", code="wrong_credentials")
        async with db.write() as session:
            begun = await sessions.begin(session, settings, await _unchanged(session, user), client)
            who = Actor(user.id, user.email, "session", client.ip)
            record(session, who, "session.signed_in", ("session", begun.session_id, ""))
            return begun
    except Unauthorised as e:
        await _refused(db, client, user, e.code)
        raise


async def add_user(session: AsyncSession, email: str, password_hash: str, role: Role, name: str) -> User:
    """With a project of their own, which bears their name: an admin sees everybody's."""
    if await session.scalar(select(User.id).where(User.email == email.lower())) is not None:
        raise BadInput.field("email", "there is a user with this address already")
    user = User(email=email.lower(), name=name, password_hash=password_hash, role=role)
    session.add(user)
    await session.flush()
    await add_project(session, user.id, f"{(name or email.partition('@')[0])[:180]}'s project")
    return user


async def confirmed(db: Database, user: CurrentUser, password: str) -> User:
    """Once more, by their password. Raises BadInput."""
    async with db.read() as session:
        row = await session.get_one(User, user.id)
    if not await passwords.fits(row.password_hash, password):
        async with db.write() as session:
            record(session, user.actor, "user.password_refused", ("user", user.id, user.email))
        raise BadInput.field("current", "is not your present password")
    return row


async def change_password(db: Database, who: Actor, user: User, new: str, *, but: UUID | None) -> None:
    """It ends all sessions of this person ``but`` one, and whatever link to a new password there is."""
    password_hash = await passwords.hashed(new, user.email, user.name, field="new")
    async with db.write() as session:
        (await _unchanged(session, user)).password_hash = password_hash
        await sessions.end_all(session, user.id, but=but)
        if (reset := await session.get(PasswordReset, user.id)) is not None:
            await session.delete(reset)
        record(session, who, "user.password_changed", ("user", user.id, user.email))


async def rename(session: AsyncSession, user: CurrentUser, name: str) -> User:
    row = await session.get_one(User, user.id)
    record_change(session, user.actor, "user.renamed", ("user", row.id, row.email), changed(name=(row.name, name)))
    row.name = name
    return row


async def _refused(db: Database, client: Client, user: User | None, why: str) -> None:
    """Also where there is no such account, so that it takes as long; what was typed is kept nowhere then, as it may be
    a password in the wrong place."""
    who = Actor(user.id if user else None, user.email if user else "", "session", client.ip)
    async with db.write() as session:
        record(session, who, "session.refused", ("user", who.user_id, who.address), why=why)


async def _unchanged(session: AsyncSession, seen: User) -> User:
    """As it is now. A password that was changed, or an account that was disabled, while the hash of the old one was
    being compared lets nobody in."""
    user = await session.get(User, seen.id)
    if user is None or user.password_hash != seen.password_hash:
        raise Unauthorised("This address and password do not fit together.", code="wrong_credentials")
    if user.disabled_at is not None:
        raise Unauthorised("This account is disabled: ask an admin.", code="account_disabled")
    return user
