"""What an expert would remark on before training, and the numbers a data set's page shows."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import Any

import msgspec

from visionai.datasets import faults
from visionai.datasets.faults import FaultBook
from visionai.datasets.images import Looked

TINY = 10
IMBALANCE = 10
NAMED = 10
GREY = frozenset(("1", "L", "LA", "I", "F", "I;16", "I;16B", "I;16L"))
EDGES = [0, 32, 64, 128, 256, 512, 1024, 2048, 4096]


class Image(msgspec.Struct, frozen=True):
    """An image that is part of the version."""

    file_name: str
    label: str
    split: str
    looked: Looked


def class_counts(classes: list[str], images: list[Image]) -> list[dict[str, Any]]:
    counts = Counter((i.label, i.split) for i in images)
    return [
        {"name": c, "total": train + val, "train": train, "val": val}
        for c, train, val in ((c, counts[c, "train"], counts[c, "val"]) for c in classes)
    ]


def check(images: list[Image], counts: list[dict[str, Any]], book: FaultBook) -> None:
    """Note everything that is worth knowing about readable images and their classes."""
    _check_classes(counts, book)
    _check_copies(images, book)
    _check_looks(images, book)


def statistics(images: list[Image]) -> dict[str, Any]:
    """Sizes, formats and colours. Means and deviations are of up to some 2,000 images, per channel in RGB, 0–1."""
    looked = [i.looked for i in images]
    longer = [max(x.width, x.height) for x in looked]
    sizes = Counter((x.width, x.height) for x in looked)
    sampled = [x for x in looked if x.mean is not None and x.square is not None]
    mean = [math.fsum(x.mean[c] for x in sampled if x.mean) / max(1, len(sampled)) for c in range(3)]
    square = [math.fsum(x.square[c] for x in sampled if x.square) / max(1, len(sampled)) for c in range(3)]
    return {
        "formats": dict(Counter(x.format for x in looked).most_common()),
        "modes": dict(Counter(x.mode for x in looked).most_common()),
        "width": _spread([x.width for x in looked]),
        "height": _spread([x.height for x in looked]),
        "bytes": _spread([x.size for x in looked]) | {"total": sum(x.size for x in looked)},
        "longer_side": {"edges": EDGES, "counts": _histogram(longer)},
        "sizes": [{"width": w, "height": h, "count": n} for (w, h), n in sizes.most_common(20)],
        "distinct_sizes": len(sizes),
        "channel_mean": [round(m, 4) for m in mean],
        "channel_std": [round(math.sqrt(max(0.0, s - m * m)), 4) for m, s in zip(mean, square, strict=True)],
        "sampled": len(sampled),
    }


def _check_classes(counts: list[dict[str, Any]], book: FaultBook) -> None:
    tiny = [f"{c['name']} ({c['total']})" for c in counts if c["total"] < TINY]
    if tiny:
        book.note(faults.TINY_CLASS, what=_listed(tiny))
    if not any(c["val"] for c in counts):
        book.note(faults.NO_VALIDATION)
    elif without := [c["name"] for c in counts if c["val"] == 0]:
        book.note(faults.NO_VAL, what=_listed(without))
    if not any(c["train"] for c in counts):
        book.note(faults.NO_TRAINING)
    elif without := [c["name"] for c in counts if c["train"] == 0]:
        book.note(faults.NO_TRAIN, what=_listed(without))
    small, large = min(counts, key=lambda c: c["total"]), max(counts, key=lambda c: c["total"])
    if large["total"] >= IMBALANCE * small["total"]:
        book.note(faults.IMBALANCE, what=f"{large['name']} has {large['total']:,}, {small['name']} {small['total']:,}")
    alike: dict[str, list[str]] = defaultdict(list)
    for c in counts:
        alike["".join(ch for ch in c["name"].casefold() if ch not in " _-")].append(c["name"])
    for names in alike.values():
        if len(names) > 1:
            book.note(faults.SIMILAR_NAMES, what=", ".join(names))


def _check_copies(images: list[Image], book: FaultBook) -> None:
    same: dict[str, list[Image]] = defaultdict(list)
    for image in images:
        same[image.looked.sha256].append(image)
    for copies in same.values():
        if len({i.label for i in copies}) > 1:
            book.note(faults.CONFLICTS, *(i.file_name for i in copies))
        elif len(copies) > 1:
            book.note(faults.DUPLICATES, *(i.file_name for i in copies[1:]))


def _check_looks(images: list[Image], book: FaultBook) -> None:
    for image in images:
        x = image.looked
        if x.rotated:
            book.note(faults.ROTATED, image.file_name)
        if x.animated:
            book.note(faults.ANIMATED, image.file_name)
        if x.wrong_suffix:
            book.note(faults.WRONG_SUFFIX, image.file_name)
        if max(x.width, x.height) > 5 * min(x.width, x.height):
            book.note(faults.EXTREME_SHAPE, image.file_name)
    areas = sorted((i.looked.width * i.looked.height, i.looked.width, i.looked.height) for i in images)
    (small, *smallest), (large, *largest) = areas[0], areas[-1]
    if large >= 16 * small:
        book.note(faults.MIXED_SIZES, what="from {}×{} to {}×{} pixels".format(*smallest, *largest))
    grey = sum(i.looked.mode in GREY for i in images)
    if 0 < grey < len(images):
        book.note(faults.MIXED_COLOURS, what=f"{grey:,} of {len(images):,} are grey")


def _spread(values: list[int]) -> dict[str, int]:
    ordered = sorted(values)
    return {"min": ordered[0], "median": ordered[len(ordered) // 2], "max": ordered[-1]}


def _histogram(values: list[int]) -> list[int]:
    """``counts[i]`` is of values from ``EDGES[i]`` up to below the next edge; the last is open."""
    counts = [0] * len(EDGES)
    for value in values:
        counts[max(i for i, edge in enumerate(EDGES) if edge <= value)] += 1
    return counts


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
