"""Looking at one image: decoded whole, measured, and shown small. Runs in a pool process.

``verify()`` accepts truncated files, so ``load()`` is the check.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import os
import warnings
from pathlib import Path

import msgspec
from PIL import Image, ImageOps, ImageStat, UnidentifiedImageError

THUMBNAIL_SIDE = 256
STATISTICS_SIDE = 64
ORIENTATION = 0x0112
SUFFIXES = {  # of the formats that are told apart by name; others are taken as they come
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"), "MPO": (".jpg", ".jpeg"), "PNG": (".png", ".apng"), "GIF": (".gif",),
    "WEBP": (".webp",), "BMP": (".bmp", ".dib"), "TIFF": (".tif", ".tiff"),
}  # fmt: skip


FORMATS = frozenset(("JPEG", "PNG", "GIF", "WEBP", "BMP", "DIB", "TIFF", "PPM", "JPEG2000", "AVIF", "TGA"))
"""What may be opened, whatever a file is called: Pillow knows many more, one of which runs Ghostscript."""


class Task(msgspec.Struct, frozen=True):
    path: str
    suffix: str
    thumbnails: str
    """The folder to write ``<sha256>.webp`` to."""
    max_pixels: int
    sample: bool
    """Measure its colours too."""


class Looked(msgspec.Struct, kw_only=True):
    """What there is to know of one file. With ``problem`` the rest means nothing."""

    problem: str = ""
    """``empty``, ``no_image``, ``truncated``, ``too_large``, ``crashes`` or ``damaged``."""
    detail: str = ""
    sha256: str = ""
    size: int = 0
    width: int = 0
    height: int = 0
    """As seen: after EXIF rotation."""
    format: str = ""
    mode: str = ""
    rotated: bool = False
    animated: bool = False
    wrong_suffix: bool = False
    mean: list[float] | None = None
    """Per channel of the image in RGB, 0–1."""
    square: list[float] | None = None
    """Mean of the squares."""


def look(task: Task) -> Looked:
    """Never raises because of the image; only when the machine fails (disk full, no memory)."""
    path = Path(task.path)
    size = path.stat().st_size
    if size == 0:
        return Looked(problem="empty")
    Image.MAX_IMAGE_PIXELS = None  # our own limit comes first, before anything is decoded
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path, formats=_formats()) as image:
            if image.width * image.height > task.max_pixels:
                return Looked(problem="too_large")
            image.load()
            with path.open("rb") as f:
                sha256 = hashlib.file_digest(f, "sha256").hexdigest()
            return _described(image, task, sha256, size)
    except UnidentifiedImageError:
        return Looked(problem="no_image")
    except MemoryError:
        return Looked(problem="damaged", detail="it takes too much memory")
    except OSError as e:
        if e.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        cut_off = "truncated" in str(e) or "unrecognized data stream" in str(e)
        return Looked(problem="truncated") if cut_off else Looked(problem="damaged", detail=_first_line(e))
    except Exception as e:  # decoders raise whatever comes to their mind: SyntaxError, ValueError, struct.error, …
        return Looked(problem="damaged", detail=_first_line(e))


@functools.cache
def _formats() -> list[str]:
    """Those that this build of Pillow has, too."""
    Image.init()
    return sorted(FORMATS & set(Image.OPEN))


def _described(image: Image.Image, task: Task, sha256: str, size: int) -> Looked:
    turned = image.getexif().get(ORIENTATION, 1)
    width, height = (image.height, image.width) if turned in (5, 6, 7, 8) else image.size
    small = _shown(image)
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0)
    if turned in range(2, 9):
        small = ImageOps.exif_transpose(small)
    _write(small, Path(task.thumbnails, f"{sha256}.webp"))
    mean, square = _colours(small) if task.sample else (None, None)
    return Looked(
        sha256=sha256, size=size, width=width, height=height, format=image.format or "", mode=image.mode,
        rotated=turned in range(2, 9), animated=getattr(image, "n_frames", 1) > 1,
        wrong_suffix=task.suffix not in SUFFIXES.get(image.format or "", (task.suffix,)),
        mean=mean, square=square,
    )  # fmt: skip


def _shown(image: Image.Image) -> Image.Image:
    """In a mode that a browser can show. 16 bits are taken down to 8, other depths stretched to their own range."""
    if image.mode in ("RGB", "RGBA"):
        return image.copy()
    if image.mode.startswith("I;16"):
        return image.convert("I").point(lambda value: value / 256).convert("L").convert("RGB")
    if image.mode in ("I", "F"):
        low, high = image.getextrema()
        scale = 255 / (high - low) if high > low else 0.0
        return image.point(lambda value: value * scale - low * scale).convert("L").convert("RGB")
    transparent = "A" in image.mode or "a" in image.mode or "transparency" in image.info
    return image.convert("RGBA" if transparent else "RGB")


def _write(small: Image.Image, path: Path) -> None:
    part = path.with_suffix(f".{os.getpid()}")
    small.save(part, "WEBP", quality=80, method=1)
    part.replace(path)


def _colours(small: Image.Image) -> tuple[list[float], list[float]]:
    stat = ImageStat.Stat(small.convert("RGB").resize((STATISTICS_SIDE, STATISTICS_SIDE), Image.Resampling.BILINEAR))
    n = STATISTICS_SIDE**2
    return [s / n / 255 for s in stat.sum], [s / n / 255**2 for s in stat.sum2]


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]
