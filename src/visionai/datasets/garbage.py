"""Freeing what a deleted data set holds: first the objects, then the rows that name them, so that none is forgotten.

An image's bytes may serve several data sets of a project: they go only when no other one names them, and while no
import of that project is at work, since that might be about to name them again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import Select, delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.datasets.tables import Dataset, DatasetImage, DatasetVersion
from visionai.db import Database
from visionai.operations.queries import ACTIVE
from visionai.operations.tables import Operation
from visionai.storage import keys
from visionai.storage.base import Storage

log = structlog.get_logger()

ROWS = 200  # images in one transaction: some 15 ms, so that no heartbeat waits long


async def free_deleted(db: Database, storage: Storage, now: datetime) -> int:
    """Free every deleted data set that nothing works on any more. How many there were; may be broken off anywhere.

    Their versions stay as rows without files: a job that has ended still says what it was trained on.
    """
    async with db.read() as session:
        found = (await session.execute(_freeable())).all()
    for dataset_id, project_id in found:
        await storage.delete_prefix(keys.dataset(dataset_id))
        await remove_images(db, storage, dataset_id, project_id)
        async with db.write() as session:
            await session.execute(
                update(DatasetVersion).where(DatasetVersion.dataset_id == dataset_id).values(files=[])
            )
            await session.execute(update(Dataset).where(Dataset.id == dataset_id).values(freed_at=now))
        log.info("dataset_freed", dataset=str(dataset_id))
    return len(found)


async def remove_images(db: Database, storage: Storage, dataset_id: UUID, project_id: UUID) -> None:
    """The images of all versions of a data set, in short transactions."""
    async with db.read() as session:
        versions = list(await session.scalars(select(DatasetVersion.id).where(DatasetVersion.dataset_id == dataset_id)))
    for version_id in versions:
        while True:
            async with db.read() as session:
                some = (await session.execute(
                    select(DatasetImage.n, DatasetImage.sha256)
                    .where(DatasetImage.version_id == version_id).order_by(DatasetImage.n).limit(ROWS)
                )).all()  # fmt: skip
            if not some:
                break
            await remove_blobs(db, storage, project_id, {image.sha256 for image in some}, but=dataset_id)
            async with db.write() as session:
                await session.execute(
                    delete(DatasetImage).where(
                        DatasetImage.version_id == version_id, DatasetImage.n.between(some[0].n, some[-1].n)
                    )
                )


async def remove_blobs(db: Database, storage: Storage, project_id: UUID, hashes: Iterable[str], *, but: UUID) -> None:
    """Those of these bytes that no data set of the project names, ``but`` aside."""
    wanted = set(hashes)
    async with db.read() as session:
        used = set(await session.scalars(
            select(DatasetImage.sha256)
            .join(DatasetVersion, DatasetVersion.id == DatasetImage.version_id)
            .where(
                DatasetImage.sha256.in_(wanted), DatasetVersion.project_id == project_id,
                DatasetVersion.dataset_id != but,
            )
        ))  # fmt: skip
    for sha256 in wanted - used:
        await storage.delete(keys.blob(project_id, sha256))


async def others_at_work(session: AsyncSession, project_id: UUID, *, but: UUID | None) -> bool:
    """Whether an operation on another data set of this project may be naming bytes just now."""
    found = await session.scalar(
        select(func.count()).select_from(Operation).where(
            Operation.project_id == project_id, Operation.status.in_(ACTIVE), Operation.subject_id != but
        )
    )  # fmt: skip
    return bool(found)


def _freeable() -> Select[UUID, UUID]:
    unfinished = or_(Operation.status.in_(ACTIVE), Operation.launch_id.is_not(None))
    return select(Dataset.id, Dataset.project_id).where(
        Dataset.deleted_at.is_not(None), Dataset.freed_at.is_(None), Dataset.status != "uploading",
        ~exists().where(Operation.subject_id == Dataset.id, unfinished),
        ~exists().where(Operation.project_id == Dataset.project_id, Operation.status.in_(ACTIVE)),
    )  # fmt: skip
