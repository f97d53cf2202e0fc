"""Sessions: one for each sign-in, kept up by refresh tokens that are traded for the next one. Ended is deleted."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.db import Database, utcnow
from visionai.errors import NotFound, Unauthorised
from visionai.identity import tokens
from visionai.identity.audit import Actor, record
from visionai.identity.tables import RefreshToken, Session, User
from visionai.settings import Settings

log = structlog.get_logger()

GRACE = timedelta(seconds=10)
MOST = 100
"""Of one person: with one more, the one that was used least lately ends."""


class Client(msgspec.Struct, frozen=True):
    """Where a request comes from, for people to recognise their own browsers by."""

    ip: str = ""
    user_agent: str = ""


class SignedIn(msgspec.Struct):
    user: User
    session_id: UUID
    refresh_token: str


async def begin(session: AsyncSession, settings: Settings, user: User, client: Client) -> SignedIn:
    begun = Session(
        user_id=user.id, ip=client.ip, user_agent=client.user_agent, expires_at=_expiry(settings, utcnow())
    )  # fmt: skip
    session.add(begun)
    await session.flush()
    latest = (
        select(Session.id).where(Session.user_id == user.id).order_by(Session.last_used_at.desc(), Session.id.desc())
    )
    await session.execute(delete(Session).where(Session.id.in_(latest.offset(MOST))))
    return SignedIn(user, begun.id, _next_token(session, begun.id))


async def refresh(db: Database, settings: Settings, token: str, client: Client) -> SignedIn:
    """Trade a refresh token for the next one. One that was used before ends its session: it was stolen.

    Unless that was within ``GRACE``: two tabs that wake together send the cookie that they share, and an answer may
    get lost. Then it gives another successor in the same session. That is safe enough: a thief would have to come
    within seconds of the owner's own use, no token that lies around somewhere is helped by it, and what the thief gets
    belongs to the session that the owner sees and ends, by signing out, by a new password or at the next reuse.
    """
    now = utcnow()
    async with db.write() as session:
        found = (
            await session.execute(
                select(RefreshToken, Session, User).join(Session, Session.id == RefreshToken.session_id)
                .join(User, User.id == Session.user_id).where(RefreshToken.token_hash == tokens.digest(token))
            )
        ).one_or_none()  # fmt: skip
        if found is not None:
            used, its, user = found
            if used.used_at is not None and abs(now - used.used_at) > GRACE:
                log.warning("refresh_token_reused", user=str(user.id), session=str(its.id), ip=client.ip)
                await end(session, user.id, its.id)
                who = Actor(user.id, user.email, "session", client.ip)
                record(session, who, "session.ended", ("session", its.id, ""), why="refresh_token_reused")
            elif its.expires_at > now and user.disabled_at is None:
                used.used_at = used.used_at or now
                its.last_used_at, its.expires_at = now, _expiry(settings, now)
                its.ip, its.user_agent = client.ip, client.user_agent
                return SignedIn(user, its.id, _next_token(session, its.id))
    raise Unauthorised("Your session has ended: sign in again.", code="session_ended")


async def logout(db: Database, token: str, client: Client) -> None:
    async with db.write() as session:
        found = (
            await session.execute(
                select(Session.id, User.id, User.email).join(RefreshToken, RefreshToken.session_id == Session.id)
                .join(User, User.id == Session.user_id).where(RefreshToken.token_hash == tokens.digest(token))
            )
        ).one_or_none()  # fmt: skip
        if found is not None:
            session_id, user_id, email = found
            await end(session, user_id, session_id)
            who = Actor(user_id, email, "session", client.ip)
            record(session, who, "session.signed_out", ("session", session_id, ""))


async def all_of(session: AsyncSession, user_id: UUID) -> list[Session]:
    """The last used one first."""
    query = select(Session).where(Session.user_id == user_id, Session.expires_at > utcnow())
    return list(await session.scalars(query.order_by(Session.last_used_at.desc(), Session.id)))


async def end(session: AsyncSession, user_id: UUID, session_id: UUID) -> None:
    """Raises NotFound, also for somebody else's."""
    ended = await session.execute(
        delete(Session).where(Session.id == session_id, Session.user_id == user_id).returning(Session.id)
    )
    if ended.scalar_one_or_none() is None:
        raise NotFound("There is no such session: it may have ended by itself.")


async def end_all(session: AsyncSession, user_id: UUID, *, but: UUID | None = None) -> None:
    query = delete(Session).where(Session.user_id == user_id)
    await session.execute(query.where(Session.id != but) if but is not None else query)


def _next_token(session: AsyncSession, session_id: UUID) -> str:
    token = tokens.opaque()
    session.add(RefreshToken(session_id=session_id, token_hash=tokens.digest(token)))
    return token


def _expiry(settings: Settings, now: datetime) -> datetime:
    return now + timedelta(seconds=settings.refresh_token_seconds)
