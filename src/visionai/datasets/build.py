"""The import, as it runs in the operation's child process: an archive in, a finished version on disk out.

In the work folder: ``archive`` (given), ``unpacked/``, ``thumbnails/<sha256>.webp``, and for the server to take over
``annotations.ndjson``, ``split.json``, ``shard-*.tar`` and ``images.ndjson`` (ROWS_FILE: a :class:`Row` per image).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from visionai.datasets import archive, faults, splits
from visionai.datasets.canonical import Annotation, Written, natural, write_annotations, write_shards, write_split
from visionai.datasets.checks import Image, check, class_counts, statistics
from visionai.datasets.faults import Fault, FaultBook
from visionai.datasets.images import Looked, Task
from visionai.datasets.layout import EXPECTED, Item, find_layout
from visionai.datasets.pool import look_at_all
from visionai.operations.work import Report, WorkFailed

SAMPLED = 2000  # images whose colours are measured
ROWS_FILE = "images.ndjson"


class Input(msgspec.Struct, frozen=True):
    format: str
    limits: archive.Limits
    max_pixels: int


class Row(msgspec.Struct, frozen=True):
    """An image of the version and where its bytes are, below the work folder."""

    n: int
    file_name: str
    sha256: str
    suffix: str
    width: int
    height: int
    size: int
    split: str
    label: str
    path: str


class Version(msgspec.Struct, frozen=True):
    content_hash: str
    split_hash: str
    task_types: list[str]
    classes: list[dict[str, Any]]
    image_count: int
    train_count: int
    val_count: int
    size_bytes: int
    statistics: dict[str, Any]
    files: list[Written]


class Result(msgspec.Struct, frozen=True):
    faults: list[Fault]
    version: Version | None = None
    """None if it failed."""


def run(given: dict[str, Any], work: Path, report: Report) -> dict[str, Any]:
    """Raises WorkFailed with the faults found so far as its result."""
    wanted, book = msgspec.convert(given, Input), FaultBook()
    try:
        version = _import(wanted, work, book, report)
    except WorkFailed as e:
        e.result = msgspec.to_builtins(Result(book.faults()))
        raise
    result: dict[str, Any] = msgspec.to_builtins(Result(book.faults(), version))
    return result


def _import(wanted: Input, work: Path, book: FaultBook, report: Report) -> Version:
    unpacked = _new_folder(work / "unpacked")
    found = archive.unpack(
        work / "archive", unpacked, wanted.limits, book, lambda share, text: report(0.3 * share, text)
    )
    layout = find_layout(found, book, refuse_others=wanted.format == "auto")
    layout.items.sort(key=lambda item: item.file_name)
    sources = [found.images[item.source].path for item in layout.items]
    looked = _look(layout.items, sources, _new_folder(work / "thumbnails"), wanted.max_pixels, report)
    readable = _readable(layout.items, looked, layout.empty_classes, wanted.max_pixels, book)
    samples = [
        splits.Sample(layout.items[i].file_name, layout.items[i].label, looked[i].sha256, layout.items[i].split)
        for i in readable
    ]
    split = splits.given(samples, book) if layout.split_given else splits.stratified(samples)
    images = [
        Image(s.file_name, s.label, split[s.file_name], looked[i]) for i, s in zip(readable, samples, strict=True)
    ]
    counts = class_counts(sorted({i.label for i in images}, key=natural), images)
    check(images, counts, book)
    report(85, "Packing")
    paths = [sources[i] for i in readable]
    _write_rows(work, images, paths)
    return _pack(work, images, paths, counts, split)


def _look(items: list[Item], sources: list[Path], thumbnails: Path, max_pixels: int, report: Report) -> list[Looked]:
    stride = -(-len(items) // SAMPLED)
    tasks = [
        Task(str(path), _suffix(item.file_name), str(thumbnails), max_pixels, sample=i % stride == 0)
        for i, (item, path) in enumerate(zip(items, sources, strict=True))
    ]
    looked = []
    for one in look_at_all(tasks):
        looked.append(one)
        report(30 + 55 * len(looked) / len(tasks), f"Checked {len(looked):,} of {len(tasks):,} images")
    return looked


def _readable(
    items: list[Item], looked: list[Looked], empty_classes: list[str], max_pixels: int, book: FaultBook
) -> list[int]:
    """Places of the images that can be used; the others are noted. Raises WorkFailed if too few remain."""
    for item, x in zip(items, looked, strict=True):
        match x.problem:
            case "":
                continue
            case "empty":
                book.note(faults.EMPTY_FILE, item.file_name)
            case "no_image":
                book.note(faults.NOT_AN_IMAGE, item.file_name)
            case "truncated":
                book.note(faults.TRUNCATED, item.file_name)
            case "crashes":
                book.note(faults.CRASHES, item.file_name)
            case "too_large":
                book.note(faults.TOO_MANY_PIXELS, item.file_name, what=f"{max_pixels / 1e6:g}")
            case _:
                book.note(faults.DAMAGED, item.file_name, what=x.detail)
    usable = [i for i, x in enumerate(looked) if not x.problem]
    labels = {items[i].label for i in usable}
    for label in sorted((set(empty_classes) | {item.label for item in items}) - labels, key=natural):
        book.note(faults.EMPTY_CLASS, what=label)
    if len(labels) < 2:
        raise WorkFailed(
            "no_readable_images", f"Only {len(usable):,} of {len(items):,} images can be read, "
            f"in {len(labels)} class{'es' * (len(labels) != 1)}: too few to tell classes apart.",
            f"The report lists what is wrong with each. {EXPECTED}",
        )  # fmt: skip
    return usable


def _pack(
    work: Path, images: list[Image], paths: list[Path], counts: list[dict[str, Any]], split: dict[str, str]
) -> Version:
    annotations, content_hash = write_annotations(
        work / "annotations.ndjson",
        [c["name"] for c in counts],
        (
            Annotation(i.file_name, i.looked.width, i.looked.height, i.looked.size, i.looked.sha256, [i.label])
            for i in images
        ),
    )
    manifest = write_split(work / "split.json", split)
    members = {i.looked.sha256 + _suffix(i.file_name): path for i, path in zip(images, paths, strict=True)}
    shards = list(write_shards(work, sorted(members.items())))
    return Version(
        content_hash=content_hash,
        split_hash=manifest.sha256,
        task_types=["classification"],
        classes=counts,
        image_count=len(images),
        train_count=sum(c["train"] for c in counts),
        val_count=sum(c["val"] for c in counts),
        size_bytes=sum(i.looked.size for i in images),
        statistics=statistics(images),
        files=[annotations, manifest, *shards],
    )


def _write_rows(work: Path, images: list[Image], paths: list[Path]) -> None:
    with (work / ROWS_FILE).open("wb") as f:
        for n, (i, path) in enumerate(zip(images, paths, strict=True)):
            x = i.looked
            row = Row(n, i.file_name, x.sha256, _suffix(i.file_name), x.width, x.height, x.size, i.split, i.label,
                      str(path.relative_to(work)))  # fmt: skip
            f.write(msgspec.json.encode(row) + b"\n")


def read_rows(work: Path) -> Iterator[Row]:
    decoder = msgspec.json.Decoder(Row)
    with (work / ROWS_FILE).open("rb") as f:
        for line in f:
            yield decoder.decode(line)


def _suffix(file_name: str) -> str:
    return PurePosixPath(file_name).suffix.lower()


def _new_folder(folder: Path) -> Path:
    folder.mkdir(mode=0o700)
    return folder
