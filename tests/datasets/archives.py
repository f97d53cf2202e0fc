"""Archives for tests, good and hostile."""

from __future__ import annotations

import io
import random
import tarfile
import zipfile
import zlib
from pathlib import Path

from PIL import Image


def image(
    seed: int = 0, *, size: tuple[int, int] = (12, 10), mode: str = "RGB", kind: str = "PNG", **options: object
) -> bytes:
    """A small image; another seed gives another one."""
    noise = random.Random(seed)
    picture = Image.new("RGB", size)
    picture.putdata([tuple(noise.randrange(256) for _ in range(3)) for _ in range(size[0] * size[1])])
    out = io.BytesIO()
    picture.convert(mode).save(out, kind, **options)
    return out.getvalue()


def classes(count: int = 5, names: tuple[str, ...] = ("cats", "dogs")) -> dict[str, bytes]:
    """``count`` different images in each class folder."""
    return {f"{name}/{i}.png": image(zlib.crc32(f"{name}/{i}".encode())) for name in names for i in range(count)}


def write_zip(path: Path, files: dict[str, bytes], *, folders: tuple[str, ...] = ()) -> Path:
    with zipfile.ZipFile(path, "w") as z:
        for folder in folders:
            z.mkdir(folder)
        for name, body in files.items():
            info = zipfile.ZipInfo("placeholder")
            info.filename = name  # the constructor would mend hostile names
            z.writestr(info, body)
    return path


def write_tar(path: Path, files: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, body in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return path


def write_tar_members(path: Path, *members: tarfile.TarInfo) -> Path:
    """Members without content: links, devices, lies about sizes."""
    with tarfile.open(path, "w") as tar:
        for member in members:
            tar.addfile(member)
        for name, body in classes().items():
            info = tarfile.TarInfo(name)
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return path


def member(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info
