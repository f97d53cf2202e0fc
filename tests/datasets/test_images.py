from __future__ import annotations

import io
from pathlib import Path

import archives
import pytest
from PIL import Image

from visionai.datasets import pool
from visionai.datasets.images import Looked, Task, look


def task(tmp_path: Path, body: bytes, suffix: str = ".png", max_pixels: int = 10_000_000) -> Task:
    path = tmp_path / "image"
    path.write_bytes(body)
    (tmp_path / "thumbnails").mkdir(exist_ok=True)
    return Task(str(path), suffix, str(tmp_path / "thumbnails"), max_pixels, sample=True)


def looked_at(tmp_path: Path, body: bytes, suffix: str = ".png", max_pixels: int = 10_000_000) -> Looked:
    return look(task(tmp_path, body, suffix, max_pixels))


FORMATS = [
    ("RGB", "PNG"), ("RGBA", "PNG"), ("L", "PNG"), ("LA", "PNG"), ("P", "PNG"), ("1", "PNG"), ("I;16", "PNG"),
    ("RGB", "JPEG"), ("CMYK", "JPEG"), ("L", "JPEG"), ("RGB", "WEBP"), ("P", "GIF"), ("RGB", "BMP"), ("F", "TIFF"),
    ("I;16", "TIFF"), ("CMYK", "TIFF"),
]  # fmt: skip


@pytest.mark.parametrize(("mode", "kind"), FORMATS)
def test_every_mode_is_read_and_shown(tmp_path: Path, mode: str, kind: str) -> None:
    if mode == "I;16":
        out = io.BytesIO()
        picture = Image.new("I;16", (40, 30))
        picture.putdata([i * 54 for i in range(1200)])
        picture.save(out, kind)
        body = out.getvalue()
    else:
        body = archives.image(size=(40, 30), mode=mode, kind=kind)
    looked = looked_at(tmp_path, body)
    assert (looked.problem, looked.width, looked.height, looked.format) == ("", 40, 30, kind)
    with Image.open(tmp_path / "thumbnails" / f"{looked.sha256}.webp") as small:
        assert small.size == (40, 30)
        assert small.convert("L").getextrema()[0] != small.convert("L").getextrema()[1]
    assert looked.mean is not None
    assert all(0 < m < 1 for m in looked.mean)


def test_thumbnails_are_256_at_most_and_keep_their_shape(tmp_path: Path) -> None:
    looked = looked_at(tmp_path, archives.image(size=(1024, 512), kind="JPEG"))
    with Image.open(tmp_path / "thumbnails" / f"{looked.sha256}.webp") as small:
        assert (small.format, small.size) == ("WEBP", (256, 128))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_to_size_and_thumbnail(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    looked = looked_at(tmp_path, archives.image(size=(40, 20), kind="JPEG", exif=exif), ".jpg")
    expected = (20, 40) if orientation >= 5 else (40, 20)
    assert (looked.width, looked.height, looked.rotated) == (*expected, orientation > 1)
    with Image.open(tmp_path / "thumbnails" / f"{looked.sha256}.webp") as small:
        assert small.size == expected


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "empty"),
        (b"this is no image", "no_image"),
        (b"<html>404</html>", "no_image"),
        (archives.image(kind="JPEG", size=(200, 200))[:-3000], "truncated"),
        (archives.image(size=(200, 200))[:-3000], "truncated"),
        (archives.image(size=(200, 100)), "too_large"),
    ],
    ids=["empty", "text", "web page", "jpeg cut off", "png cut off", "too many pixels"],
)
def test_what_cannot_be_used_says_why(tmp_path: Path, body: bytes, problem: str) -> None:
    limit = 1000 if problem == "too_large" else 10_000_000
    assert looked_at(tmp_path, body, max_pixels=limit).problem == problem
    assert list((tmp_path / "thumbnails").iterdir()) == []


def test_a_damaged_middle_is_found(tmp_path: Path) -> None:
    body = bytearray(archives.image(size=(100, 100)))
    body[len(body) // 2] ^= 0xFF
    assert looked_at(tmp_path, bytes(body)).problem in ("damaged", "truncated")


def test_of_an_animation_the_first_frame_is_used(tmp_path: Path) -> None:
    out = io.BytesIO()
    red, blue = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")
    red.save(out, "GIF", save_all=True, append_images=[blue])
    looked = looked_at(tmp_path, out.getvalue(), ".gif")
    assert looked.animated
    assert looked.mean is not None
    assert looked.mean[0] > 0.9


def test_a_suffix_of_another_format_is_noted(tmp_path: Path) -> None:
    assert looked_at(tmp_path, archives.image(kind="JPEG"), ".png").wrong_suffix
    assert not looked_at(tmp_path, archives.image(kind="JPEG"), ".jpeg").wrong_suffix


def test_a_crashing_decoder_costs_one_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A segmentation fault in a C library kills a pool process; the other images are looked at all the same."""
    import os

    def crash_at_poison(one: Task) -> Looked:
        if one.suffix == ".poison":
            os._exit(139)
        return look(one)

    monkeypatch.setattr(pool, "look", crash_at_poison)
    good = task(tmp_path, archives.image())
    poison = Task(good.path, ".poison", good.thumbnails, good.max_pixels, False)
    tasks = [good] * 70
    tasks[40] = poison
    problems = [looked.problem for looked in pool.look_at_all(tasks, 2)]
    assert problems == [""] * 40 + ["crashes"] + [""] * 29


def test_what_would_be_handed_to_another_program_is_no_image(tmp_path: Path) -> None:
    """Pillow gives EPS to Ghostscript, whatever the file is called."""
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n%%EOF\n"
    assert looked_at(tmp_path, eps, ".jpg").problem == "no_image"
