"""What has had its time: answers to repeats, sessions, links."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete

from visionai.db import Database
from visionai.identity.tables import IdempotencyKey, Invitation, PasswordReset, Session

IDEMPOTENCY_KEPT = timedelta(days=1)


async def forget_expired(db: Database, now: datetime) -> None:
    async with db.write() as session:
        await session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < now - IDEMPOTENCY_KEPT))
        for table in (Session, PasswordReset, Invitation):
            await session.execute(delete(table).where(table.expires_at < now))
