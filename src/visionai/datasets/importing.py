"""The import as an operation, seen from the server: what the child gets, and how its version is taken over.

Publishing may be broken off anywhere and repeated: blobs are named by their content, the version by its hash, and the
images go in by number, in short transactions, before anybody can see the version. One transaction then makes it
current, the data set ready and the operation completed.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Select, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from visionai import failpoints
from visionai.datasets import archive, build, garbage
from visionai.datasets.build import Result, Row
from visionai.datasets.garbage import ROWS
from visionai.datasets.tables import Dataset, DatasetImage, DatasetVersion
from visionai.errors import NotFound, Unavailable
from visionai.operations.decide import launch_id
from visionai.operations.kinds import Context, OperationKind
from visionai.operations.tables import Operation
from visionai.operations.work import Limits
from visionai.storage import keys
from visionai.storage.base import Storage
from visionai.storage.local import LocalStorage


async def _prepare(ctx: Context, op: Operation, work: Path) -> dict[str, Any]:
    dataset = await _dataset(ctx, op)
    await _fetch(ctx.storage, await _received(ctx.storage, dataset, op), work / "archive")
    s = ctx.settings
    given: dict[str, Any] = msgspec.to_builtins(build.Input(
        format=dataset.format,
        limits=archive.Limits(s.archive_max_members, s.archive_max_bytes, s.archive_max_ratio, s.min_free_bytes),
        max_pixels=s.image_max_pixels,
    ))  # fmt: skip
    return given


async def _publish(ctx: Context, op: Operation, work: Path) -> None:
    dataset = await _dataset(ctx, op)
    result = msgspec.convert(op.result, Result)
    assert result.version is not None
    for row in build.read_rows(work):
        await _move(ctx.storage, work / row.path, keys.blob(dataset.project_id, row.sha256))
        await _move(ctx.storage, _thumbnail(work, row), keys.thumbnail(dataset.id, row.sha256))
        failpoints.reach("import.moved")
    for file in result.version.files:
        key = keys.version_file(dataset.id, result.version.content_hash, file.name)
        await _move(ctx.storage, work / file.name, key)
    version_id = await _version(ctx, dataset, result)
    failpoints.reach("import.version")
    async with ctx.db.read() as session:
        present = await session.scalar(select(func.count()).where(DatasetImage.version_id == version_id)) or 0
    for rows in _chunks((r for r in build.read_rows(work) if r.n >= present), ROWS):
        async with ctx.db.write() as session:
            await session.execute(insert(DatasetImage), [_image(version_id, row) for row in rows])


async def _completed(session: AsyncSession, op: Operation) -> None:
    dataset = await session.get_one(Dataset, op.subject_id, with_for_update=True)
    version = msgspec.convert(op.result, Result).version
    assert version is not None
    dataset.current_version_id = await session.scalar(_by_hash(dataset.id, version.content_hash))
    dataset.format, dataset.status, dataset.error, dataset.report = "class_folders", "ready", None, None
    op.result = {"version_id": str(dataset.current_version_id)}


async def _failed(session: AsyncSession, op: Operation) -> None:
    """The version, if it was begun, goes with the rest: nothing refers to it yet."""
    dataset = await session.get_one(Dataset, op.subject_id, with_for_update=True)
    dataset.status = "error"
    dataset.error = op.error or {"code": "cancelled", "message": "The import was cancelled.", "hint": ""}
    dataset.report = {"faults": (op.result or {}).get("faults", [])}


async def _clean(ctx: Context, op: Operation) -> None:
    """The archive goes in any case; after a failure all goes but what other data sets use too."""
    assert op.subject_id is not None
    if op.status == "completed":
        await ctx.storage.delete(keys.upload(op.subject_id, op.id))
        return
    dataset = await _dataset(ctx, op)
    async with ctx.db.read() as session:
        if await garbage.others_at_work(session, dataset.project_id, but=dataset.id):
            raise Unavailable("Another import of this project is at work: what this one left is removed after it.")
    await _remove_unfinished(ctx, dataset, ctx.executor.run_dir(launch_id(op.id, op.attempt)) / "work")
    await ctx.storage.delete_prefix(keys.dataset(dataset.id))


async def _dataset(ctx: Context, op: Operation) -> Dataset:
    async with ctx.db.read() as session:
        return await session.get_one(Dataset, op.subject_id)


async def _received(storage: Storage, dataset: Dataset, op: Operation) -> str:
    """The archive's key. What came over several requests becomes an object here: a crash has it done again."""
    key = keys.upload(dataset.id, op.id)
    try:
        await storage.complete(key)
    except NotFound:
        raise NotFound("The uploaded file is gone: upload it again.") from None
    return key


async def _fetch(storage: Storage, key: str, target: Path) -> None:
    """Have an object as a local file: by a second name where that is possible, else by a copy."""
    target.unlink(missing_ok=True)
    if isinstance(storage, LocalStorage):
        try:
            os.link(storage.path(key), target)
            return
        except OSError:
            pass  # another file system, or one without hard links
    with target.open("wb") as f:
        async for chunk in storage.get(key):
            await asyncio.to_thread(f.write, chunk)


async def _move(storage: Storage, path: Path, key: str) -> None:
    """Take over a file of the child; the second time it is there already."""
    if path.exists():
        await storage.put_file(key, path)
    elif await storage.stat(key) is None:
        raise FileNotFoundError(path)


async def _version(ctx: Context, dataset: Dataset, result: Result) -> UUID:
    """The version's row, not current yet."""
    made = result.version
    assert made is not None
    async with ctx.db.write() as session:
        present: UUID | None = await session.scalar(_by_hash(dataset.id, made.content_hash))
        if present is not None:
            return present
        last = await session.scalar(
            select(func.max(DatasetVersion.number)).where(DatasetVersion.dataset_id == dataset.id)
        )
        version = DatasetVersion(
            dataset_id=dataset.id, project_id=dataset.project_id, number=(last or 0) + 1,
            content_hash=made.content_hash, split_hash=made.split_hash, task_types=made.task_types,
            classes=made.classes, image_count=made.image_count, train_count=made.train_count,
            val_count=made.val_count, size_bytes=made.size_bytes, statistics=made.statistics,
            report={"faults": msgspec.to_builtins(result.faults)},
            files=[
                {"name": f.name, "kind": f.kind, "key": keys.version_file(dataset.id, made.content_hash, f.name),
                 "size": f.size, "sha256": f.sha256}
                for f in made.files
            ],
        )  # fmt: skip
        session.add(version)
        await session.flush()
        return version.id


def _by_hash(dataset_id: UUID, content_hash: str) -> Select[UUID]:
    return select(DatasetVersion.id).where(
        DatasetVersion.dataset_id == dataset_id, DatasetVersion.content_hash == content_hash
    )


def _image(version_id: UUID, row: Row) -> dict[str, Any]:
    return {
        "version_id": version_id, "n": row.n, "file_name": row.file_name, "sha256": row.sha256, "suffix": row.suffix,
        "width": row.width, "height": row.height, "size": row.size, "split": row.split, "label": row.label,
        "labels": [row.label], "objects": [],
    }  # fmt: skip


async def _remove_unfinished(ctx: Context, dataset: Dataset, work: Path) -> None:
    """A version that never became current: its images, and those that were not written down yet."""
    await garbage.remove_images(ctx.db, ctx.storage, dataset.id, dataset.project_id)
    for rows in _chunks(build.read_rows(work), ROWS) if (work / build.ROWS_FILE).exists() else ():
        hashes = {row.sha256 for row in rows}
        await garbage.remove_blobs(ctx.db, ctx.storage, dataset.project_id, hashes, but=dataset.id)
    async with ctx.db.write() as session:
        await session.execute(delete(DatasetVersion).where(DatasetVersion.dataset_id == dataset.id))


def _thumbnail(work: Path, row: Row) -> Path:
    return work / "thumbnails" / f"{row.sha256}.webp"


def _chunks(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    while chunk := list(islice(rows, size)):
        yield chunk


IMPORT = OperationKind(
    name="dataset_import", work="visionai.datasets.build:run", limits=Limits(),
    prepare=_prepare, publish=_publish, completed=_completed, failed=_failed, clean=_clean,
)  # fmt: skip
