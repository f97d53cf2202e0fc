"""The data of a training, as every trainer sees it: images with labels, split in two, wherever their bytes lie."""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from visionai.trainers.contract import TrainerError

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp"})


class Blob(NamedTuple):
    """A whole file, or a member of a tar: ``size`` bytes from ``offset`` of ``path``."""

    path: str
    offset: int
    size: int

    def read(self) -> bytes:
        with open(self.path, "rb", buffering=0) as file:  # noqa: PTH123 - a Path would cost more than the read
            return os.pread(file.fileno(), self.size, self.offset)


class Image(NamedTuple):
    file_name: str
    width: int
    height: int
    labels: list[str]
    objects: list[dict[str, Any]]
    blob: Blob


class TrainingData(NamedTuple):
    classes: list[str]
    train: list[Image]
    val: list[Image]
    checkpoint: Path | None = None
    """What to resume from."""
    weights: Path | None = None
    """What to start from, instead of the framework's own initial weights."""


class _Line(msgspec.Struct):
    """A line of annotations.ndjson."""

    file_name: str
    width: int
    height: int
    sha256: str
    labels: list[str] = []
    objects: list[dict[str, Any]] = []


class _Split(msgspec.Struct):
    train: list[str]
    val: list[str]


def from_files(
    classes: list[str], annotations: Path, split: Path, shards: Iterable[Path], **more: Path | None
) -> TrainingData:
    """A canonical data set. Raises TrainerError ``dataset_invalid`` if its parts do not fit together."""
    members = {sha256: blob for shard in shards for sha256, blob in _members(shard)}
    decoder = msgspec.json.Decoder(_Line)
    images: dict[str, Image] = {}
    try:
        for line in decoder.decode_lines(annotations.read_bytes()):
            blob = members[line.sha256]
            images[line.file_name] = Image(line.file_name, line.width, line.height, line.labels, line.objects, blob)
        parts = msgspec.json.decode(split.read_bytes(), type=_Split)
        train, val = [images[name] for name in parts.train], [images[name] for name in parts.val]
    except KeyError as e:
        raise TrainerError("dataset_invalid", f"The data set names {e} but does not hold it.") from e
    except msgspec.DecodeError as e:
        raise TrainerError("dataset_invalid", f"The data set's annotations cannot be read: {e}") from e
    return TrainingData(classes, train, val, **more)


def from_folder(folder: Path, *, ratio: float = 0.2) -> TrainingData:
    """A folder of class folders, split by ``stratified``. Image sizes are left 0: nothing is opened."""
    classes = sorted(p.name for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []
    if not classes:
        raise TrainerError("dataset_invalid", f"{folder} has no class folders.", "One folder per class, images in it.")
    images = []
    for name in classes:
        for path in sorted((folder / name).rglob("*")):
            if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file():
                blob = Blob(str(path), 0, path.stat().st_size)
                images.append(Image(path.relative_to(folder).as_posix(), 0, 0, [name], [], blob))
    held_back = stratified([(i.file_name, i.labels[0]) for i in images], ratio)
    train = [i for i in images if i.file_name not in held_back]
    return TrainingData(classes, train, [i for i in images if i.file_name in held_back])


def stratified(labelled: Sequence[tuple[str, str]], ratio: float) -> set[str]:
    """The names held back for validation: ``ratio`` of each class, at least one where a class has two.

    Which ones follows from their names alone (the order of their SHA-256), so it is the same everywhere.
    """
    by_class: dict[str, list[str]] = defaultdict(list)
    for name, label in labelled:
        by_class[label].append(name)
    chosen: set[str] = set()
    for names in by_class.values():
        names.sort(key=lambda name: hashlib.sha256(name.encode()).digest())
        count = min(max(1, round(len(names) * ratio)), len(names) - 1)
        chosen.update(names[:count])
    return chosen


def single_labels(data: TrainingData) -> TrainingData:
    """The same without unlabelled images.

    Raises TrainerError ``dataset_invalid`` unless every image has one label, known to ``classes``, there are two
    classes or more and something to train and to validate on.
    """
    known = set(data.classes)
    for image in (*data.train, *data.val):
        if len(image.labels) > 1:
            raise TrainerError("dataset_invalid", f"{image.file_name} has several labels, not one.")
        if image.labels and image.labels[0] not in known:
            raise TrainerError("dataset_invalid", f"{image.file_name} is labelled {image.labels[0]}: no such class.")
    train, val = [i for i in data.train if i.labels], [i for i in data.val if i.labels]
    if len(Counter(i.labels[0] for i in train)) < 2:
        raise TrainerError("dataset_invalid", "Training needs labelled images of two classes at least.")
    if not val:
        raise TrainerError("dataset_invalid", "The validation part has no labelled image.")
    return data._replace(train=train, val=val)


def _members(shard: Path) -> Iterable[tuple[str, Blob]]:
    """What a tar holds, by SHA-256: a member is named by its hash and its extension."""
    try:
        with tarfile.open(shard, "r:") as tar:
            for member in tar:
                yield Path(member.name).stem, Blob(str(shard), member.offset_data, member.size)
                tar.members.clear()  # type: ignore[attr-defined]  # or it keeps every header
    except tarfile.TarError as e:
        raise TrainerError("dataset_invalid", f"The shard {shard.name} cannot be read: {e}") from e
