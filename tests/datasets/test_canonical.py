from __future__ import annotations

import hashlib
import io
import random
import tarfile
from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from visionai.datasets.canonical import Annotation, natural, write_annotations, write_shards, write_split


def test_classes_are_sorted_as_people_count() -> None:
    assert sorted(["10", "2", "1"], key=natural) == ["1", "2", "10"]
    assert sorted(["img12", "img2", "Img1"], key=natural) == ["Img1", "img2", "img12"]


@given(st.lists(st.text(max_size=6), unique=True))
def test_the_order_of_classes_is_total(names: list[str]) -> None:
    shuffled = random.Random(1).sample(names, len(names))
    assert sorted(shuffled, key=natural) == sorted(names, key=natural)


def test_annotations_are_the_lines_that_trainers_read(tmp_path: Path) -> None:
    file, content_hash = write_annotations(
        tmp_path / "annotations.ndjson", ["cats"], [Annotation("cats/1.png", 4, 3, 99, "ab", ["cats"])]
    )
    body = (tmp_path / "annotations.ndjson").read_bytes()
    assert body == (
        b'{"file_name":"cats/1.png","width":4,"height":3,"size":99,"sha256":"ab","labels":["cats"],"objects":[]}\n'
    )
    assert (file.kind, file.size, file.sha256) == ("annotations", len(body), hashlib.sha256(body).hexdigest())
    assert content_hash == hashlib.sha256(b'["visionai-annotations-1",["cats"]]\n' + body).hexdigest()


def test_the_same_split_is_the_same_file(tmp_path: Path) -> None:
    one = write_split(tmp_path / "one", {"b": "train", "a": "train", "c": "val"})
    two = write_split(tmp_path / "two", {"c": "val", "a": "train", "b": "train"})
    assert one.sha256 == two.sha256
    assert msgspec.json.decode((tmp_path / "one").read_bytes()) == {"train": ["a", "b"], "val": ["c"]}


def test_shards_are_plain_tars_of_bounded_size_and_always_the_same(tmp_path: Path) -> None:
    images = []
    for i in range(20):
        path = tmp_path / f"{i:064x}"
        path.write_bytes(bytes([i]) * 3000)
        images.append((f"{path.name}.png", path))
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    shards = list(write_shards(tmp_path / "a", images, limit=20_000))
    assert len(shards) > 1
    assert [s.sha256 for s in shards] == [s.sha256 for s in write_shards(tmp_path / "b", images, limit=20_000)]
    members = {}
    for shard in shards:
        body = (tmp_path / "a" / shard.name).read_bytes()
        assert (shard.size, shard.sha256) == (len(body), hashlib.sha256(body).hexdigest())
        with tarfile.open(fileobj=io.BytesIO(body)) as tar:
            for m in tar.getmembers():
                assert m.mtime == 0
                extracted = tar.extractfile(m)
                assert extracted is not None
                members[m.name] = extracted.read()
    assert members == {name: path.read_bytes() for name, path in images}
