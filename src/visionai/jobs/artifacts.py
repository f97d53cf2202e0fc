"""A job's files: announced, uploaded by a signed URL, and visible once their bytes were checked."""

from __future__ import annotations

import contextlib
import re
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from visionai import failpoints
from visionai.db import Database, utcnow
from visionai.errors import BadInput, Conflict, NotFound
from visionai.identity.tokens import Callback
from visionai.ids import uuid7
from visionai.jobs import events, reports
from visionai.jobs.garbage import free_artifacts
from visionai.jobs.tables import Artifact, Attempt, Job
from visionai.storage import keys
from visionai.storage.base import Storage
from visionai.trainers import contract

URL_SECONDS = 3600.0
KEPT_ONCE = ("checkpoint_last", "checkpoint_best")


def announce(body: contract.ArtifactRequest, storage: Storage, base_url: str) -> reports.Take:
    """Write down what is to come, and say where to put it. Asked again for the same file, the same artifact."""

    async def apply(session: AsyncSession, job: Job, attempt: Attempt) -> reports.Answer:
        artifact = await session.scalar(
            select(Artifact).where(
                Artifact.job_id == job.id, Artifact.attempt == attempt.number, Artifact.kind == body.kind,
                Artifact.name == body.name, Artifact.sha256 == body.sha256, Artifact.size == body.size,
                Artifact.epoch == body.epoch,
            )
        )  # fmt: skip
        if artifact is None:
            artifact_id = uuid7()
            artifact = Artifact(
                id=artifact_id, job_id=job.id, project_id=job.project_id, attempt=attempt.number, kind=body.kind,
                name=body.name, size=body.size, sha256=body.sha256, epoch=body.epoch,
                storage_key=keys.checkpoint(job.id, attempt.number, artifact_id),
            )  # fmt: skip
            session.add(artifact)
        return reports.Answer(201, ticket(artifact, storage, base_url))

    return reports.Take("artifacts", apply)  # without its number: a repeat is to get fresh URLs


def ticket(artifact: Artifact, storage: Storage, base_url: str) -> dict[str, object]:
    key = keys.incoming(artifact.id)
    url = storage.sign("PUT", key, expires_in=URL_SECONDS, base_url=base_url, size=artifact.size)
    upload = {"url": url, "method": "PUT", "headers": {}, "offset": 0, "length": artifact.size}
    return {"id": str(artifact.id), "uploads": [upload]}


async def complete(db: Database, storage: Storage, who: Callback, artifact_id: UUID) -> None:
    """Check what has arrived and make it visible. Doing it again changes nothing.

    Raises BadInput ``artifact_mismatch`` if size or SHA-256 differ: upload it again.
    """
    async with db.read() as session:
        attempt = await reports.attempt_of(session, who)
        artifact = await session.get(Artifact, artifact_id)
        job = await session.get_one(Job, who.job_id)
    if artifact is None or artifact.job_id != who.job_id or artifact.attempt != who.attempt:
        raise NotFound("There is no such artifact of this attempt.")
    if artifact.completed_at is not None:
        await storage.delete(keys.incoming(artifact_id))  # it was announced, and sent, once more
        return
    reports.refuse_ended(job, attempt)
    with contextlib.suppress(NotFound):  # moved by an earlier call that was broken off
        await storage.move(keys.incoming(artifact_id), artifact.storage_key)
    failpoints.reach("artifact.moved")
    stat = await storage.stat(artifact.storage_key)
    if stat is None:
        raise Conflict("Nothing has been uploaded yet.", code="artifact_missing")
    if stat.size != artifact.size or await storage.sha256(artifact.storage_key) != artifact.sha256:
        await storage.delete(artifact.storage_key)
        raise BadInput.field("sha256", "the bytes that arrived are not those announced: upload them again")
    async with db.write() as session:
        attempt = await reports.attempt_of(session, who)
        job = await session.get_one(Job, who.job_id, with_for_update=True)
        reports.refuse_ended(job, attempt)
        artifact = await session.get_one(Artifact, artifact_id)
        artifact.completed_at = utcnow()
        await session.flush()
        await _supersede_older(session, job)
        data = {"id": str(artifact.id), "kind": artifact.kind, "name": artifact.name, "size": artifact.size}
        events.emit(session, job, "artifact", data)
    failpoints.reach("artifact.completed")
    await free_artifacts(db, storage, who.job_id)


async def _supersede_older(session: AsyncSession, job: Job) -> None:
    """Keep the newest last and the newest best checkpoint; while an attempt that is lost now would go on from before
    that best one, the best one until there; and what its policy and people want kept."""
    rows = await session.scalars(
        select(Artifact)
        .where(
            Artifact.job_id == job.id, Artifact.kind.in_(KEPT_ONCE), Artifact.completed_at.is_not(None),
            Artifact.superseded.is_(False),
        )
        .order_by(Artifact.completed_at.desc(), Artifact.id.desc())
    )  # fmt: skip
    by_kind: dict[str, list[Artifact]] = {kind: [] for kind in KEPT_ONCE}
    for row in rows:
        by_kind[row.kind].append(row)
    lasts, bests = by_kind["checkpoint_last"], by_kind["checkpoint_best"]
    resumed_from = (lasts[0].epoch or 0) if lasts else 0
    fallback = next((row for row in bests if (row.epoch or 0) <= resumed_from), None)
    kept = _first_of_each_period(lasts, job.keep_every)
    for row in (*(row for row in lasts[1:] if row not in kept), *(row for row in bests[1:] if row is not fallback)):
        row.superseded = True


def _first_of_each_period(lasts: list[Artifact], every: int | None) -> list[Artifact]:
    """Of every so many epochs the first that was saved; the first period begins with that many epochs done."""
    if every is None:
        return []
    periods: dict[int, Artifact] = {}
    for row in lasts:
        period = (row.epoch or 0) // every
        if period > 0 and (period not in periods or (row.epoch or 0) < (periods[period].epoch or 0)):
            periods[period] = row
    return list(periods.values())


async def of_job(session: AsyncSession, job_id: UUID) -> list[Artifact]:
    """Those that are visible, newest first."""
    rows = await session.scalars(
        select(Artifact)
        .where(
            Artifact.job_id == job_id, Artifact.completed_at.is_not(None),
            or_(Artifact.superseded.is_(False), Artifact.pinned),
        )
        .order_by(Artifact.id.desc())
    )  # fmt: skip
    return list(rows)


def download_name(artifact: Artifact, job: Job) -> str:
    """What the file is called where it is saved: with the job it came from, and the epoch of a checkpoint."""
    epoch = f"-epoch-{artifact.epoch}" if artifact.kind.startswith("checkpoint") and artifact.epoch else ""
    return f"{stem(job)}{epoch}-{artifact.name}"


def stem(job: Job) -> str:
    """How files of this job begin."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", job.name).strip("-.") or "job"
