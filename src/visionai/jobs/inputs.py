"""What a trainer is to fetch: the data set's files, and the checkpoint to go on from, each with a fresh signed URL."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from visionai.datasets.tables import DatasetVersion
from visionai.identity.tokens import Callback
from visionai.jobs import reports
from visionai.jobs.artifacts import URL_SECONDS
from visionai.jobs.tables import Artifact, Job
from visionai.storage.base import Storage
from visionai.trainers.contract import InputDataset, InputFile, Inputs


async def inputs(session: AsyncSession, storage: Storage, base_url: str, who: Callback) -> Inputs:
    """Raises AttemptEnded when the attempt is over."""
    attempt = await reports.attempt_of(session, who)
    job = await session.get_one(Job, who.job_id)
    reports.refuse_ended(job, attempt)
    version = await session.get_one(DatasetVersion, job.dataset_version_id)

    def signed(file: dict[str, Any]) -> InputFile:
        url = storage.sign("GET", file["key"], expires_in=URL_SECONDS, base_url=base_url)
        return InputFile(name=file["name"], kind=file["kind"], url=url, size=file["size"], sha256=file["sha256"])

    files = [signed(f) for f in version.files]
    if attempt.resume_artifact_id is not None:
        checkpoint = await session.get(Artifact, attempt.resume_artifact_id)
        if checkpoint is not None and not checkpoint.superseded:  # else this attempt has replaced it by a later one
            files.append(
                signed(
                    {"name": checkpoint.name, "kind": "checkpoint", "key": checkpoint.storage_key,
                     "size": checkpoint.size, "sha256": checkpoint.sha256}
                )
            )  # fmt: skip
    return Inputs(
        job_id=str(job.id), attempt=attempt.number, resume_epoch=attempt.resume_epoch, files=files,
        dataset=InputDataset(
            id=str(version.dataset_id), version=str(version.id), content_hash=version.content_hash,
            classes=[c["name"] for c in version.classes], image_count=version.image_count,
        ),
    )  # fmt: skip
