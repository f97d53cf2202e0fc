"""An archive that comes in over as many requests as it takes, each going on where the one before it broke off.

``received`` on its row is the truth: it is written after storage has every byte up to there for good, and what storage
may have beyond it counts for nothing. A request holds a lease on the row while it sends, so that two never mix; every
write names its token. With the last byte the same transaction submits the import. An upload that is given up or expired
is first put beyond reach, then removed: objects, then rows.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import structlog
from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from visionai import failpoints
from visionai.datasets import uploads
from visionai.datasets.tables import Dataset, DatasetUpload
from visionai.datasets.uploads import Admit
from visionai.db import Database, utcnow
from visionai.errors import (
    ChecksumMismatch,
    Conflict,
    Locked,
    NotFound,
    TimedOut,
    TooLarge,
    VisionAIError,
)
from visionai.identity.access import CurrentUser, require_project
from visionai.identity.audit import record
from visionai.ids import uuid7
from visionai.storage import keys
from visionai.storage.base import Storage

log = structlog.get_logger()

ALGORITHMS = ("sha1", "sha256")
BLOCK_BYTES = 1 << 20
STEP_BYTES, STEP_SECONDS = 16 << 20, 5.0  # what a killed server may lose of what nobody was told it had
SILENT_SECONDS = 20.0  # a lost connection does not say so; until then it keeps the next one out
LEASE = timedelta(minutes=1)


class Checksum(msgspec.Struct, frozen=True):
    algorithm: str
    digest: bytes


async def begin(
    session: AsyncSession, *, project_id: UUID, user_id: UUID, name: str, format_: str, size: int, said: str,
    expires_at: datetime, admit: Admit,
) -> DatasetUpload:  # fmt: skip
    """The data set is there from now on, ``uploading``, and all of its size counts against quotas."""
    uploads.refuse_beyond(await admit(session, user_id, project_id, uploads.NEW), size)
    dataset = uploads.uploading(uuid7(), project_id=project_id, user_id=user_id, name=name, format_=format_)
    dataset.upload_bytes = size
    session.add(dataset)
    await session.flush()
    upload = DatasetUpload(dataset_id=dataset.id, created_by=user_id, size=size, said=said, expires_at=expires_at)
    session.add(upload)
    await session.flush()
    return upload


async def get(session: AsyncSession, user: CurrentUser, upload_id: UUID, now: datetime) -> DatasetUpload:
    """Raises NotFound for one that is somebody else's, expired or whose data set was deleted, Forbidden for who may no
    longer edit."""
    upload = await session.get(DatasetUpload, upload_id)
    if upload is None or not (upload.created_by == user.id or user.is_admin) or upload.expires_at <= now:
        raise _not_found()
    dataset = await session.get_one(Dataset, upload.dataset_id)
    if dataset.deleted_at is not None:
        raise _not_found()
    await require_project(session, user, dataset.project_id, at_least="editor")
    return upload


async def of_datasets(session: AsyncSession, dataset_ids: list[UUID]) -> dict[UUID, DatasetUpload]:
    """By data set, of those that are uploading in several requests."""
    if not dataset_ids:
        return {}
    found = await session.scalars(
        select(DatasetUpload)
        .join(Dataset, Dataset.id == DatasetUpload.dataset_id)
        .where(DatasetUpload.dataset_id.in_(dataset_ids), Dataset.status == "uploading")
    )
    return {upload.dataset_id: upload for upload in found}


async def offset(storage: Storage, upload: DatasetUpload) -> int:
    """From where to go on: what is on its row, or less where storage has lost some of it."""
    if upload.received == upload.size:
        return upload.size
    return min(upload.received, await storage.received(_key(upload)))


class Receiver:
    """Takes in what one request sends."""

    def __init__(self, db: Database, storage: Storage, kept: timedelta, now: Callable[[], datetime] = utcnow) -> None:
        self._db, self._storage, self._kept, self._now = db, storage, kept, now
        self._token = uuid4()

    async def receive(
        self, upload_id: UUID, start: int, chunks: AsyncIterator[bytes], checksum: Checksum | None = None
    ) -> DatasetUpload:
        """The upload as it is afterwards. What came before the sender went away, fell silent or sent too much is kept,
        unless it came with a checksum, which is of all of it or nothing.

        Raises Conflict for another offset than the present one, Locked while another request is at it, NotFound if it
        was given up meanwhile, and ClientGone, TimedOut, TooLarge, ChecksumMismatch, StorageFull.
        """
        upload = await self._claim(upload_id)
        try:
            if start != (at := await offset(self._storage, upload)):
                raise Conflict(f"{at:,} bytes of it are here: go on from there.", code="wrong_offset")
            sent = _Sent(chunks, upload.size - start, checksum)
            while upload.received < upload.size and not sent.ended:
                size = await self._storage.append(_key(upload), start, sent.step())
                failpoints.reach("upload.appended")
                upload = await self._commit(upload, size if sent.checked else upload.received)
                start = size
            if sent.fault is not None:
                raise sent.fault
            return upload
        finally:
            await asyncio.shield(self._release(upload_id))

    async def _claim(self, upload_id: UUID) -> DatasetUpload:
        now = self._now()
        async with self._db.write() as session:
            upload: DatasetUpload | None = await session.scalar(
                update(DatasetUpload)
                .where(DatasetUpload.id == upload_id, DatasetUpload.expires_at > now, _free(now))
                .values(lease_token=self._token, lease_expires_at=now + LEASE)
                .returning(DatasetUpload)
            )
            if upload is None:
                if await session.get(DatasetUpload, upload_id) is None:
                    raise _not_found()
                raise Locked("Another request is sending to this upload: wait for it to end.", retry_after=2)
        return upload

    async def _commit(self, before: DatasetUpload, size: int) -> DatasetUpload:
        """Write down what is stored; with the last byte the import begins."""
        now = self._now()
        async with self._db.write() as session:
            upload = await session.get(DatasetUpload, before.id, with_for_update=True)
            if upload is not None and upload.lease_token == self._token:
                dataset = await session.get_one(Dataset, upload.dataset_id, with_for_update=True)
                if dataset.deleted_at is not None:
                    raise _not_found()
                upload.received, upload.expires_at, upload.lease_expires_at = size, now + self._kept, now + LEASE
                if size == upload.size:
                    await uploads.begin_import(session, dataset, upload.operation_id, upload.created_by)
                return upload
        if upload is None:
            await self._storage.delete_prefix(keys.dataset(before.dataset_id))
            raise _not_found()
        raise Locked("This request took too long, and another one has taken its place.", retry_after=2)

    async def _release(self, upload_id: UUID) -> None:
        async with self._db.write() as session:
            await session.execute(
                update(DatasetUpload)
                .where(DatasetUpload.id == upload_id, DatasetUpload.lease_token == self._token)
                .values(lease_token=None, lease_expires_at=None)
            )


async def give_up(db: Database, storage: Storage, user: CurrentUser, upload: DatasetUpload, now: datetime) -> None:
    """Raises Conflict if all of it has arrived. A request that is still sending finds it gone."""
    async with db.write() as session:
        unfinished = DatasetUpload.received < DatasetUpload.size
        found = await session.scalar(
            update(DatasetUpload)
            .where(DatasetUpload.id == upload.id, unfinished)
            .values(expires_at=now, lease_token=None, lease_expires_at=None)
            .returning(DatasetUpload.id)
        )
        if found is None:
            raise Conflict("It has arrived whole: delete its data set instead.", code="upload_finished")
        dataset = await session.get_one(Dataset, upload.dataset_id)
        target = ("dataset", dataset.id, dataset.name)
        record(session, user.actor, "upload.given_up", target, project_id=dataset.project_id)
    await _remove(db, storage, upload.id, upload.dataset_id)


async def remove_expired(db: Database, storage: Storage, now: datetime) -> int:
    """Those of which nothing came for too long, with their data set; those whose data set was deleted; and the rows of
    those that ended long ago. How many there were."""
    deleted = (Dataset.status == "uploading") & Dataset.deleted_at.is_not(None)
    async with db.read() as session:
        found = (await session.execute(
            select(DatasetUpload.id, DatasetUpload.dataset_id, Dataset.status)
            .join(Dataset, Dataset.id == DatasetUpload.dataset_id)
            .where(_free(now), or_(DatasetUpload.expires_at <= now, deleted))
        )).all()  # fmt: skip
    for upload_id, dataset_id, status in found:
        if status == "uploading":
            await _remove(db, storage, upload_id, dataset_id)
            log.info("upload_expired", dataset=str(dataset_id))
        else:
            async with db.write() as session:
                await session.execute(delete(DatasetUpload).where(DatasetUpload.id == upload_id))
    return len(found)


def too_much() -> TooLarge:
    return TooLarge("That is more than Upload-Length had announced: begin a new upload with the right length.")


async def release_leases(session: AsyncSession) -> None:
    """At the start of a process that owns the database alone: whoever held a lease is no more."""
    await session.execute(
        update(DatasetUpload)
        .where(DatasetUpload.lease_token.is_not(None))
        .values(lease_token=None, lease_expires_at=None)
    )


async def _remove(db: Database, storage: Storage, upload_id: UUID, dataset_id: UUID) -> None:
    await storage.delete_prefix(keys.dataset(dataset_id))
    async with db.write() as session:
        await session.execute(delete(DatasetUpload).where(DatasetUpload.id == upload_id))
        await session.execute(delete(Dataset).where(Dataset.id == dataset_id, Dataset.status == "uploading"))


class _Sent:
    """A request's body in steps, each of which is stored for good before the next one.

    An error of the sender's ends a step as the body's end does, so that what came before is kept; it is then in
    ``fault``. With a checksum the last step raises it, and nothing is ``checked`` before that step has ended.
    """

    def __init__(self, chunks: AsyncIterator[bytes], room: int, checksum: Checksum | None) -> None:
        self.ended = False
        self.fault: VisionAIError | None = None
        self._chunks, self._room, self._checksum = chunks, room, checksum
        self._digest: Any = hashlib.new(checksum.algorithm, usedforsecurity=False) if checksum else None

    @property
    def checked(self) -> bool:
        return self._checksum is None or self.ended

    async def step(self) -> AsyncIterator[bytes]:
        until, taken, block = time.monotonic() + STEP_SECONDS, 0, bytearray()
        while not self.ended and taken < STEP_BYTES and time.monotonic() < until:
            chunk = await self._next()
            taken += len(chunk)
            block += chunk
            if self._digest is not None:
                self._digest.update(chunk)
            if len(block) >= BLOCK_BYTES:
                yield bytes(block)
                block.clear()
        if block:
            yield bytes(block)
        if self._checksum is None or not self.ended:
            return
        if self.fault is not None:
            raise self.fault
        if not hmac.compare_digest(self._digest.digest(), self._checksum.digest):
            raise ChecksumMismatch("What came is not what was sent, by its checksum, and was not kept: send it again.")

    async def _next(self) -> bytes:
        """Empty at the end."""
        try:
            async with asyncio.timeout(SILENT_SECONDS):
                chunk = await anext(self._chunks)
            if len(chunk) > self._room:
                raise too_much()
        except StopAsyncIteration:
            self.ended = True
        except TimeoutError:
            self.ended = True
            self.fault = TimedOut("Nothing came any more: ask with HEAD how much was kept, and go on from there.")
        except VisionAIError as e:
            self.ended, self.fault = True, e
        else:
            self._room -= len(chunk)
            return chunk
        return b""


def _free(now: datetime) -> Any:
    return or_(DatasetUpload.lease_token.is_(None), DatasetUpload.lease_expires_at <= now)


def _key(upload: DatasetUpload) -> str:
    return keys.upload(upload.dataset_id, upload.operation_id)


def _not_found() -> NotFound:
    return NotFound("There is no such upload, it has expired, or it is not yours: begin a new one.")
