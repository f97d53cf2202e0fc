"""From images to batches, in an order that follows from the seed and the epoch alone: a resumed run sees the same."""

from __future__ import annotations

import io
import os
import signal
import statistics
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError
from timm.data import Mixup, create_transform
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from visionai.trainers.contract import TrainerError
from visionai.trainers.data import Image, TrainingData
from visionai.trainers.timm.config import Config

SMALL_SIDE = 64


class Preprocessing(NamedTuple):
    """How an image becomes a model's input. Kept in the model file: prediction must do the same."""

    image_size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str

    def transform(self) -> Any:
        """The shorter side to ``image_size``, then the square in the middle."""
        return create_transform(self.image_size, crop_pct=1.0, **self._normalization())

    def augmented(self, level: str, *, horizontal_flip: bool) -> Any:
        if level == "none" and not horizontal_flip:
            return self.transform()
        options = {**_LEVELS[level], "hflip": 0.5 if horizontal_flip else 0.0}
        return create_transform(self.image_size, is_training=True, **self._normalization(), **options)

    def _normalization(self) -> dict[str, Any]:
        return {"mean": self.mean, "std": self.std, "interpolation": self.interpolation}


# mmax9: at magnitude 10 timm's posterize keeps no bit, which Pillow refuses
_LEVELS: dict[str, dict[str, Any]] = {
    "none": {"scale": (1.0, 1.0), "ratio": (1.0, 1.0), "color_jitter": None},
    "light": {"scale": (0.7, 1.0), "ratio": (0.85, 1.18), "color_jitter": None},
    "medium": {"scale": (0.4, 1.0), "auto_augment": "rand-m6-mstd0.5-inc1-mmax9", "color_jitter": 0.2},
    "strong": {"scale": (0.2, 1.0), "auto_augment": "rand-m9-mstd0.5-inc1-mmax9", "color_jitter": 0.4, "re_prob": 0.25},
}


class BadImage(Exception):
    """Raised in a loader process: one text, so that it can travel."""


class ImageSet(Dataset):  # type: ignore[misc]
    def __init__(self, images: list[Image], classes: list[str], transform: Any) -> None:
        self._images, self._transform = images, transform
        self._index = {name: i for i, name in enumerate(classes)}

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        image = self._images[i]
        return self._transform(decoded(image)), self._index[image.labels[0]]


class Loaders:
    """``train(epoch, start)`` are the batches of an epoch from number ``start`` on; ``val()`` all of validation."""

    def __init__(self, data: TrainingData, config: Config, preprocessing: Preprocessing, device: torch.device) -> None:
        augmented = preprocessing.augmented(config.augmentation, horizontal_flip=config.horizontal_flip)
        self._train = ImageSet(data.train, data.classes, augmented)
        self._val = ImageSet(data.val, data.classes, preprocessing.transform())
        self._batch_size, self._seed = min(config.batch_size, len(data.train)), config.seed
        self._workers = _workers(config, data.train)
        self._pinned = device.type == "cuda"
        self.steps = len(data.train) // self._batch_size  # what does not fill a batch waits for another shuffle
        if config.max_batches:
            self.steps = min(self.steps, config.max_batches)

    def train(self, epoch: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        order = torch.randperm(len(self._train), generator=self._generator(epoch)).tolist()
        size = self._batch_size
        batches = [order[i * size : (i + 1) * size] for i in range(start, self.steps)]
        return self._batches(self._train, batches, epoch)

    def val(self) -> Iterator[tuple[Tensor, Tensor]]:
        size = 2 * self._batch_size
        batches = [list(range(i, min(i + size, len(self._val)))) for i in range(0, len(self._val), size)]
        return self._batches(self._val, batches, 0)

    def _batches(self, images: ImageSet, batches: list[list[int]], epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        loader = DataLoader(
            images,
            batch_sampler=batches,
            num_workers=self._workers,
            pin_memory=self._pinned,
            generator=self._generator(epoch),  # seeds the loader processes
            worker_init_fn=_worker,
        )
        try:
            yield from loader
        except BadImage as e:
            raise TrainerError("dataset_invalid", str(e).strip().splitlines()[-1].removeprefix("BadImage: ")) from e

    def _generator(self, epoch: int) -> torch.Generator:
        return torch.Generator().manual_seed(self._seed * 1_000_003 + epoch)


def decoded(image: Image) -> Pillow.Image:
    """Upright, three channels. Raises BadImage."""
    try:
        with Pillow.open(io.BytesIO(image.blob.read())) as opened:
            return ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, UnidentifiedImageError, Pillow.DecompressionBombError, ValueError, SyntaxError) as e:
        raise BadImage(f"{image.file_name} cannot be read: {e}".replace("\n", " ")) from e


def median_side(images: list[Image]) -> int:
    """Of the longer sides, in pixels; from some 200 of the images."""
    return int(statistics.median(_longer_side(image) for image in images[:: len(images) // 200 + 1]))


def mixup(config: Config, classes: int) -> Mixup | None:
    """Mixes the images and labels of a batch; with ``strong`` augmentation only."""
    if config.augmentation != "strong":
        return None
    return Mixup(mixup_alpha=0.2, cutmix_alpha=1.0, prob=0.8, label_smoothing=0.0, num_classes=classes)


def _longer_side(image: Image) -> int:
    if image.width and image.height:
        return max(image.width, image.height)
    try:
        with Pillow.open(io.BytesIO(image.blob.read())) as opened:
            return int(max(opened.size))
    except (OSError, UnidentifiedImageError, Pillow.DecompressionBombError) as e:
        raise TrainerError("dataset_invalid", f"{image.file_name} cannot be read: {e}") from e


def _workers(config: Config, images: list[Image]) -> int:
    if config.workers is not None:
        return config.workers
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if processors == 1 or median_side(images) <= SMALL_SIDE:
        return 0
    return min(processors, 8)


def _worker(_: int) -> None:
    """A loader process ends when it is told to; stopping is the main process's decision."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
