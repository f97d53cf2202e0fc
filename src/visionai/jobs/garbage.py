"""Freeing artifacts that nobody can see any more: first the object, then its row, so that no object is forgotten."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import and_, delete, or_, select

from visionai.db import Database
from visionai.jobs.tables import Artifact, Attempt
from visionai.storage.base import Storage


async def free_artifacts(db: Database, storage: Storage, job_id: UUID | None = None) -> int:
    """Of one job, or of all: what was superseded, and what an attempt that is over never completed."""
    unfinished = and_(Artifact.completed_at.is_(None), Attempt.released_at.is_not(None))
    query = (
        select(Artifact.id, Artifact.storage_key)
        .join(Attempt, and_(Attempt.job_id == Artifact.job_id, Attempt.number == Artifact.attempt))
        .where(or_(Artifact.superseded, unfinished))
    )
    async with db.read() as session:
        found = (await session.execute(query.where(Artifact.job_id == job_id) if job_id else query)).all()
    for artifact_id, key in found:
        await storage.delete(key)
        async with db.write() as session:
            await session.execute(delete(Artifact).where(Artifact.id == artifact_id))
    return len(found)
