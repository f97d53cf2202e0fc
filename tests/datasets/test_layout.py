from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visionai.datasets.archive import File, Unpacked
from visionai.datasets.faults import FaultBook
from visionai.datasets.layout import Layout, find_layout
from visionai.operations.work import WorkFailed


def found(
    *images: str, others: tuple[str, ...] = (), folders: tuple[str, ...] = (), coco: tuple[str, ...] = ()
) -> Unpacked:
    return Unpacked([File(name, Path(name)) for name in images], list(others), list(folders), list(coco))


def labels(layout: Layout) -> dict[str, tuple[str, str | None]]:
    return {item.file_name: (item.label, item.split) for item in layout.items}


FOUR = ("cats/1.png", "cats/2.png", "dogs/1.png", "dogs/2.png")


@given(st.lists(st.sampled_from(["data", "my photos", "v1", "images", "2024"]), max_size=4))
def test_class_folders_below_any_number_of_wrapping_folders(wrapping: list[str]) -> None:
    prefix = "".join(f"{w}/" for w in wrapping)
    layout = find_layout(found(*(prefix + name for name in FOUR)), FaultBook())
    assert labels(layout) == {name: (name.split("/")[0], None) for name in FOUR}


@pytest.mark.parametrize("val", ["val", "valid", "validation", "Val"])
@pytest.mark.parametrize("prefix", ["", "root/", "a/b/"])
def test_a_given_split_is_kept(val: str, prefix: str) -> None:
    images = [f"{prefix}{split}/{label}/1.png" for split in ("train", val) for label in ("cats", "dogs")]
    layout = find_layout(found(*images), FaultBook())
    assert {(i.label, i.split) for i in layout.items} == {
        (label, split) for label in ("cats", "dogs") for split in ("train", "val")
    }
    assert layout.items[0].file_name.startswith("train/")


def test_the_split_may_be_below_the_class() -> None:
    layout = find_layout(found("cats/train/1.png", "cats/val/2.png", "dogs/train/1.png", "dogs/val/2.png"), FaultBook())
    assert {(i.label, i.split) for i in layout.items} == {
        ("cats", "train"),
        ("cats", "val"),
        ("dogs", "train"),
        ("dogs", "val"),
    }


def test_test_is_validated_on_where_there_is_no_val_and_left_out_where_there_is() -> None:
    book = FaultBook()
    layout = find_layout(found("train/a/1.png", "train/b/1.png", "test/a/2.png"), book)
    assert [i.split for i in layout.items] == ["train", "train", "val"]
    assert [f.code for f in book.faults()] == ["test_used_for_validation"]
    book = FaultBook()
    layout = find_layout(found("train/a/1.png", "train/b/1.png", "val/a/2.png", "test/a/3.png"), book)
    assert "test/a/3.png" not in labels(layout)
    assert [f.code for f in book.faults()] == ["test_left_out"]


def test_train_alone_is_split_by_us() -> None:
    assert not find_layout(found("train/a/1.png", "train/b/1.png"), FaultBook()).split_given


def test_a_class_may_be_called_train() -> None:
    layout = find_layout(found("train/1.png", "bus/1.png", "car/1.png"), FaultBook())
    assert {i.label for i in layout.items} == {"train", "bus", "car"}


def test_images_without_a_class_and_deeper_folders_are_noted() -> None:
    book = FaultBook()
    layout = find_layout(found(*FOUR, "stray.png", "cats/more/3.png"), book)
    assert labels(layout)["cats/more/3.png"] == ("cats", None)
    assert {f.code: f.files for f in book.faults()} == {
        "image_without_class": ["stray.png"], "nested_folders": ["cats/more/3.png"],
    }  # fmt: skip


def test_empty_class_folders_are_found() -> None:
    layout = find_layout(
        found(*FOUR, folders=("cats", "dogs", "birds", "docs"), others=("docs/readme.txt",)), FaultBook()
    )
    assert layout.empty_classes == ["birds"]


REFUSED = {
    "nothing": (found(), "no_images", "cats/1.jpg"),
    "only text": (found(others=("a.txt",)), "no_images", "cats/1.jpg"),
    "heic": (found(others=("cats/1.HEIC",)), "no_images", "JPEG"),
    "archives inside": (found(others=("inner.zip",)), "no_images", "Unpack the inner"),
    "no folders": (found("1.png", "2.png"), "no_class_folders", "cats/1.jpg"),
    "wrapped, no class folders": (found("photos/1.png", "photos/2.png"), "one_class", "cats/1.jpg"),
    "yolo": (found("images/train/1.jpg", others=("labels/train/1.txt", "data.yaml")), "format_not_supported", "YOLO"),
    "voc": (found("VOC/JPEGImages/1.jpg", others=("VOC/Annotations/1.xml",)), "format_not_supported", "VOC"),
    "coco": (found("train/1.jpg", "val/2.jpg", coco=("annotations/instances.json",)), "format_not_supported", "COCO"),
    "masks": (found("d/images/1.png", "d/masks/1.png"), "format_not_supported", "masks"),
}


@pytest.mark.parametrize(("files", "code", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_imported_is_refused_with_what_to_do(files: Unpacked, code: str, words: str) -> None:
    with pytest.raises(WorkFailed) as failed:
        find_layout(files, FaultBook())
    assert failed.value.reason.code == code
    assert words in failed.value.reason.message + failed.value.reason.hint


def test_asked_for_class_folders_nothing_else_is_recognised() -> None:
    layout = find_layout(found("a/1.jpg", "b/2.jpg", others=("a/1.txt", "b/2.txt")), FaultBook(), refuse_others=False)
    assert {i.label for i in layout.items} == {"a", "b"}


def test_face_masks_are_a_fine_class() -> None:
    assert len(find_layout(found("images/mask/1.png", "images/no_mask/1.png"), FaultBook()).items) == 2
