"""What a trained model said of each validation image: lines of the job's ``predictions`` artifact.

One JSON object a line: ``file_name``, ``label`` (the true class), ``predicted``, ``confidence`` 0–1 and ``top``
[{``class``, ``confidence``}]. A trainer wrote it, so nothing is taken for granted: it is read piece by piece, a line
that is none of these, or longer than MAX_LINE, is passed over.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from visionai.datasets.tables import DatasetImage
from visionai.errors import NotFound
from visionai.jobs.tables import Artifact, Job
from visionai.storage.base import Storage

MAX_LINE = 64 << 10
SCANNED = 16 << 20
"""Bytes that one request reads: what is rare in a large file comes page by page."""

Share = Annotated[float, Meta(ge=0, le=1)]


class Likely(msgspec.Struct, frozen=True):
    class_: str = msgspec.field(name="class")
    confidence: Share


class Line(msgspec.Struct, frozen=True):
    file_name: str
    label: str
    predicted: str
    confidence: Share
    top: list[Likely] = []


class Found(msgspec.Struct, frozen=True):
    lines: list[Line]
    next: int | None
    """The byte at which the next page begins; None at the end."""


async def artifact_of(session: AsyncSession, job: Job, epoch: int | None) -> Artifact:
    """The newest, or that of this epoch. Raises NotFound, saying why."""
    query = select(Artifact).where(
        Artifact.job_id == job.id, Artifact.kind == "predictions", Artifact.completed_at.is_not(None),
        Artifact.superseded.is_(False),
    )  # fmt: skip
    artifacts = list(await session.scalars(query.order_by(Artifact.id.desc())))
    found = next((a for a in artifacts if epoch is None or a.epoch == epoch), None)
    if found is not None:
        return found
    if not artifacts:
        raise NotFound("This job has no predictions: a trainer that makes them uploads them at its end.")
    raise NotFound(f"There are no predictions of epoch {epoch}; there are of epoch {artifacts[0].epoch}.")


async def read(
    storage: Storage, artifact: Artifact, *, true: str | None, predicted: str | None, start: int, limit: int
) -> Found:
    """``limit`` lines that match, from byte ``start``; fewer, with ``next``, where SCANNED bytes hold no more."""
    decoder = msgspec.json.Decoder(Line)
    found: list[Line] = []
    position = start
    async with aclosing(_lines(storage, artifact.storage_key, start)) as lines:
        async for raw in lines:
            position += len(raw)
            line = _decoded(decoder, raw)
            if line is not None and true in (None, line.label) and predicted in (None, line.predicted):
                found.append(line)
            if len(found) == limit or position >= start + SCANNED:
                break
    return Found(found, position if position < artifact.size and position > start else None)


async def images_of(session: AsyncSession, version_id: UUID, lines: list[Line]) -> dict[str, DatasetImage]:
    """The version's images that these lines are about, by file name. Sought among those of the lines' classes, since
    that is what the images have an index of."""
    found = await session.scalars(
        select(DatasetImage)
        .where(
            DatasetImage.version_id == version_id, DatasetImage.label.in_({line.label for line in lines}),
            DatasetImage.file_name.in_({line.file_name for line in lines}),
        )
        .options(defer(DatasetImage.objects))
    )  # fmt: skip
    return {image.file_name: image for image in found}


async def _lines(storage: Storage, key: str, start: int) -> AsyncGenerator[bytes]:
    """What lies between line ends, these included. One that is too long comes in pieces, none of which is a line."""
    rest = b""
    async for chunk in storage.get(key, offset=start):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line + b"\n"
        if len(rest) > MAX_LINE:
            yield rest
            rest = b""
    if rest:
        yield rest


def _decoded(decoder: msgspec.json.Decoder[Line], raw: bytes) -> Line | None:
    if len(raw) > MAX_LINE:
        return None
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
