"""Finding classes and splits in the names of files: nothing here opens one.

Understood are, below any number of wrapping folders::

    <class>/…/image                       classes; the split is ours to make
    train|val|test/<class>/…/image        classes and a given split
    <class>/train|val|test/…/image        the same, the other way round

``training``, ``valid``, ``validation`` and ``testing`` are understood too. A version has a train and a val split: test
images are validated on where there is no val, and are left out where there is one, so that nothing is tuned on them.
Other layouts (YOLO, COCO, Pascal VOC, masks) are recognised and refused by name.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import PurePosixPath

import msgspec

from visionai.datasets import faults
from visionai.datasets.archive import Unpacked
from visionai.datasets.faults import FaultBook
from visionai.operations.work import WorkFailed

SPLITS = {
    "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "test": "test",
    "testing": "test",
}  # fmt: skip
EXPECTED = (
    "Pack one folder per class with its images in it (cats/1.jpg, cats/2.jpg, dogs/1.jpg, …), "
    "or train/<class>/… and val/<class>/…."
)


class Item(msgspec.Struct):
    source: int
    """Place in ``Unpacked.images``."""
    file_name: str
    """Path below the wrapping folders."""
    label: str
    split: str | None
    """As given by the archive; None if it is ours to make."""


class Layout(msgspec.Struct):
    items: list[Item]
    empty_classes: list[str]
    """Class folders without a single image."""

    @property
    def split_given(self) -> bool:
        return any(item.split is not None for item in self.items)


def find_layout(found: Unpacked, book: FaultBook, *, refuse_others: bool = True) -> Layout:
    """Raises WorkFailed when there is nothing that could be trained on, saying what is expected."""
    if not found.images:
        raise _no_images(found)
    if refuse_others and (name := foreign_layout(found)) is not None:
        raise WorkFailed(
            "format_not_supported",
            f"This looks like {name}. This release imports class folders (image classification) only.",
            f"{EXPECTED} If these are class folders after all, upload them through the API with format=class_folders.",
        )
    paths = [tuple(f.name.split("/")) for f in found.images]
    root = _root(paths)
    items = _with_test_settled(_items(paths, root, book), book)
    if not items:
        raise WorkFailed(
            "no_class_folders", "The images lie side by side, in no class folder: nothing says what they show.",
            EXPECTED,
        )  # fmt: skip
    labels = {item.label for item in items}
    if len(labels) == 1:
        raise WorkFailed(
            "one_class", f"There is only one class folder with images: {next(iter(labels))}. "
            "Classification tells at least two classes apart.",
            EXPECTED,
        )  # fmt: skip
    return Layout(items, _empty_classes(found, paths, root, labels))


def foreign_layout(found: Unpacked) -> str | None:
    """The annotation format this is in, if it is one that we know and do not import."""
    stems = {_stem(f.name) for f in found.images}
    by_suffix: dict[str, set[str]] = defaultdict(set)
    for name in found.others:
        by_suffix[PurePosixPath(name).suffix.lower()].add(_stem(name))
    if found.coco:
        return f"COCO annotations ({found.coco[0]})"
    if 2 * len(by_suffix[".xml"] & stems) >= len(stems):
        return "Pascal VOC annotations (an .xml file per image)"
    if 2 * len(by_suffix[".txt"] & stems) >= len(stems):
        return "YOLO annotations (a .txt file per image)"
    beside: dict[str, set[str]] = defaultdict(set)
    for f in found.images:
        parent, _, folder = f.name.rpartition("/")[0].rpartition("/")
        beside[parent].add(folder.casefold())
    for folders in beside.values():
        if folders & {"images", "image", "imgs", "img"} and folders & {"masks", "mask", "labels", "annotations", "gt"}:
            return "images with segmentation masks"
    return None


def _no_images(found: Unpacked) -> WorkFailed:
    suffixes = [PurePosixPath(name).suffix.lower() for name in found.others]
    if any(s in (".heic", ".heif") for s in suffixes):
        return WorkFailed("no_images", "The archive holds HEIC images only, which cannot be read here.",
                          "Export them as JPEG or PNG first.")  # fmt: skip
    if any(s in (".zip", ".tar", ".tgz", ".gz", ".7z", ".rar") for s in suffixes):
        return WorkFailed("no_images", "The archive holds further archives and no image.",
                          f"Unpack the inner archive first. {EXPECTED}")  # fmt: skip
    return WorkFailed("no_images", "The archive holds no image.", EXPECTED)


def _root(paths: list[tuple[str, ...]]) -> int:
    """How many wrapping folders there are: those through which everything goes and in which nothing else lies."""
    depth = 0
    while True:
        heads = {p[depth] for p in paths if len(p) > depth + 1}
        inside = sum(len(p) > depth + 2 for p in paths)
        directly = sum(len(p) == depth + 2 for p in paths)
        if len(heads) != 1 or next(iter(heads)).casefold() in SPLITS or inside <= directly:
            return depth
        depth += 1


def _items(paths: list[tuple[str, ...]], root: int, book: FaultBook) -> list[Item]:
    heads = {p[root] for p in paths if len(p) > root + 1}
    given = {SPLITS[h.casefold()] for h in heads if h.casefold() in SPLITS}
    outside = {h for h in heads if h.casefold() not in SPLITS}
    if given and (not outside or {"train"} < given):
        split_at, label_at = root, root + 1
    elif all(len(p) > root + 2 and p[root + 1].casefold() in SPLITS for p in paths if len(p) > root + 1):
        split_at, label_at = root + 1, root
    else:
        split_at, label_at = None, root
    items = []
    for source, p in enumerate(paths):
        name = "/".join(p)
        if split_at == root and len(p) > root + 1 and p[root] in outside:
            book.note(faults.OUTSIDE_SPLIT, name)
        elif len(p) <= max(label_at, split_at or 0) + 1:
            book.note(faults.WITHOUT_CLASS, name)
        else:
            if len(p) > max(label_at, split_at or 0) + 2:
                book.note(faults.NESTED_FOLDERS, name)
            split = SPLITS[p[split_at].casefold()] if split_at is not None else None
            items.append(Item(source, "/".join(p[root:]), p[label_at], split))
    return items


def _with_test_settled(items: list[Item], book: FaultBook) -> list[Item]:
    """Only train and val remain; one split alone is no split."""
    given = {item.split for item in items}
    if "train" not in given or given == {"train"}:
        for item in items:
            item.split = None
        return items
    test = [item.file_name for item in items if item.split == "test"]
    if not test:
        return items
    if "val" in given:
        book.note(faults.TEST_LEFT_OUT, *test)
        return [item for item in items if item.split != "test"]
    book.note(faults.TEST_AS_VAL, *test)
    for item in items:
        item.split = "val" if item.split == "test" else item.split
    return items


def _empty_classes(found: Unpacked, paths: list[tuple[str, ...]], root: int, labels: set[str]) -> list[str]:
    """Folders beside the classes with nothing in them at all."""
    used = {"/".join(p[: i + 1]) for p in paths for i in range(len(p) - 1)}
    used |= {"/".join(name.split("/")[: i + 1]) for name in found.others for i in range(name.count("/"))}
    split_first = any(p[root].casefold() in SPLITS for p in paths if len(p) > root + 1)
    depth = root + 2 if split_first else root + 1
    empty = {tuple(f.split("/")) for f in found.folders if f not in used}
    return sorted({f[depth - 1] for f in empty if len(f) == depth} - labels)


def _stem(name: str) -> str:
    return PurePosixPath(name).stem
