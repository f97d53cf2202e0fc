"""Who is trained on and who is validated on. Deterministic: by the content of the images, not by their order."""

from __future__ import annotations

import hashlib
from collections import defaultdict

import msgspec

from visionai.datasets import faults
from visionai.datasets.faults import FaultBook

VAL_SHARE = 0.2
SEED = b"visionai-split-1\0"


class Sample(msgspec.Struct, frozen=True):
    file_name: str
    label: str
    sha256: str
    split: str | None = None


def stratified(samples: list[Sample]) -> dict[str, str]:
    """``{file_name: "train" | "val"}``: 80/20 in each class.

    Copies of one image are in one split together, also across classes. A class with two or more different images has
    one in each split, unless images shared with other classes make that impossible; a class with one has it in train.
    The order is a hash of the content, so that added images hardly move the others.
    """
    shas: dict[str, set[str]] = defaultdict(set)
    for s in samples:
        shas[s.label].add(s.sha256)
    split: dict[str, str] = {}
    for label in sorted(shas, key=lambda name: (len(shas[name]), name)):  # the small ones have the least choice
        members = sorted(shas[label], key=_rank)
        wanted = min(max(1, round(VAL_SHARE * len(members))), len(members) - 1)
        has = sum(split.get(sha) == "val" for sha in members)
        for sha in members:
            if sha not in split:
                split[sha] = "val" if has < wanted else "train"
                has += split[sha] == "val"
    return {s.file_name: split[s.sha256] for s in samples}


def given(samples: list[Sample], book: FaultBook) -> dict[str, str]:
    """The split of the archive; an image that is in both counts to train, so that validation stays honest."""
    trained = {s.sha256 for s in samples if s.split == "train"}
    leaks = [s.file_name for s in samples if s.split == "val" and s.sha256 in trained]
    if leaks:
        book.note(faults.LEAKS, *leaks)
    return {s.file_name: "train" if s.sha256 in trained else "val" for s in samples}


def _rank(sha256: str) -> bytes:
    return hashlib.sha256(SEED + sha256.encode()).digest()
