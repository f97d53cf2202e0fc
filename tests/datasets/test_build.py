"""The whole import as a function on folders."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import archives
import msgspec
import pytest

from visionai.datasets import build
from visionai.datasets.build import Result, Version
from visionai.operations.work import WorkFailed

Write = Callable[[Path], Path]


def built(work: Path, write: Write, format_: str = "auto") -> Result:
    work.mkdir()
    write(work / "archive")
    given = {
        "format": format_,
        "limits": {"members": 10_000, "total_bytes": 1 << 30, "ratio": 200},
        "max_pixels": 10_000_000,
    }
    return msgspec.convert(build.run(given, work, lambda *_: None), Result)  # type: ignore[arg-type]


def version(result: Result) -> Version:
    assert result.version is not None
    return result.version


def zipped(files: dict[str, bytes], **options: Any) -> Write:
    return lambda path: archives.write_zip(path, files, **options)


def codes(result: Result) -> dict[str, list[str]]:
    return {fault.code: fault.files for fault in result.faults}


def test_a_version(tmp_path: Path) -> None:
    result = built(tmp_path / "w", zipped(archives.classes(20, ("10", "2", "cats"))))
    made = version(result)
    assert [c["name"] for c in made.classes] == ["2", "10", "cats"]
    assert made.classes[0] == {"name": "2", "total": 20, "train": 16, "val": 4}
    assert (made.image_count, made.train_count, made.val_count) == (60, 48, 12)
    assert [f.kind for f in made.files] == ["annotations", "split", "shard"]
    assert made.task_types == ["classification"]
    assert made.statistics["formats"] == {"PNG": 60}
    rows = list(build.read_rows(tmp_path / "w"))
    assert [r.n for r in rows] == list(range(60))
    assert all((tmp_path / "w" / r.path).stat().st_size == r.size for r in rows)
    assert all((tmp_path / "w" / "thumbnails" / f"{r.sha256}.webp").is_file() for r in rows)
    split = msgspec.json.decode((tmp_path / "w" / "split.json").read_bytes())
    assert {(r.file_name, r.split) for r in rows} == {(name, side) for side in split for name in split[side]}
    assert codes(result) == {}


def test_the_hash_is_of_the_content_and_not_of_the_archive(tmp_path: Path) -> None:
    files = archives.classes(6)
    shuffled = dict(random.Random(3).sample(list(files.items()), len(files)))
    writes: list[Write] = [
        zipped(files), zipped(shuffled), lambda path: archives.write_tar(path, shuffled, "w:gz"),
        zipped({f"deep/er/{name}": body for name, body in files.items()}), zipped(files | {"__MACOSX/._x.png": b"x"}),
    ]  # fmt: skip
    made = [version(built(tmp_path / str(i), write)) for i, write in enumerate(writes)]
    assert len({(v.content_hash, v.split_hash, tuple(f.sha256 for f in v.files)) for v in made}) == 1
    changed = version(built(tmp_path / "changed", zipped(files | {"cats/0.png": archives.image(77)})))
    moved = {("dogs/x.png" if name == "cats/0.png" else name): body for name, body in files.items()}
    assert (
        len({made[0].content_hash, changed.content_hash, version(built(tmp_path / "m", zipped(moved))).content_hash})
        == 3
    )


def test_faults_are_listed_with_their_files_and_the_rest_is_imported(tmp_path: Path) -> None:
    files = archives.classes(20) | {
        "cats/empty.png": b"", "cats/text.png": b"no image", "dogs/cut.png": archives.image(size=(99, 99))[:-2000],
        "dogs/copy.png": archives.classes(1)["dogs/0.png"],
        "cats/both.png": archives.image(5), "dogs/both.png": archives.image(5),
        "birds/broken.png": b"x", "notes.txt": b"hello", "stray.png": archives.image(6),
    }  # fmt: skip
    result = built(tmp_path / "w", zipped(files, folders=("fish",)))
    found = codes(result)
    unreadable = sorted(name for f in result.faults if f.code == "unreadable_image" for name in f.files)
    assert unreadable == ["birds/broken.png", "cats/empty.png", "cats/text.png", "dogs/cut.png"]
    assert found["conflicting_labels"] == ["cats/both.png", "dogs/both.png"]
    assert found["duplicate_image"] == ["dogs/copy.png"]
    assert found["image_without_class"] == ["stray.png"]
    assert {f.message.split()[2] for f in result.faults if f.code == "empty_class"} == {"birds", "fish"}
    assert version(result).image_count == 43
    assert [f.severity for f in result.faults] == sorted(
        (f.severity for f in result.faults), key=["error", "warning", "info"].index
    )
    sides = {r.split for r in build.read_rows(tmp_path / "w") if r.file_name.endswith("both.png")}
    assert len(sides) == 1


def test_remarks_of_an_expert(tmp_path: Path) -> None:
    files = archives.classes(30, ("cats",)) | {
        "dogs/1.png": archives.image(1), "dogs/wide.png": archives.image(2, size=(300, 20)),
        "Dogs/1.png": archives.image(3, mode="L"),
    }  # fmt: skip
    found = codes(built(tmp_path / "w", zipped(files)))
    assert {
        "tiny_class", "class_imbalance", "similar_class_names", "mixed_sizes", "mixed_colours",
        "extreme_aspect_ratio", "class_without_val",
    } <= set(found)  # fmt: skip


def test_nothing_to_validate_on_is_said_at_once(tmp_path: Path) -> None:
    result = built(tmp_path / "w", zipped(archives.classes(1)))
    assert version(result).val_count == 0
    fault = next(f for f in result.faults if f.code == "no_validation")
    assert (fault.severity, "two different images" in fault.hint) == ("error", True)


def test_many_faulty_files_are_counted_and_the_first_fifty_named(tmp_path: Path) -> None:
    files = archives.classes(3) | {f"cats/bad{i:03}.png": b"x" for i in range(80)}
    (fault,) = [f for f in built(tmp_path / "w", zipped(files)).faults if f.code == "unreadable_image"]
    assert (fault.file_count, len(fault.files)) == (80, 50)
    assert fault.message.startswith("80 files are")


def test_too_few_readable_images_fail_and_the_report_is_kept(tmp_path: Path) -> None:
    with pytest.raises(WorkFailed) as failed:
        built(tmp_path / "w", zipped({"cats/1.png": archives.image(), "dogs/1.png": b"x"}))
    assert failed.value.reason.code == "no_readable_images"
    assert failed.value.result is not None
    assert {f["code"] for f in failed.value.result["faults"]} == {"unreadable_image", "empty_class"}


# --- archives as people have them ------------------------------------------------------------------------------------

REAL = os.environ.get("VISIONAI_TEST_DATA")
needs_real_data = pytest.mark.skipif(REAL is None, reason="VISIONAI_TEST_DATA names no folder with real data sets")


@needs_real_data
def test_imagenet10(tmp_path: Path) -> None:
    assert REAL is not None
    result = built(
        tmp_path / "w", lambda path: Path(path).write_bytes(Path(REAL, "imagenet10.zip").read_bytes()) and path
    )
    made = version(result)
    assert len(made.classes) == 10
    assert (made.train_count, made.val_count) == (10, 10)
    assert set(codes(result)) == {"tiny_class"}


@needs_real_data
@pytest.mark.parametrize(
    ("name", "words"),
    [("bccd-voc", "Pascal VOC"), ("coco8", "YOLO"), ("coco8-seg", "YOLO"), ("coco8-pose", "YOLO"), ("dota8", "YOLO")],
)
def test_detection_formats_are_named_and_refused(tmp_path: Path, name: str, words: str) -> None:
    assert REAL is not None
    with pytest.raises(WorkFailed) as failed:
        built(tmp_path / "w", lambda path: Path(path).write_bytes(Path(REAL, f"{name}.zip").read_bytes()) and path)
    assert failed.value.reason.code == "format_not_supported"
    assert words in failed.value.reason.message
    assert "class folders" in failed.value.reason.message
