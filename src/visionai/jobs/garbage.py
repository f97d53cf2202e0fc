"""Freeing what nobody can see any more: first the object, then the row that names it, so that none is forgotten."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import and_, delete, or_, select, update

from visionai.db import Database
from visionai.jobs.tables import Artifact, Attempt, Job
from visionai.storage import keys
from visionai.storage.base import Storage


async def free_artifacts(db: Database, storage: Storage, job_id: UUID | None = None) -> int:
    """Of one job, or of all: what was superseded and not pinned, and what an attempt that is over never completed."""
    unfinished = and_(Artifact.completed_at.is_(None), Attempt.released_at.is_not(None))
    query = (
        select(Artifact.id, Artifact.storage_key)
        .join(Attempt, and_(Attempt.job_id == Artifact.job_id, Attempt.number == Artifact.attempt))
        .where(or_(and_(Artifact.superseded, Artifact.pinned.is_(False)), unfinished))
    )
    async with db.read() as session:
        found = (await session.execute(query.where(Artifact.job_id == job_id) if job_id else query)).all()
    for artifact_id, key in found:
        await storage.delete(keys.incoming(artifact_id))
        await storage.delete(key)
        async with db.write() as session:
            await session.execute(delete(Artifact).where(Artifact.id == artifact_id))
    return len(found)


async def free_deleted_jobs(db: Database, storage: Storage) -> int:
    """Deleted jobs whose last process is gone, with all that was reported of them."""
    at_work = select(Attempt.job_id).where(Attempt.released_at.is_(None))
    async with db.read() as session:
        query = select(Job.id).where(Job.deleted_at.is_not(None), Job.id.not_in(at_work))
        found = list(await session.scalars(query))
    for job_id in found:
        await storage.delete_prefix(keys.job_checkpoints(job_id))
        async with db.write() as session:
            await session.execute(update(Job).where(Job.parent_job_id == job_id).values(parent_job_id=None))
            await session.execute(delete(Job).where(Job.id == job_id))
    return len(found)
