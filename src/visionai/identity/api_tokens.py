"""Personal API tokens, for programs: shown once, stored hashed, bound to their person's account and its role."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.db import Database, utcnow
from visionai.errors import Conflict, NotFound
from visionai.identity import tokens
from visionai.identity.access import CurrentUser, Scope
from visionai.identity.audit import record
from visionai.identity.tables import ApiToken

log = structlog.get_logger()

MOST = 100
NOTE_SECONDS = 60.0


async def new(
    session: AsyncSession, user: CurrentUser, name: str, scope: Scope, expires_in_days: int | None
) -> tuple[ApiToken, str]:
    """With the token itself, which nobody sees again."""
    if (await session.scalar(select(func.count()).where(ApiToken.user_id == user.id)) or 0) >= MOST:
        raise Conflict(f"You have {MOST} tokens: delete those that are not needed.", code="too_many_tokens")
    token = tokens.api_token()
    expires_at = utcnow() + timedelta(days=expires_in_days) if expires_in_days is not None else None
    row = ApiToken(
        user_id=user.id, name=name, scope=scope, token_hash=tokens.digest(token), expires_at=expires_at
    )  # fmt: skip
    session.add(row)
    await session.flush()
    record(session, user.actor, "token.created", ("token", row.id, name), scope=scope, expires_at=expires_at)
    return row, token


async def all_of(session: AsyncSession, user_id: UUID) -> list[ApiToken]:
    """Expired ones too, so that people see why something stopped."""
    return list(await session.scalars(select(ApiToken).where(ApiToken.user_id == user_id).order_by(ApiToken.id.desc())))


async def remove(session: AsyncSession, user: CurrentUser, token_id: UUID) -> None:
    """Raises NotFound, also for somebody else's."""
    removed = await session.execute(
        delete(ApiToken).where(ApiToken.id == token_id, ApiToken.user_id == user.id).returning(ApiToken.name)
    )
    if (name := removed.scalar_one_or_none()) is None:
        raise NotFound("There is no such token.")
    record(session, user.actor, "token.deleted", ("token", token_id, name))


class Uses:
    """When each token was used last: noted in memory and written once a minute for all of them, so that a request
    waits for no write."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._noted: dict[UUID, datetime] = {}

    def note(self, user: CurrentUser) -> None:
        if user.credential is not None and user.credential.token_id is not None:
            self._noted[user.credential.token_id] = utcnow()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(NOTE_SECONDS)
            await self.write()

    async def write(self) -> None:
        """What cannot be written is kept for the next time."""
        noted, self._noted = self._noted, {}
        if not noted:
            return
        try:
            async with self._db.write() as session:
                for token_id, used_at in noted.items():
                    await session.execute(update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=used_at))
        except Exception as e:  # whatever it is, it must not end the loop
            log.warning("token_uses_not_written", error=str(e), next="tried again")
            self._noted = {**noted, **self._noted}
