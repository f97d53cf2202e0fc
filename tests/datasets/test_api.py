"""Data sets through the API, with the import in a real child process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import archives
import msgspec
import pytest
import structlog
from dataset_world import API, World
from sqlalchemy import select

from visionai.datasets.garbage import free_deleted
from visionai.datasets.tables import Dataset, DatasetImage, DatasetVersion
from visionai.datasets.uploads import ABANDONED, Upload, remove_abandoned
from visionai.db import utcnow
from visionai.errors import Conflict
from visionai.jobs.tables import Job
from visionai.operations.reconcile import reconcile_operation
from visionai.storage import keys

pytestmark = pytest.mark.process


async def test_from_upload_to_images(world: World, tmp_path: Path) -> None:
    body = archives.write_zip(tmp_path / "a.zip", archives.classes(10)).read_bytes()
    answer = await world.upload(body, "C:\\pictures\\cats and dogs.tar.gz")
    assert answer.status_code == 202, answer.text
    accepted = answer.json()
    assert accepted["status"] == "processing"
    dataset = (await world.get(f"/{accepted['id']}")).json()
    assert (dataset["name"], dataset["status"], dataset["version"]) == ("cats and dogs", "processing", None)
    assert (await world.get(f"/{accepted['id']}/images")).status_code == 404
    await world.finish(accepted["operation_id"])
    dataset = (await world.get(f"/{accepted['id']}")).json()
    assert (dataset["status"], dataset["format"], dataset["operation"]["status"]) == (
        "ready",
        "class_folders",
        "completed",
    )
    assert dataset["version"]["classes"][0] == {"name": "cats", "total": 10, "train": 8, "val": 2}
    assert (await world.get(f"/{accepted['id']}/versions")).json()["items"] == [dataset["version"]]
    assert (await world.get("")).json()["items"] == [dataset]
    report = (await world.get(f"/{accepted['id']}/report")).json()
    assert (report["version_id"], report["faults"]) == (dataset["version"]["id"], [])
    assert report["statistics"]["formats"] == {"PNG": 20}
    image = (await world.get(f"/{accepted['id']}/images")).json()["items"][0]
    assert (image["file_name"], image["width"], image["height"], image["labels"]) == ("cats/0.png", 12, 10, ["cats"])
    full = await world.client.get(image["image_url"])
    assert (full.content, full.headers["content-type"]) == (archives.classes(1)["cats/0.png"], "image/png")
    small = await world.client.get(image["thumbnail_url"])
    assert (small.status_code, small.headers["content-type"]) == (200, "image/webp")
    redirect = await world.get(f"/{accepted['id']}/images/0/thumbnail")
    assert redirect.status_code == 302
    assert (await world.client.get(redirect.headers["location"])).content == small.content
    assert not any("uploads" in key for key in world.stored())
    assert await world.parts.executor.launches() == []


async def test_pages_and_filters(world: World, tmp_path: Path) -> None:
    dataset_id = await world.imported(archives.classes(10), tmp_path)
    first = (await world.get(f"/{dataset_id}/images", limit=15)).json()
    rest = (await world.get(f"/{dataset_id}/images", limit=15, cursor=first["next_cursor"])).json()
    assert [i["n"] for i in first["items"] + rest["items"]] == list(range(20))
    assert (first["total"], rest["next_cursor"]) == (20, None)
    jumped = (await world.get(f"/{dataset_id}/images", limit=5, offset=15)).json()
    assert [i["n"] for i in jumped["items"]] == list(range(15, 20))
    some = (await world.get(f"/{dataset_id}/images", **{"class": "dogs", "split": "val"})).json()
    assert some["total"] == 2
    assert {(i["labels"][0], i["split"]) for i in some["items"]} == {("dogs", "val")}


@pytest.mark.parametrize(
    "given", [{}, {"split": "train"}, {"split": "val"}, {"class": "dogs"}, {"class": "cats", "split": "train"}]
)
async def test_every_offset_gives_the_same_images_as_going_there(
    world: World, tmp_path: Path, given: dict[str, str]
) -> None:
    dataset_id = await world.imported(archives.classes(10), tmp_path)
    path = f"/{dataset_id}/images"
    every = (await world.get(path, **given)).json()["items"]
    expected = [i["n"] for i in every]
    for offset in range(len(every) + 2):
        page = (await world.get(path, limit=3, offset=offset, **given)).json()
        assert [i["n"] for i in page["items"]] == expected[offset : offset + 3]
        assert page["total"] == len(every)
        assert (page["next_cursor"] is None) == (offset + 3 >= len(every))


async def test_one_image_knows_its_neighbours_in_a_filter(world: World, tmp_path: Path) -> None:
    dataset_id = await world.imported(archives.classes(10), tmp_path)
    path = f"/{dataset_id}/images"
    listed = (await world.get(path, **{"class": "dogs", "split": "train"})).json()["items"]
    ns = [i["n"] for i in listed]
    for place, image in enumerate(listed):
        alone = (await world.get(f"{path}/{image['n']}", **{"class": "dogs", "split": "train"})).json()
        assert (alone["file_name"], alone["labels"], alone["objects"]) == (image["file_name"], ["dogs"], [])
        assert (alone["place"], alone["total"]) == (place, len(ns))
        assert alone["previous"] == (ns[place - 1] if place else None)
        assert alone["next"] == (ns[place + 1] if place + 1 < len(ns) else None)
    whole = await world.client.get(alone["image_url"])
    assert (whole.status_code, whole.headers["content-type"], len(whole.content)) == (200, "image/png", alone["size"])
    first = (await world.get(f"{path}/0")).json()
    assert (first["place"], first["total"], first["previous"], first["next"]) == (0, 20, None, 1)
    left_out = (await world.get(f"{path}/0", **{"class": "dogs"})).json()
    assert (left_out["labels"], left_out["place"], left_out["next"]) == (["cats"], 0, 10)
    assert (await world.get(f"{path}/20")).status_code == 404
    assert (await world.get(f"{path}/{2**53}")).status_code == 404
    assert (await world.get(f"{path}/0", "rita")).status_code == 200
    assert (await world.get(f"{path}/0", "sam")).status_code == 404


async def test_the_report_knows_which_of_its_files_are_images(world: World, tmp_path: Path) -> None:
    files = archives.classes(10)
    dataset_id = await world.imported(files | {"cats/torn.png": b"", "dogs/twin.png": files["dogs/1.png"]}, tmp_path)
    named = {
        name: n
        for fault in (await world.get(f"/{dataset_id}/report")).json()["faults"]
        for name, n in zip(fault["files"], fault["images"], strict=True)
    }
    assert named["cats/torn.png"] is None
    twin = (await world.get(f"/{dataset_id}/images/{named['dogs/twin.png']}")).json()
    assert twin["file_name"] == "dogs/twin.png"


async def test_lists_are_paged_newest_first(world: World, tmp_path: Path) -> None:
    body = archives.write_zip(tmp_path / "a.zip", archives.classes(2)).read_bytes()
    ids = [(await world.upload(body, f"{i}.zip")).json()["id"] for i in range(3)]
    first = (await world.get("", limit=2)).json()
    rest = (await world.get("", limit=2, cursor=first["next_cursor"])).json()
    assert [d["id"] for d in first["items"] + rest["items"]] == ids[::-1]


async def test_a_list_is_narrowed_by_name_and_by_status(world: World) -> None:
    async with world.parts.db.write() as session:
        for name, status in (("Cats 100%", "ready"), ("dogs", "ready"), ("cats, again", "error")):
            session.add(Dataset(project_id=world.projects["one"].id, created_by=world.users["ada"].id, name=name,
                                status=status))  # fmt: skip

    async def named(**query: str) -> list[str]:
        return [d["name"] for d in (await world.get("", **query)).json()["items"]]

    assert await named(q="CATS") == ["cats, again", "Cats 100%"]
    assert await named(q="0%") == ["Cats 100%"], "a sign of LIKE is a sign"
    assert await named(q="cats", status="ready") == ["Cats 100%"]
    assert await named(status="error") == ["cats, again"]
    assert (await world.get("", status="broken")).json()["errors"][0]["field"] == "status"


@pytest.mark.parametrize("path", ["", "/versions", "/report", "/images", "/images/0/thumbnail"])
async def test_what_belongs_to_another_project_is_not_there(world: World, tmp_path: Path, path: str) -> None:
    answer = await world.upload(archives.write_zip(tmp_path / "a.zip", archives.classes(2)).read_bytes())
    assert (await world.get(f"/{answer.json()['id']}{path}", who="sam")).status_code == 404
    operation = f"/api/v1/operations/{answer.json()['operation_id']}"
    assert (await world.client.get(operation, headers=world.headers("sam"))).status_code == 404
    assert (await world.client.get(operation, headers=world.headers("rita"))).json()["kind"] == "dataset_import"
    assert (await world.get("", who="sam")).json()["items"] == []


async def test_who_may_upload_and_delete(world: World, tmp_path: Path) -> None:
    body = archives.write_zip(tmp_path / "a.zip", archives.classes(2)).read_bytes()
    one = str(world.projects["one"].id)
    assert (await world.upload(body, who="rita", project_id=one)).status_code == 403
    assert (await world.upload(body, who="sam", project_id=one)).status_code == 404
    dataset_id = (await world.upload(body, project_id=one)).json()["id"]
    for who, status in (("sam", 404), ("rita", 403)):
        assert (await world.client.delete(f"{API}/{dataset_id}", headers=world.headers(who))).status_code == status


async def test_a_broken_archive_ends_in_a_sentence_and_leaves_nothing(world: World, tmp_path: Path) -> None:
    body = archives.write_zip(tmp_path / "a.zip", archives.classes(20)).read_bytes()
    answer = (await world.upload(body[: len(body) // 2])).json()
    await world.finish(answer["operation_id"])
    dataset = (await world.get(f"/{answer['id']}")).json()
    assert dataset["status"] == "error"
    assert dataset["error"]["code"] == "broken_archive"
    assert "Pack the folder again" in dataset["error"]["hint"]
    assert dataset["operation"]["status"] == "failed"
    assert world.stored() == []
    assert await world.parts.executor.launches() == []


async def test_the_report_of_a_failed_import_lists_the_files(world: World, tmp_path: Path) -> None:
    dataset_id = await world.imported({"cats/1.png": b"x", "dogs/1.png": archives.image()}, tmp_path)
    assert (await world.get(f"/{dataset_id}")).json()["error"]["code"] == "no_readable_images"
    report = (await world.get(f"/{dataset_id}/report")).json()
    assert report["version_id"] is None
    assert ["cats/1.png"] in [f["files"] for f in report["faults"]]


async def test_bad_forms_name_the_field(world: World) -> None:
    headers = world.headers()
    for sent, field in (
        ({"data": {"name": "x"}, "files": {"other": ("a", b"x")}}, "file"),
        ({"files": {"file": ("a.zip", b"")}}, "file"),
        ({"files": {"file": ("a.zip", b"x")}, "data": {"format": "coco"}}, "format"),
        ({"files": {"file": ("a.zip", b"x")}, "data": {"project_id": "mine"}}, "project_id"),
        ({"files": {"file": ("a.zip", b"x")}, "data": {"name": "x" * 201}}, "name"),
        ({"files": {"file": ("a.zip", b"x")}, "data": {"name": "invoice\u202egpj.zip"}}, "name"),
        ({"json": {"file": "x"}}, "Content-Type"),
        ({"content": b"--b\r\nContent-Disp", "headers": {"Content-Type": "multipart/form-data; boundary=b"}}, "body"),
    ):
        answer = await world.client.post(f"{API}/upload", **{**sent, "headers": headers | sent.get("headers", {})})  # type: ignore[arg-type]
        assert answer.status_code == 422, answer.text
        assert [e["field"] for e in answer.json()["errors"]] == [field]
    assert world.stored() == []
    assert await world.count(Dataset) == 0


async def test_fields_may_come_after_the_file(world: World, tmp_path: Path) -> None:
    body = archives.write_zip(tmp_path / "a.zip", archives.classes(2)).read_bytes()
    form = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n' + body
        + b'\r\n--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nmine\r\n--b--\r\n'
    )  # fmt: skip
    answer = await world.client.post(
        f"{API}/upload", content=form, headers=world.headers() | {"Content-Type": "multipart/form-data; boundary=b"}
    )
    assert (await world.get(f"/{answer.json()['id']}")).json()["name"] == "mine"


@pytest.mark.parametrize("announced", [True, False])
async def test_too_large_a_file_is_refused_and_leaves_nothing(world: World, announced: bool) -> None:
    form = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n'
        + bytes(7_000_000)
        + b"\r\n--b--\r\n"
    )

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(form), 100_000):
            yield form[start : start + 100_000]

    answer = await world.client.post(
        f"{API}/upload", content=form if announced else chunks(),
        headers=world.headers() | {"Content-Type": "multipart/form-data; boundary=b"},
    )  # fmt: skip
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert world.stored() == []
    assert await world.count(Dataset) == 0


async def test_an_upload_that_breaks_off_leaves_nothing(world: World, tmp_path: Path) -> None:
    body = archives.write_zip(tmp_path / "a.zip", archives.classes(20)).read_bytes()
    form = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n' + body[:-500]
    answer = await world.client.post(
        f"{API}/upload", content=form, headers=world.headers() | {"Content-Type": "multipart/form-data; boundary=b"}
    )
    assert answer.status_code == 422
    assert world.stored() == []
    assert await world.count(Dataset) == 0


async def test_a_client_that_leaves_is_one_line_in_the_log_and_no_fault_of_the_server(world: World) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n'
    messages = [{"type": "http.request", "body": head + b"x" * 1000, "more_body": True}, {"type": "http.disconnect"}]
    headers = world.headers() | {"Content-Type": "multipart/form-data; boundary=b"}
    scope = {
        "type": "http", "method": "POST", "path": f"{API}/upload", "query_string": b"", "scheme": "http",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip

    async def receive() -> Any:
        return messages.pop(0)

    async def send(_: Any) -> None:
        """Nobody is there."""

    with structlog.testing.capture_logs() as logged:
        await world.app(scope, receive, send)  # type: ignore[arg-type]
    assert [(line["event"], line["log_level"]) for line in logged] == [("client_left", "info")]
    assert world.stored() == []
    assert await world.count(Dataset) == 0


async def test_a_full_disk_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("visionai.storage.local._place", full)
    answer = await world.upload(b"x" * 100)
    assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
    assert world.stored() == []
    assert await world.count(Dataset) == 0


async def test_uploads_of_a_killed_server_are_removed_when_they_are_silent(world: World) -> None:
    async with world.parts.db.write() as session:
        dataset = Dataset(
            project_id=world.projects["one"].id, created_by=world.users["ada"].id, name="x", status="uploading"
        )
        session.add(dataset)
    assert await remove_abandoned(world.parts.db, world.parts.storage, utcnow()) == 0
    assert await remove_abandoned(world.parts.db, world.parts.storage, utcnow() + ABANDONED) == 1
    assert await world.count(Dataset) == 0


async def test_a_sender_that_was_silent_for_too_long_is_told_to_upload_again(world: World) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n' + bytes(2_000_000)
        assert await remove_abandoned(world.parts.db, world.parts.storage, utcnow() + ABANDONED) == 1
        yield b"the rest\r\n--b--\r\n"

    headers = world.headers() | {"Content-Type": "multipart/form-data; boundary=b"}
    answer = await world.client.post(f"{API}/upload", content=chunks(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "upload_abandoned")
    assert "upload it again" in answer.json()["detail"]
    assert world.stored() == []
    assert await world.count(Dataset) == 0


async def test_what_was_given_up_is_not_received_to_its_end(world: World) -> None:
    now = utcnow()
    upload = Upload(world.parts.db, world.parts.storage, 5_000_000, now=lambda: now)
    await upload.begin(project_id=world.projects["one"].id, user_id=world.users["ada"].id, name="x", format_="auto")
    received = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal now, received
        for _ in range(3):
            yield b"x" * 1000
            received += 1
            now += 2 * ABANDONED
            await remove_abandoned(world.parts.db, world.parts.storage, now)

    with pytest.raises(Conflict):
        await upload.store(chunks())
    assert received == 1
    assert world.stored() == []


async def test_deleting(world: World, tmp_path: Path) -> None:
    dataset_id = await world.imported(archives.classes(3), tmp_path)
    async with world.parts.db.write() as session:
        dataset = await session.get_one(Dataset, UUID(dataset_id))
        job = Job(
            project_id=dataset.project_id, created_by=dataset.created_by, name="j", dataset_id=dataset.id,
            dataset_version_id=dataset.current_version_id, task_type="classification", framework="timm", model_name="m",
            config={}, max_retries=0, trace_id="0" * 32, state="queued",
        )  # fmt: skip
        session.add(job)
    answer = await world.client.delete(f"{API}/{dataset_id}", headers=world.headers())
    assert (answer.status_code, answer.json()["code"]) == (409, "dataset_in_use")
    async with world.parts.db.write() as session:
        (await session.get_one(Job, job.id)).state = "completed"
    assert (await world.client.delete(f"{API}/{dataset_id}", headers=world.headers())).status_code == 204
    assert (await world.get(f"/{dataset_id}")).status_code == 404
    assert (await world.get("")).json()["items"] == []


async def test_what_is_deleted_is_freed_but_not_what_others_use(world: World, tmp_path: Path) -> None:
    """Two data sets share some images; the second one stays whole when the first goes, and the last one takes all."""
    some = archives.classes(3)
    one = await world.imported(some, tmp_path)
    more = {**some, **{f"cats/more-{i}.png": b for i, b in enumerate(archives.classes(9).values())}}
    two = await world.imported(more, tmp_path)
    await world.client.delete(f"{API}/{one}", headers=world.headers())
    assert await free_deleted(world.parts.db, world.parts.storage, utcnow()) == 1
    assert not any(one in key for key in world.stored())
    for image in (await world.get(f"/{two}/images", limit=100)).json()["items"]:
        assert (await world.client.get(image["image_url"])).status_code == 200
        assert (await world.client.get(image["thumbnail_url"])).status_code == 200
    await world.client.delete(f"{API}/{two}", headers=world.headers())
    assert await free_deleted(world.parts.db, world.parts.storage, utcnow()) == 1
    assert world.stored() == []
    assert await world.count(DatasetImage) == 0
    assert await world.count(DatasetVersion) == 2, "jobs that have ended still name what they were trained on"
    assert await free_deleted(world.parts.db, world.parts.storage, utcnow()) == 0


async def test_nothing_is_freed_while_an_import_of_the_project_is_at_work(world: World, tmp_path: Path) -> None:
    dataset_id = await world.imported(archives.classes(3), tmp_path)
    await world.client.delete(f"{API}/{dataset_id}", headers=world.headers())
    body = archives.write_zip(tmp_path / "b.zip", archives.classes(3)).read_bytes()
    other = (await world.upload(body)).json()
    assert await free_deleted(world.parts.db, world.parts.storage, utcnow()) == 0
    await world.finish(other["operation_id"])
    assert await free_deleted(world.parts.db, world.parts.storage, utcnow()) == 1
    for image in (await world.get(f"/{other['id']}/images")).json()["items"]:
        assert (await world.client.get(image["image_url"])).status_code == 200


async def test_freeing_that_was_broken_off_is_finished(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from visionai.datasets import garbage

    class ServerKilled(BaseException):
        pass

    dataset_id = await world.imported(archives.classes(10), tmp_path)
    await world.client.delete(f"{API}/{dataset_id}", headers=world.headers())
    monkeypatch.setattr(garbage, "ROWS", 7)
    real, calls = garbage.remove_blobs, 0

    async def killed_at_the_second(*arguments: Any, **more: Any) -> None:
        nonlocal calls
        calls += 1
        await real(*arguments, **more)
        if calls == 2:
            raise ServerKilled

    monkeypatch.setattr(garbage, "remove_blobs", killed_at_the_second)
    with pytest.raises(ServerKilled):
        await free_deleted(world.parts.db, world.parts.storage, utcnow())
    assert await world.count(DatasetImage) == 13
    assert await free_deleted(world.parts.db, world.parts.storage, utcnow()) == 1
    assert (world.stored(), await world.count(DatasetImage)) == ([], 0)


async def test_deleting_cancels_the_import_and_leaves_nothing(world: World, tmp_path: Path) -> None:
    body = archives.write_zip(tmp_path / "a.zip", archives.classes(50)).read_bytes()
    answer = (await world.upload(body)).json()
    await reconcile_operation(world.context, UUID(answer["operation_id"]))
    assert (await world.client.delete(f"{API}/{answer['id']}", headers=world.headers())).status_code == 204
    assert (await world.finish(answer["operation_id"])).status == "cancelled"
    assert world.stored() == []
    assert await world.count(DatasetVersion) == 0


@pytest.mark.parametrize("at", ["blobs", "images"])
async def test_publishing_that_was_broken_off_is_finished(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """A kill between two steps; the next reconcile ends with each image once, and nobody saw half a version."""

    class ServerKilled(BaseException):
        pass

    from visionai.datasets import importing

    monkeypatch.setattr(importing, "ROWS", 7)
    steps = 0
    real_move, real_image = importing._move, importing._image

    async def move(*arguments: Any) -> None:
        nonlocal steps
        steps += at == "blobs"
        if steps == 9:
            raise ServerKilled
        await real_move(*arguments)

    def image(*arguments: Any) -> dict[str, Any]:
        nonlocal steps
        steps += at == "images"
        if steps == 16:
            raise ServerKilled
        return real_image(*arguments)

    monkeypatch.setattr(importing, "_move", move)
    monkeypatch.setattr(importing, "_image", image)
    answer = (await world.upload(archives.write_zip(tmp_path / "a.zip", archives.classes(10)).read_bytes())).json()
    with pytest.raises(ServerKilled):
        await world.finish(answer["operation_id"])
    assert (await world.get(f"/{answer['id']}")).json()["status"] == "processing"
    assert (await world.get(f"/{answer['id']}/versions")).json()["items"] == []
    op = await world.finish(answer["operation_id"])
    assert (op.status, op.attempt) == ("completed", 1)
    assert await world.count(DatasetImage) == 20
    async with world.parts.db.read() as session:
        version = (await session.scalars(select(DatasetVersion))).one()
        for file in version.files:
            assert await world.parts.storage.sha256(file["key"]) == file["sha256"]
        for row in await session.scalars(select(DatasetImage)):
            key = keys.blob(version.project_id, row.sha256)
            assert await world.parts.storage.sha256(key) == row.sha256


async def test_the_form_is_in_the_openapi_document(world: World) -> None:
    document = msgspec.json.decode((await world.client.get("/api/v1/openapi.json", headers=world.headers())).content)
    operation = document["paths"]["/api/v1/datasets/upload"]["post"]
    form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert (form["required"], set(form["properties"])) == (["file"], {"file", "name", "format", "project_id"})
    assert {"202", "413", "422", "507"} <= set(operation["responses"])
