"""A data set as it is kept: ``annotations.ndjson``, ``split.json``, and the hash that names it.

``annotations.ndjson`` has a line per image, in the order of their file names. The content hash is the SHA-256 of a line
with the format's name and the classes in their order, followed by ``annotations.ndjson``. So it depends on the images,
their names and their classes, and on nothing else: neither on the archive's kind and order nor on the folder it was
wrapped in.
"""

from __future__ import annotations

import hashlib
import os
import re
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import msgspec

FORMAT = "visionai-annotations-1"
SHARD_BYTES = 256 << 20


class Annotation(msgspec.Struct, frozen=True):
    """One line; the order of the fields is part of the format."""

    file_name: str
    width: int
    height: int
    size: int
    sha256: str
    labels: list[str]
    objects: list[dict[str, Any]] = []


class Written(msgspec.Struct, frozen=True):
    """A file for trainers."""

    name: str
    kind: str
    size: int
    sha256: str


def natural(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """Sorts ``2`` before ``10``, and upper and lower case together."""
    parts = re.split(r"([0-9]+)", name.casefold())
    return [(0, int(p), "") if p.isdecimal() and p.isascii() else (1, 0, p) for p in parts if p], name


def write_annotations(path: Path, classes: list[str], annotations: Iterable[Annotation]) -> tuple[Written, str]:
    """The file and the content hash. ``annotations`` come in the order of their file names."""
    content = hashlib.sha256(msgspec.json.encode([FORMAT, classes]) + b"\n")
    own = hashlib.sha256()
    with path.open("wb") as f:
        for annotation in annotations:
            line = msgspec.json.encode(annotation) + b"\n"
            content.update(line)
            own.update(line)
            f.write(line)
        size = f.tell()
        _sync(f)
    return Written(path.name, "annotations", size, own.hexdigest()), content.hexdigest()


def write_split(path: Path, split: dict[str, str]) -> Written:
    """File names in their order, so that the same split has the same hash."""
    body = msgspec.json.encode({
        name: sorted(file for file, side in split.items() if side == name) for name in ("train", "val")
    })  # fmt: skip
    with path.open("wb") as f:
        f.write(body)
        _sync(f)
    return Written(path.name, "split", len(body), hashlib.sha256(body).hexdigest())


def write_shards(folder: Path, images: Iterable[tuple[str, Path]], limit: int = SHARD_BYTES) -> Iterator[Written]:
    """Plain tars of about ``limit`` bytes out of ``(member name, file)``; the same images give the same bytes."""
    remaining = iter(images)
    image = next(remaining, None)
    number = 0
    while image is not None:
        path = folder / f"shard-{number:05d}.tar"
        with path.open("wb") as f:
            hashing = _Hashing(f)
            # a stream is only written to, whatever the stubs want of it
            with tarfile.open(fileobj=hashing, mode="w|", format=tarfile.USTAR_FORMAT) as tar:  # type: ignore[call-overload]
                while image is not None and hashing.size < limit:
                    _add(tar, *image)
                    image = next(remaining, None)
            _sync(f)
        yield Written(path.name, "shard", hashing.size, hashing.sha.hexdigest())
        number += 1


def _add(tar: tarfile.TarFile, name: str, path: Path) -> None:
    info = tarfile.TarInfo(name)
    info.size = path.stat().st_size
    with path.open("rb") as f:
        tar.addfile(info, f)
    tar.members.clear()  # type: ignore[attr-defined]  # tarfile keeps each header for ever


def _sync(f: IO[bytes]) -> None:
    """What a version consists of outlives a power cut. Single images are not synced: the shards hold them all."""
    f.flush()
    os.fsync(f.fileno())


class _Hashing:
    def __init__(self, f: IO[bytes]) -> None:
        self._f = f
        self.sha = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self.sha.update(data)
        self.size += len(data)
        return self._f.write(data)
