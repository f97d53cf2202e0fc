"""Accounts: the first one by the set-up link, further ones by an admin; signing in, refreshing, signing out."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Literal, TypeVar
from uuid import UUID

import argon2
import msgspec
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.db import Database, utcnow
from visionai.errors import BadInput, Conflict, Unauthorised
from visionai.identity import tokens
from visionai.identity.tables import IdempotencyKey, Project, ProjectMember, RefreshToken, SetupToken, User
from visionai.ids import uuid7
from visionai.settings import Settings

T = TypeVar("T")
Role = Literal["admin", "manager", "engineer", "viewer"]

IDEMPOTENCY_KEPT = timedelta(days=1)

_threads = ThreadPoolExecutor(2, thread_name_prefix="argon2")
_hasher = argon2.PasswordHasher()


class SignedIn(msgspec.Struct):
    user: User
    refresh_token: str


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


async def setup(db: Database, settings: Settings, token: str, email: str, password: str, name: str) -> SignedIn:
    """Make the first admin and the first project."""
    password_hash = await hashed(password)
    async with db.write() as session:
        if not await setup_needed(session):
            raise Conflict("The set-up has been done: sign in.", code="setup_done")
        used = await session.execute(
            update(SetupToken)
            .where(SetupToken.token_hash == tokens.digest(token), SetupToken.used_at.is_(None))
            .values(used_at=utcnow())
            .returning(SetupToken.id)
        )
        if used.scalar_one_or_none() is None:
            raise Unauthorised("This set-up link is not valid any more: use the one printed at the last start.")
        user = User(email=email.lower(), name=name, password_hash=password_hash, role="admin")
        session.add(user)
        await session.flush()
        await add_project(session, user.id, "My project")
        return await _sign_in(session, settings, user)


async def login(db: Database, settings: Settings, email: str, password: str) -> SignedIn:
    async with db.read() as session:
        user = await session.scalar(select(User).where(User.email == email.lower()))
    if not await _in_own_thread(_fits, user.password_hash if user else None, password) or user is None:
        raise Unauthorised("This address and password do not fit together.", code="wrong_credentials")
    if user.disabled_at is not None:
        raise Unauthorised("This account is disabled: ask an admin.", code="account_disabled")
    async with db.write() as session:
        return await _sign_in(session, settings, user)


async def refresh(db: Database, settings: Settings, token: str) -> SignedIn:
    """Trade a refresh token for the next one. One that was used before ends its whole family: it was stolen."""
    async with db.write() as session:
        row = await session.scalar(select(RefreshToken).where(RefreshToken.token_hash == tokens.digest(token)))
        stolen = row is not None and row.used_at is not None and row.revoked_at is None
        if row is not None and stolen:
            await _end_family(session, row.family_id)
        elif row is not None and row.revoked_at is None and row.expires_at > utcnow():
            user = await session.get_one(User, row.user_id)
            if user.disabled_at is None:
                row.used_at = utcnow()
                return await _sign_in(session, settings, user, row.family_id)
    raise Unauthorised("Your session has ended: sign in again.", code="session_ended")


async def logout(db: Database, token: str) -> None:
    async with db.write() as session:
        row = await session.scalar(select(RefreshToken).where(RefreshToken.token_hash == tokens.digest(token)))
        if row is not None:
            await _end_family(session, row.family_id)


async def hashed(password: str) -> str:
    return await _in_own_thread(_hasher.hash, password)


async def add_user(session: AsyncSession, email: str, password_hash: str, role: Role, name: str) -> User:
    """A further user, with a project of their own."""
    if await session.scalar(select(User.id).where(User.email == email.lower())) is not None:
        raise BadInput.field("email", "there is a user with this address already")
    user = User(email=email.lower(), name=name, password_hash=password_hash, role=role)
    session.add(user)
    await session.flush()
    await add_project(session, user.id, "My project")
    return user


async def add_project(session: AsyncSession, user_id: UUID, name: str) -> Project:
    project = Project(name=name, created_by=user_id)
    session.add(project)
    await session.flush()
    session.add(ProjectMember(project_id=project.id, user_id=user_id, role="owner"))
    return project


async def forget_old_keys(db: Database, now: datetime) -> None:
    async with db.write() as session:
        await session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < now - IDEMPOTENCY_KEPT))


async def _sign_in(session: AsyncSession, settings: Settings, user: User, family_id: UUID | None = None) -> SignedIn:
    token = tokens.opaque()
    session.add(
        RefreshToken(
            family_id=family_id or uuid7(), user_id=user.id, token_hash=tokens.digest(token),
            expires_at=utcnow() + timedelta(seconds=settings.refresh_token_seconds),
        )
    )  # fmt: skip
    return SignedIn(user, token)


async def _end_family(session: AsyncSession, family_id: UUID) -> None:
    await session.execute(
        update(RefreshToken)
        .where(RefreshToken.family_id == family_id, RefreshToken.revoked_at.is_(None))
        .values(revoked_at=utcnow())
    )


async def _in_own_thread(function: Callable[..., T], *arguments: object) -> T:
    """Hashing is dear on purpose: in the threads that serve files, log-ins of strangers would stall uploads."""
    return await asyncio.get_running_loop().run_in_executor(_threads, function, *arguments)


def _fits(password_hash: str | None, password: str) -> bool:
    """Without a hash it takes as long as with one, so that nobody learns which addresses have an account."""
    nobodys = _nobodys_hash()
    try:
        return _hasher.verify(password_hash or nobodys, password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


@functools.cache
def _nobodys_hash() -> str:
    """Made at the first log-in, whoever's: 0.15 s that a start need not wait for."""
    return _hasher.hash(tokens.opaque())
