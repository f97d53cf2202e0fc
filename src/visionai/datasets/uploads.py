"""The first minutes of a data set: an archive on its way in, in one request (``resumable`` takes it in several).

The row is there from the first byte on (``uploading``) and is kept alive by ``updated_at``; when the archive is stored
whole, one transaction submits the import (``processing``). What is broken off leaves neither a row nor an object:
``abandon`` sees to it at once, ``remove_abandoned`` after a server was killed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.datasets.importing import IMPORT
from visionai.datasets.tables import Dataset, DatasetUpload
from visionai.db import Database, utcnow
from visionai.errors import Conflict, TooLarge
from visionai.ids import uuid7
from visionai.operations import queries as operations
from visionai.operations.tables import Operation
from visionai.storage import keys
from visionai.storage.base import Storage

log = structlog.get_logger()

Admit = Callable[[AsyncSession, UUID, UUID, Sequence[str]], Awaitable[int | None]]
"""Of a person and a project, with those of the two that do not count the data set yet: how many bytes may come, None
for any. Raises Forbidden."""
NEW = ("user", "project")

FORMATS = ("auto", "class_folders")
ALIVE = timedelta(minutes=1)
ABANDONED = timedelta(minutes=10)


class Upload:
    """One archive that is being received: ``begin``, ``store``, then ``finish`` or ``abandon``."""

    def __init__(self, db: Database, storage: Storage, max_bytes: int, now: Callable[[], datetime] = utcnow) -> None:
        self.dataset_id, self.operation_id = uuid7(), uuid7()
        self.size = 0
        self._db, self._storage, self._max_bytes, self._now = db, storage, max_bytes, now
        self._room: int | None = None
        self._touched = now()

    async def begin(
        self, *, project_id: UUID, user_id: UUID, name: str, format_: str, admit: Admit | None = None
    ) -> None:
        """``admit`` is asked in the transaction that creates the data set."""
        async with self._db.write() as session:
            if admit is not None:
                self._room = await admit(session, user_id, project_id, NEW)
            session.add(uploading(self.dataset_id, project_id=project_id, user_id=user_id, name=name, format_=format_))

    async def store(self, chunks: AsyncIterator[bytes]) -> None:
        """Raises TooLarge beyond the limit, StorageFull without room, Conflict if it was silent for too long; nothing
        of it is stored then."""
        stat = await self._storage.put(keys.upload(self.dataset_id, self.operation_id), self._watched(chunks))
        self.size = stat.size

    async def finish(
        self, session: AsyncSession, *, project_id: UUID, user_id: UUID, name: str, format_: str,
        admit: Admit | None = None,
    ) -> Operation:  # fmt: skip
        """Fields may have come after the file, so they are given once more. Raises Conflict if it was deleted, or
        silent for too long."""
        dataset = await session.get(Dataset, self.dataset_id, with_for_update=True)
        if dataset is None:
            raise _given_up()
        if admit is not None:  # once more: others came meanwhile, or another project was named after the file
            new_to = () if dataset.project_id == project_id else ("project",)
            self._room = await admit(session, user_id, project_id, new_to)
            self._refuse_more(self.size)
        dataset.project_id, dataset.name, dataset.format = project_id, name, format_
        dataset.upload_bytes = self.size
        return await begin_import(session, dataset, self.operation_id, user_id)

    async def abandon(self) -> None:
        async with self._db.read() as session:
            dataset = await session.get(Dataset, self.dataset_id)
        if dataset is not None and dataset.status != "uploading":
            return  # it had been taken over before its sender went away
        await self._storage.delete_prefix(keys.dataset(self.dataset_id))
        async with self._db.write() as session:
            await session.execute(delete(Dataset).where(Dataset.id == self.dataset_id, Dataset.status == "uploading"))

    async def _watched(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        received = 0
        async for chunk in chunks:
            received += len(chunk)
            self._refuse_more(received)
            if self._now() - self._touched > ALIVE:
                await self._touch()
            yield chunk

    def _refuse_more(self, received: int) -> None:
        if received > self._max_bytes:
            raise too_large(self._max_bytes)
        refuse_beyond(self._room, received)

    async def _touch(self) -> None:
        self._touched = self._now()
        async with self._db.write() as session:
            still_there = await session.scalar(
                update(Dataset)
                .where(Dataset.id == self.dataset_id)
                .values(updated_at=self._touched)
                .returning(Dataset.id)
            )
        if still_there is None:
            raise _given_up()


def uploading(dataset_id: UUID, *, project_id: UUID, user_id: UUID, name: str, format_: str) -> Dataset:
    return Dataset(
        id=dataset_id, project_id=project_id, created_by=user_id, name=name, format=format_, status="uploading"
    )  # fmt: skip


async def begin_import(session: AsyncSession, dataset: Dataset, operation_id: UUID, user_id: UUID) -> Operation:
    """Of an archive that is there as ``keys.upload``. Raises Conflict if the data set was deleted."""
    if dataset.deleted_at is not None:
        raise Conflict("The data set was deleted while it was being uploaded.", code="dataset_deleted")
    dataset.status = "processing"
    return await operations.submit(
        session, IMPORT.name, project_id=dataset.project_id, user_id=user_id, subject_id=dataset.id,
        operation_id=operation_id,
    )  # fmt: skip


def too_large(most: int) -> TooLarge:
    return TooLarge(f"One upload may have {most:,} bytes: split the archive.")


def refuse_beyond(room: int | None, size: int) -> None:
    """Raises TooLarge where a quota has not so much ``room`` (None: there is none)."""
    if room is not None and size > room:
        raise TooLarge(
            f"The storage quota has room for {room:,} bytes: delete what is not needed, or ask an admin for more.",
            code="quota_exceeded",
        )


def _given_up() -> Conflict:
    minutes = int(ABANDONED.total_seconds() // 60)
    return Conflict(
        f"Nothing came for {minutes} minutes, so this upload was given up: upload it again.", code="upload_abandoned"
    )


async def remove_abandoned(db: Database, storage: Storage, now: datetime) -> int:
    """Uploads (in one request) whose server was killed, or whose sender has been silent for as long. How many."""
    async with db.read() as session:
        silent = list(await session.scalars(
            select(Dataset.id).where(
                Dataset.status == "uploading", Dataset.updated_at < now - ABANDONED,
                ~exists().where(DatasetUpload.dataset_id == Dataset.id),
            )
        ))  # fmt: skip
    for dataset_id in silent:
        await storage.delete_prefix(keys.dataset(dataset_id))
        async with db.write() as session:
            await session.execute(delete(Dataset).where(Dataset.id == dataset_id, Dataset.status == "uploading"))
        log.info("upload_abandoned", dataset=str(dataset_id))
    return len(silent)
