"""Asking for data sets, their versions and images, and deleting one."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.datasets.tables import Dataset, DatasetImage, DatasetVersion
from visionai.errors import NotFound
from visionai.identity.access import CurrentUser, ProjectRole, project_filter, require_project
from visionai.operations import queries as operations

NAMES_AT_ONCE = 10_000  # values that one statement may hold


async def get_dataset(
    session: AsyncSession, user: CurrentUser, dataset_id: UUID, *, at_least: ProjectRole = "reader"
) -> Dataset:
    """Raises NotFound for what is deleted or another project's, Forbidden for a reader who wants to change it."""
    dataset = await session.get(Dataset, dataset_id)
    if dataset is None or dataset.deleted_at is not None:
        raise NotFound("There is no such data set, or it is not yours to see.")
    await require_project(session, user, dataset.project_id, at_least=at_least)
    return dataset


async def list_datasets(
    session: AsyncSession, user: CurrentUser, *, project_id: UUID | None, q: str | None, status: str | None,
    before: UUID | None, limit: int,
) -> list[Dataset]:  # fmt: skip
    """The newest first; ``before`` is the id of the last one already seen, ``q`` a part of the name."""
    query = select(Dataset).where(project_filter(user, Dataset.project_id), Dataset.deleted_at.is_(None))
    if project_id is not None:
        query = query.where(Dataset.project_id == project_id)
    if q is not None:
        query = query.where(Dataset.name.icontains(q, autoescape=True))
    if status is not None:
        query = query.where(Dataset.status == status)
    if before is not None:
        query = query.where(Dataset.id < before)
    return list(await session.scalars(query.order_by(Dataset.id.desc()).limit(limit)))


async def current_versions(session: AsyncSession, datasets: list[Dataset]) -> dict[UUID, DatasetVersion]:
    """By data set id, of those that have one."""
    ids = [d.current_version_id for d in datasets if d.current_version_id is not None]
    found = await session.scalars(select(DatasetVersion).where(DatasetVersion.id.in_(ids)))
    return {version.dataset_id: version for version in found}


async def current_version(session: AsyncSession, dataset: Dataset) -> DatasetVersion:
    """Raises NotFound while there is none."""
    if dataset.current_version_id is None:
        raise NotFound(f"The data set is {dataset.status}: it has no version yet.")
    return await session.get_one(DatasetVersion, dataset.current_version_id)


async def list_versions(session: AsyncSession, dataset: Dataset) -> list[DatasetVersion]:
    """The newest first. One that is still being written is not among them."""
    if dataset.current_version_id is None:
        return []
    current = await session.get_one(DatasetVersion, dataset.current_version_id)
    found = await session.scalars(
        select(DatasetVersion)
        .where(DatasetVersion.dataset_id == dataset.id, DatasetVersion.number <= current.number)
        .order_by(DatasetVersion.number.desc())
    )
    return list(found)


async def list_images(
    session: AsyncSession,
    version: DatasetVersion,
    *,
    label: str | None = None,
    split: str | None = None,
    after: int | None = None,
    offset: int = 0,
    limit: int = 100,
) -> tuple[list[DatasetImage], int]:
    """A page in the order of ``n`` and the number of all that match. ``after`` is the last ``n`` already seen.

    A page is found as fast at the end of 100,000 images as at the begin: where nothing is filtered ``offset`` is an
    ``n``, as these have no gaps; else it is counted from the nearer end.
    """
    wanted = _matching(version.id, label, split)
    total = await _count(session, version, label, split)
    if after is None and label is None and split is None:
        after = offset - 1
    query = select(DatasetImage).where(*wanted)
    forwards = query.order_by(DatasetImage.n).limit(limit)
    if after is not None:
        return list(await session.scalars(forwards.where(DatasetImage.n > after))), total
    if offset <= total // 2:
        return list(await session.scalars(forwards.offset(offset))), total
    left = max(0, total - offset)
    backwards = query.order_by(DatasetImage.n.desc()).offset(max(0, left - limit)).limit(min(limit, left))
    return list(await session.scalars(backwards))[::-1], total


async def get_image(session: AsyncSession, dataset: Dataset, n: int) -> DatasetImage:
    """Of the current version."""
    image = await session.get(DatasetImage, (dataset.current_version_id, n)) if dataset.current_version_id else None
    if image is None:
        raise NotFound(f"The data set has no image {n}.")
    return image


class Place(msgspec.Struct, frozen=True):
    """Where an image stands among those of a filter."""

    place: int
    """How many come before it."""
    total: int
    previous: int | None
    next: int | None
    """The ``n`` of the images beside it."""


async def place_of(
    session: AsyncSession, version: DatasetVersion, n: int, *, label: str | None = None, split: str | None = None
) -> Place:
    """Also of an image that the filter leaves out: between those that it would stand between."""
    total = await _count(session, version, label, split)
    if label is None and split is None:
        return Place(n, total, n - 1 if n > 0 else None, n + 1 if n + 1 < total else None)
    wanted, column = _matching(version.id, label, split), DatasetImage.n
    before = await session.scalar(select(func.count()).where(*wanted, column < n)) or 0
    return Place(
        before, total,
        await session.scalar(select(column).where(*wanted, column < n).order_by(column.desc()).limit(1)),
        await session.scalar(select(column).where(*wanted, column > n).order_by(column).limit(1)),
    )  # fmt: skip


async def by_file_name(session: AsyncSession, version_id: UUID, names: set[str]) -> dict[str, int]:
    """The ``n`` of each of these files that is an image of the version."""
    found: dict[str, int] = {}
    ordered = sorted(names)
    for start in range(0, len(ordered), NAMES_AT_ONCE):
        some = DatasetImage.file_name.in_(ordered[start : start + NAMES_AT_ONCE])
        query = select(DatasetImage.file_name, DatasetImage.n).where(DatasetImage.version_id == version_id, some)
        found.update((row.file_name, row.n) for row in await session.execute(query))
    return found


async def delete_dataset(session: AsyncSession, dataset: Dataset, now: datetime) -> None:
    """Gone for everybody at once; an import that still runs is cancelled. Jobs that used it keep their version."""
    dataset.deleted_at = now
    await operations.cancel(session, dataset.id, now)


async def trainer_files(session: AsyncSession, version_id: UUID) -> list[dict[str, Any]]:
    """What a trainer fetches: ``[{name, kind, key, size, sha256}]``; kinds are annotations, split and shard."""
    return (await get_version(session, version_id)).files


async def get_version(session: AsyncSession, version_id: UUID) -> DatasetVersion:
    version = await session.get(DatasetVersion, version_id)
    if version is None:
        raise NotFound("There is no such version of a data set.")
    return version


async def _count(session: AsyncSession, version: DatasetVersion, label: str | None, split: str | None) -> int:
    """Counted only where the version does not say it."""
    if label is None:
        return {None: version.image_count, "train": version.train_count, "val": version.val_count}[split]
    return await session.scalar(select(func.count()).where(*_matching(version.id, label, split))) or 0


def _matching(version_id: UUID, label: str | None, split: str | None) -> list[ColumnElement[bool]]:
    wanted = [DatasetImage.version_id == version_id]
    if label is not None:
        wanted.append(DatasetImage.label == label)
    if split is not None:
        wanted.append(DatasetImage.split == split)
    return wanted
