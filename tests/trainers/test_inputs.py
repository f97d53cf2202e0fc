"""Data is fetched once, complete or not at all, and put together as the platform meant it."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visionai.trainers import data, inputs
from visionai.trainers.contract import TrainerEnv, TrainerError
from visionai.trainers.runner import Stopped
from visionai.trainers.testing import Answer, Call, FakeClock, Server, environment, problem

Serve = Callable[[type[Server]], Server]
IMAGES = {f"{label}/{i}.PNG": f"{label}{i}".encode() for label in ("cat", "dog") for i in range(3)}


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def offer(server: Server, *, split: dict[str, list[str]] | None = None, checkpoint: bytes | None = None) -> None:
    """Six images in two shards."""
    names = list(IMAGES)
    lines = [
        {"file_name": n, "width": 8, "height": 6, "size": 4, "sha256": sha(IMAGES[n]), "labels": [n.split("/")[0]]}
        for n in names
    ]
    parts = [
        ("annotations", "annotations.ndjson", "\n".join(json.dumps(line) for line in lines).encode()),
        ("split", "split.json", json.dumps(split or {"train": names[1:], "val": names[:1]}).encode()),
        ("shard", "shard-0.tar", shard(names[:4])),
        ("shard", "shard-1.tar", shard(names[4:])),
        ("hologram", "of-the-future.bin", b"?"),
    ]
    parts += [("checkpoint", "last.pt", checkpoint)] if checkpoint else []
    server.files = {name: content for _, name, content in parts}
    server.inputs = {
        "job_id": "job-1",
        "attempt": 1,
        "dataset": {"id": "d", "version": "v", "content_hash": "h", "classes": ["cat", "dog"], "image_count": 6},
        "files": [
            {"name": n, "kind": kind, "url": f"/files/{n}?signature=1", "size": len(content), "sha256": sha(content)}
            for kind, n, content in parts
        ],
        "resume_epoch": None,
    }


def shard(names: list[str]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name in names:
            member = tarfile.TarInfo(sha(IMAGES[name]) + ".png")
            member.size = len(IMAGES[name])
            tar.addfile(member, io.BytesIO(IMAGES[name]))
    return packed.getvalue()


def fetch(env: TrainerEnv) -> inputs.Fetched:
    return inputs.fetch(env, clock=FakeClock())


def transfers(server: Server) -> list[str]:
    return [call.path for call in server.calls if call.path.startswith("/files/")]


def test_a_data_set_arrives_as_it_was_meant(serve: Serve, tmp_path: Path) -> None:
    server = serve(Server)
    offer(server, checkpoint=b"weights")
    found = inputs.training_data(fetch(environment(server.url, tmp_path)))
    assert found.classes == ["cat", "dog"]
    assert [image.file_name for image in found.val] == ["cat/0.PNG"]
    assert {image.file_name: image.blob.read() for image in (*found.train, *found.val)} == IMAGES
    assert (found.train[0].width, found.train[0].labels) == (8, ["cat"])
    assert found.checkpoint is not None
    assert found.checkpoint.read_bytes() == b"weights"
    assert tmp_path / "cache" not in found.checkpoint.parents


def test_what_is_in_the_cache_is_not_fetched_again(serve: Serve, tmp_path: Path) -> None:
    server = serve(Server)
    offer(server)
    first = fetch(environment(server.url, tmp_path))
    fetched = len(transfers(server))
    second = fetch(environment(server.url, tmp_path))
    assert first.downloaded == sum(map(len, server.files.values()))
    assert (second.downloaded, len(transfers(server))) == (0, fetched)
    assert second.files == first.files


def test_an_expired_url_is_asked_for_again(serve: Serve, tmp_path: Path) -> None:
    class Expires(Server):
        expired = False

        def answer(self, call: Call) -> Answer:
            if "shard-1" in call.path and not self.expired:
                self.expired = True
                return Answer(403)
            return super().answer(call)

    server = serve(Expires)
    offer(server)
    fetch(environment(server.url, tmp_path))
    assert len(server.to("inputs")) == 2
    assert len([path for path in transfers(server) if "shard-0" in path]) == 1


def test_damage_is_noticed_and_leaves_nothing_behind(serve: Serve, tmp_path: Path) -> None:
    server = serve(Server)
    offer(server)
    server.files["shard-0.tar"] = b"x" * len(server.files["shard-0.tar"])
    with pytest.raises(TrainerError) as caught:
        fetch(environment(server.url, tmp_path))
    assert caught.value.info.code == "storage_unavailable"
    kept = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert all(sha(path.read_bytes()) == path.name for path in kept)


def test_a_longer_file_than_announced_is_not_read_to_its_end(serve: Serve, tmp_path: Path) -> None:
    server = serve(Server)
    offer(server)
    server.files["shard-0.tar"] += b"x" * 10
    with pytest.raises(TrainerError, match="were announced"):
        fetch(environment(server.url, tmp_path))


def test_a_server_that_is_away_is_waited_for_but_not_for_ever(serve: Serve, tmp_path: Path) -> None:
    class Away(Server):
        failures = 3

        def answer(self, call: Call) -> Answer:
            self.failures -= 1
            return problem(503, "unavailable") if self.failures >= 0 else super().answer(call)

    server = serve(Away)
    offer(server)
    fetch(environment(server.url, tmp_path))
    server.failures = 10**9
    with pytest.raises(TrainerError) as caught:
        fetch(environment(server.url, tmp_path))
    assert caught.value.info.code == "storage_unavailable"


def test_a_stop_ends_the_wait(serve: Serve, tmp_path: Path) -> None:
    class Away(Server):
        def answer(self, call: Call) -> Answer:
            return problem(503, "unavailable")

    with pytest.raises(Stopped):
        inputs.fetch(environment(serve(Away).url, tmp_path), clock=FakeClock(), stop=lambda: True)


def test_a_split_that_names_an_unknown_image_is_refused(serve: Serve, tmp_path: Path) -> None:
    server = serve(Server)
    offer(server, split={"train": ["nobody.png"], "val": []})
    with pytest.raises(TrainerError, match=r"nobody\.png"):
        inputs.training_data(fetch(environment(server.url, tmp_path)))


def image(name: str, *labels: str) -> data.Image:
    return data.Image(name, 8, 8, list(labels), [], data.Blob("", 0, 0))


@pytest.mark.parametrize(
    ("train", "val", "says"),
    [
        ([image("a", "x", "y"), image("b", "y")], [image("c", "x")], "a has several labels"),
        ([image("a", "x"), image("b", "z")], [image("c", "x")], "no such class"),
        ([image("a", "x"), image("b", "x")], [image("c", "x")], "two classes"),
        ([image("a", "x"), image("b", "y")], [image("c")], "validation part"),
    ],
)
def test_data_that_one_cannot_learn_from_is_refused(train: list[data.Image], val: list[data.Image], says: str) -> None:
    with pytest.raises(TrainerError, match=says) as caught:
        data.single_labels(data.TrainingData(["x", "y"], train, val))
    assert caught.value.info.code == "dataset_invalid"


def test_images_without_a_label_are_left_out() -> None:
    found = data.single_labels(
        data.TrainingData(["x", "y"], [image("a", "x"), image("b", "y"), image("u")], [image("c", "x")])
    )
    assert [i.file_name for i in found.train] == ["a", "b"]


def test_a_folder_of_class_folders(tmp_path: Path) -> None:
    for name, content in IMAGES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "cat" / "notes.txt").write_text("no image")
    found = data.from_folder(tmp_path)
    assert {i.file_name: i.blob.read() for i in (*found.train, *found.val)} == IMAGES
    assert {i.labels[0] for i in found.val} == {"cat", "dog"}
    with pytest.raises(TrainerError, match="no class folders"):
        data.from_folder(tmp_path / "cat")


@given(st.dictionaries(st.text(max_size=8), st.sampled_from("abc"), max_size=60))
def test_a_split_is_stratified_and_depends_on_names_alone(labels: dict[str, str]) -> None:
    held_back = data.stratified(list(labels.items()), 0.2)
    assert held_back == data.stratified(list(reversed(labels.items())), 0.2)
    for label in "abc":
        members = {name for name, own in labels.items() if own == label}
        count = len(members & held_back)
        assert count == (0 if len(members) < 2 else max(1, round(len(members) * 0.2)))
