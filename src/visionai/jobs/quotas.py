"""What counts against a quota, and who may have no more.

Storage is the images of every version, archives that are on their way in, and complete files of trainings; GPU seconds
are the training time of jobs of which an attempt had a slot that is a GPU, and without a GPU they are not counted.
What was deleted counts no longer. All is looked at in the transaction that creates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.datasets.tables import Dataset, DatasetVersion
from visionai.errors import Forbidden
from visionai.identity import quotas
from visionai.identity.quotas import Allowance
from visionai.jobs import slots
from visionai.jobs.tables import Artifact, Attempt, Job

OF = {"user": "Your", "project": "The project's"}
ARRIVING = ("uploading", "processing")


class Use(msgspec.Struct, frozen=True):
    datasets: int
    storage_bytes: int
    gpu_seconds: float | None
    """None on a machine without a GPU."""
    running: int


async def use(session: AsyncSession, kind: str, subject_id: UUID) -> Use:
    datasets, jobs = (
        (Dataset.created_by, Job.created_by) if kind == "user" else (Dataset.project_id, Job.project_id)
    )  # fmt: skip
    kept = (datasets == subject_id, Dataset.deleted_at.is_(None))
    theirs = (jobs == subject_id, Job.deleted_at.is_(None))
    sizes = (
        select(func.sum(DatasetVersion.size_bytes)).join(Dataset, Dataset.id == DatasetVersion.dataset_id).where(*kept),
        select(func.sum(Dataset.upload_bytes)).where(*kept, Dataset.status.in_(ARRIVING)),
        select(func.sum(Artifact.size)).join(Job, Job.id == Artifact.job_id)
        .where(*theirs, Artifact.completed_at.is_not(None)),
    )  # fmt: skip
    held = select(func.count()).select_from(Attempt).join(Job, Job.id == Attempt.job_id)
    return Use(
        datasets=await session.scalar(select(func.count()).select_from(Dataset).where(*kept)) or 0,
        storage_bytes=sum([int(await session.scalar(query) or 0) for query in sizes]),
        gpu_seconds=await _gpu_seconds(session, *theirs),
        running=await session.scalar(held.where(jobs == subject_id, Attempt.released_at.is_(None))) or 0,
    )


async def admit_upload(session: AsyncSession, user_id: UUID, project_id: UUID, new_to: Sequence[str]) -> int | None:
    """How many bytes may come; None: no quota says. ``new_to``: whose one more data set it is, of ``user`` and
    ``project``; the others count it already. Raises Forbidden ``quota_exceeded`` where it would be one too many, or
    nothing would fit."""
    await _require(session, user_id, project_id, ("datasets", "storage_bytes"), new_to)
    rooms = []
    for kind, subject_id in (("user", user_id), ("project", project_id)):
        most = (await quotas.of(session, subject_id)).storage_bytes
        if most is not None:
            rooms.append(max(0, most - (await use(session, kind, subject_id)).storage_bytes))
    return min(rooms, default=None)


async def admit_job(session: AsyncSession, user_id: UUID, project_id: UUID) -> None:
    """Raises Forbidden likewise. How many run at once is the queue's to see to."""
    await _require(session, user_id, project_id, ("storage_bytes", "gpu_seconds"))


async def _require(
    session: AsyncSession, user_id: UUID, project_id: UUID, what: tuple[str, ...], of: Sequence[str] = tuple(OF)
) -> None:
    for kind, subject_id in (("user", user_id), ("project", project_id)):
        if kind not in of:
            continue
        allowance = await quotas.of(session, subject_id)
        if allowance == Allowance():
            continue
        used: dict[str, Any] = msgspec.structs.asdict(await use(session, kind, subject_id))
        for name in what:
            most = getattr(allowance, name)
            if most is not None and used[name] is not None and used[name] >= most:
                words = name.replace("_", " ").replace("datasets", "data sets").replace("gpu", "GPU")
                raise Forbidden(
                    f"{OF[kind]} quota of {words} is used up, {used[name]:,.0f} of {most:,}: delete what is not "
                    "needed, or ask an admin for more.",
                    code="quota_exceeded",
                )


async def _gpu_seconds(session: AsyncSession, *theirs: Any) -> float | None:
    gpus = slots.gpus()
    if gpus == 0:
        return None
    on_one = select(Attempt.job_id).where(Attempt.slot < gpus)
    return await session.scalar(select(func.sum(Job.run_seconds)).where(*theirs, Job.id.in_(on_one))) or 0.0
