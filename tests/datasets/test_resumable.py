"""Resumable uploads through the API: what the protocol says, and what is kept when something breaks."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import archives
import httpx
import msgspec
import pytest
import time_machine
from dataset_world import World
from sqlalchemy import update

from visionai import failpoints
from visionai.datasets import resumable
from visionai.datasets.tables import Dataset, DatasetUpload
from visionai.datasets.uploads import ABANDONED, remove_abandoned
from visionai.db import utcnow
from visionai.operations.tables import Operation
from visionai.storage import keys

pytestmark = pytest.mark.process
PATH = "/api/v1/uploads"
BYTES = "application/offset+octet-stream"
DAY = timedelta(days=1, minutes=1)


class Tus:
    """A client of the protocol; ``None`` takes a header away."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def ask(
        self, method: str, path: str, *, who: str = "ada", content: Any = None, **headers: str | None
    ) -> httpx.Response:
        named = {name.replace("_", "-").title(): value for name, value in headers.items()}
        given = {**self.world.headers(who), "Tus-Resumable": "1.0.0", **named}
        sent = {name: value for name, value in given.items() if value is not None}
        answer = await self.world.client.request(method, path, content=content, headers=sent)
        assert answer.headers["tus-resumable"] == "1.0.0"
        if answer.status_code >= 400 and method != "HEAD":
            assert answer.headers["content-type"].startswith("application/problem+json")
            assert len(answer.json()["detail"].split()) >= 3, "an error says what to do"
        return answer

    async def begin(
        self, size: int, *, content: Any = None, metadata: str | None = None, **more: Any
    ) -> httpx.Response:
        metadata = said(filename="photos.zip") if metadata is None else metadata
        return await self.ask(
            "POST", PATH, content=content, upload_length=str(size), upload_metadata=metadata or None, **more
        )

    async def begun(self, size: int, **more: Any) -> str:
        answer = await self.begin(size, **more)
        assert answer.status_code == 201, answer.text
        return str(answer.headers["location"])

    async def patch(self, path: str, offset: int | str, content: Any, **more: Any) -> httpx.Response:
        return await self.ask(
            "PATCH", path, content=content, **{"content_type": BYTES, "upload_offset": str(offset), **more}
        )

    async def offset(self, path: str) -> int:
        answer = await self.ask("HEAD", path)
        assert answer.status_code == 200
        return int(answer.headers["upload-offset"])


@pytest.fixture
def tus(world: World) -> Tus:
    return Tus(world)


def said(**fields: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in fields.items())


def archive(tmp_path: Path, each: int = 10) -> bytes:
    return archives.write_zip(tmp_path / "a.zip", archives.classes(each)).read_bytes()


async def stored_upload(world: World, path: str) -> bytes:
    async with world.parts.db.read() as session:
        upload = await session.get_one(DatasetUpload, UUID(path.rpartition("/")[2]))
    await world.parts.storage.complete(resumable._key(upload))
    return b"".join([chunk async for chunk in world.parts.storage.get(resumable._key(upload))])


# --- the protocol -----------------------------------------------------------------------------------------------------


async def test_what_is_spoken_is_said_to_everybody(world: World) -> None:
    answer = await world.client.options(PATH)
    assert (answer.status_code, answer.headers["tus-version"], answer.headers["tus-max-size"]) == (
        204, "1.0.0", "5000000",
    )  # fmt: skip
    assert set(answer.headers["tus-extension"].split(",")) == {
        "creation", "creation-with-upload", "expiration", "checksum", "termination",
    }  # fmt: skip
    assert answer.headers["tus-checksum-algorithm"] == "sha1,sha256"


async def test_from_the_first_bytes_to_a_data_set_that_is_ready(tus: Tus, world: World, tmp_path: Path) -> None:
    body = archive(tmp_path)
    begun = await tus.begin(len(body), metadata=said(filename="C:\\pictures\\cats.tar.gz", type="application/zip"))
    path, dataset_id = begun.headers["location"], begun.headers["upload-dataset-id"]
    assert (begun.status_code, begun.json()["dataset_id"], path) == (201, dataset_id, f"{PATH}/{begun.json()['id']}")
    assert await tus.offset(path) == 0

    answer = await tus.patch(path, 0, body[:1000])
    assert (answer.status_code, answer.headers["upload-offset"]) == (204, "1000")
    assert timedelta(hours=23) < parsedate_to_datetime(answer.headers["upload-expires"]) - utcnow() < timedelta(days=1)
    assert "location" not in answer.headers
    dataset = (await world.get(f"/{dataset_id}")).json()
    assert (dataset["name"], dataset["status"]) == ("cats", "uploading")
    assert (dataset["upload"]["received"], dataset["upload"]["size"]) == (1000, len(body))
    assert (await world.get("")).json()["items"][0]["upload"] == dataset["upload"]

    answer = await tus.patch(path, 1000, body[1000:])
    assert (answer.headers["upload-offset"], answer.headers["location"]) == (
        str(len(body)), f"/api/v1/datasets/{dataset_id}",
    )  # fmt: skip
    assert answer.headers["upload-dataset-id"] == dataset_id
    dataset = (await world.get(f"/{dataset_id}")).json()
    assert (dataset["status"], dataset["upload"]) == ("processing", None)
    assert (await world.finish(dataset["operation"]["id"])).status == "completed"
    assert (await world.get(f"/{dataset_id}/images")).json()["total"] == 20
    assert not any("uploads" in key or "received" in key for key in world.stored())


async def test_looking_says_what_a_client_needs_to_go_on(tus: Tus) -> None:
    path = await tus.begun(10, metadata=said(name="cats", colour="red"))
    await tus.patch(path, 0, b"123")
    answer = await tus.ask("HEAD", path)
    assert (answer.headers["upload-offset"], answer.headers["upload-length"]) == ("3", "10")
    assert answer.headers["upload-metadata"] == said(name="cats", colour="red")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("method", ["POST", "HEAD", "PATCH", "DELETE"])
async def test_another_version_is_refused(tus: Tus, method: str) -> None:
    path = PATH if method == "POST" else await tus.begun(10)
    for version in (None, "0.2.2"):
        answer = await tus.ask(method, path, tus_resumable=version, upload_length="10", upload_offset="0")
        assert (answer.status_code, answer.headers["tus-version"]) == (412, "1.0.0")


async def test_what_is_not_sent_right_changes_nothing(tus: Tus, world: World) -> None:
    path = await tus.begun(10)
    await tus.patch(path, 0, b"1234")
    for offset, content, more, status in (
        (4, b"56", {"content_type": "application/octet-stream"}, 415),
        (0, b"1234", {}, 409),
        (5, b"6", {}, 409),
        (-1, b"6", {}, 422),
        ("x", b"6", {}, 422),
        (4, b"5678901", {}, 413),
        (4, b"56", {"upload_checksum": "md5 xx"}, 400),
        (4, b"56", {"upload_checksum": "sha1 ä".encode()}, 400),
        (4, b"56", {"upload_checksum": f"sha1 {base64.b64encode(bytes(20)).decode()}"}, 460),
    ):  # fmt: skip
        answer = await tus.patch(path, offset, content, **more)
        assert answer.status_code == status, answer.text
        assert await tus.offset(path) == 4
    await tus.patch(path, 4, b"567890")
    assert await stored_upload(world, path) == b"1234567890"


async def test_creations_that_are_wrong_name_the_header(tus: Tus, world: World) -> None:
    for size, metadata, header in (
        (0, None, "Upload-Length"), (-1, None, "Upload-Length"), (10, "", "Upload-Metadata"),
        (10, "name !", "Upload-Metadata"), (10, said(name=""), "Upload-Metadata"),
        (10, f"name {base64.b64encode(bytes([255])).decode()}", "Upload-Metadata"),
        (10, said(name="x" * 4000), "Upload-Metadata"), (10, said(name="x" * 201), "name"),
        (10, said(name="invoice\u202egpj"), "name"), (10, said(name="a", format="coco"), "format"),
        (10, said(name="a", project_id="mine"), "project_id"),
    ):  # fmt: skip
        answer = await tus.begin(size, metadata=metadata)
        assert answer.status_code == 422, answer.text
        assert [e["field"] for e in answer.json()["errors"]] == [header]
    answer = await tus.begin(5_000_001)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    other = said(name="a", project_id=str(world.projects["two"].id))
    assert (await tus.begin(10, metadata=other)).status_code == 404
    assert (await tus.begin(10, who="rita")).status_code == 403
    assert await world.count(Dataset) == 0


async def test_the_first_bytes_may_come_with_the_creation(tus: Tus, world: World) -> None:
    answer = await tus.begin(10, content=b"12345", content_type=BYTES)
    assert (answer.status_code, answer.headers["upload-offset"]) == (201, "5")
    await tus.patch(answer.headers["location"], 5, b"67890")
    assert await stored_upload(world, answer.headers["location"]) == b"1234567890"
    answer = await tus.begin(5, content=b"123456789", content_type=BYTES)
    assert (answer.status_code, answer.headers["upload-offset"]) == (201, "0"), "what is too much is told with the next"


async def test_a_creation_that_is_sent_again_creates_nothing_more(tus: Tus, world: World) -> None:
    first = await tus.begin(10, idempotency_key="k")
    again = await tus.begin(10, idempotency_key="k")
    assert (again.status_code, again.headers["location"]) == (201, first.headers["location"])
    assert (await tus.begin(11, idempotency_key="k")).status_code == 422
    assert await world.count(Dataset) == 1


@pytest.mark.parametrize("algorithm", resumable.ALGORITHMS)
async def test_a_checksum_that_fits_is_taken(tus: Tus, world: World, algorithm: str) -> None:
    path = await tus.begun(10)
    checksum = f"{algorithm} {base64.b64encode(hashlib.new(algorithm, b'1234567890').digest()).decode()}"
    assert (await tus.patch(path, 0, b"1234567890", upload_checksum=checksum)).status_code == 204
    assert await stored_upload(world, path) == b"1234567890"


async def test_what_comes_with_a_checksum_is_kept_all_or_nothing(
    tus: Tus, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resumable, "STEP_BYTES", 2)
    path = await tus.begun(10)
    seen = []

    async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
        for part in parts:
            seen.append(await tus.offset(path))
            yield part

    checksum = f"sha1 {base64.b64encode(hashlib.sha1(b'123456').digest()).decode()}"
    assert (await tus.patch(path, 0, chunks(b"12", b"34", b"5x"), upload_checksum=checksum)).status_code == 460
    assert await tus.offset(path) == 0
    assert (await tus.patch(path, 0, chunks(b"12", b"34", b"56"), upload_checksum=checksum)).status_code == 204
    assert (await tus.offset(path), set(seen)) == (6, {0})
    await tus.patch(path, 6, b"7890")
    assert await stored_upload(world, path) == b"1234567890"


async def test_who_is_let_through_with_post_alone_may_send_and_give_up(tus: Tus, world: World) -> None:
    path = await tus.begun(10)
    answer = await tus.ask(
        "POST", path, content=b"123", content_type=BYTES, upload_offset="0", x_http_method_override="PATCH"
    )
    assert (answer.status_code, answer.headers["upload-offset"]) == (204, "3")
    assert (await tus.ask("POST", path, x_http_method_override="PATCH")).status_code == 422
    assert (await tus.ask("POST", path)).status_code == 422
    assert (await tus.ask("POST", path, x_http_method_override="DELETE")).status_code == 204
    assert (await tus.ask("HEAD", path)).status_code == 404


async def test_only_who_began_it_and_admins_may_go_on(tus: Tus, world: World) -> None:
    path = await tus.begun(10)
    async with world.parts.db.write() as session:
        await world.add_user(session, "root", "admin")
    for who in ("rita", "sam"):
        assert (await tus.patch(path, 0, b"x", who=who)).status_code == 404
        assert (await tus.ask("HEAD", path, who=who)).status_code == 404
        assert (await tus.ask("DELETE", path, who=who)).status_code == 404
    assert (await tus.patch(path, 0, b"12345", who="root")).status_code == 204
    assert (await tus.patch(path, 5, b"67890")).status_code == 204
    assert await stored_upload(world, path) == b"1234567890"


async def test_the_headers_are_in_the_openapi_document(world: World) -> None:
    document = msgspec.json.decode((await world.client.get("/api/v1/openapi.json", headers=world.headers())).content)
    one = document["paths"]["/api/v1/uploads/{upload_id}"]
    assert set(one) == {"head", "patch", "delete"}
    assert "Upload-Offset" in [p["name"] for p in one["patch"]["parameters"]]
    assert {"204", "409", "412", "413", "415", "423", "460", "507"} <= set(one["patch"]["responses"])


# --- what breaks ------------------------------------------------------------------------------------------------------


async def broken_off(world: World, path: str, offset: int, content: bytes) -> None:
    """A sender that leaves in the middle."""
    messages = [{"type": "http.request", "body": content, "more_body": True}, {"type": "http.disconnect"}]
    headers = world.headers() | {"Content-Type": BYTES, "Upload-Offset": str(offset), "Tus-Resumable": "1.0.0"}
    scope = {
        "type": "http", "method": "PATCH", "path": path, "query_string": b"", "scheme": "http",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip

    async def receive() -> Any:
        return messages.pop(0)

    async def send(_: Any) -> None:
        """Nobody is there."""

    await world.app(scope, receive, send)  # type: ignore[arg-type]


async def test_a_connection_that_breaks_keeps_what_came(tus: Tus, world: World) -> None:
    path = await tus.begun(10)
    await broken_off(world, path, 0, b"1234")
    assert await tus.offset(path) == 4
    await tus.patch(path, 4, b"567890")
    assert await stored_upload(world, path) == b"1234567890"


async def test_a_sender_who_falls_silent_makes_room_for_the_next(
    tus: Tus, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resumable, "SILENT_SECONDS", 0.05)

    async def silent() -> AsyncIterator[bytes]:
        yield b"1234"
        await asyncio.Event().wait()

    path = await tus.begun(10)
    answer = await tus.patch(path, 0, silent())
    assert (answer.status_code, answer.json()["code"]) == (408, "timed_out")
    assert (await tus.patch(path, 4, b"567890")).status_code == 204


async def test_of_two_senders_at_once_the_second_is_refused(tus: Tus, world: World) -> None:
    path = await tus.begun(10)
    refused = []

    async def first() -> AsyncIterator[bytes]:
        yield b"12345"
        refused.append(await tus.patch(path, 0, b"abcdefghij"))
        yield b"67890"

    assert (await tus.patch(path, 0, first())).status_code == 204
    assert [(a.status_code, a.json()["code"]) for a in refused] == [(423, "locked")]
    assert "retry-after" in refused[0].headers
    assert await stored_upload(world, path) == b"1234567890"


async def test_who_lost_the_lease_writes_nothing_down(tus: Tus, world: World) -> None:
    path = await tus.begun(10)

    async def slow() -> AsyncIterator[bytes]:
        yield b"12345"
        async with world.parts.db.write() as session:
            await session.execute(update(DatasetUpload).values(lease_token=UUID(int=7)))

    assert (await tus.patch(path, 0, slow())).status_code == 423
    async with world.parts.db.write() as session:
        await resumable.release_leases(session)
    assert await tus.offset(path) == 0


async def test_more_than_was_announced_is_not_kept(tus: Tus) -> None:
    path = await tus.begun(10)

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield b"1234"

    answer = await tus.patch(path, 0, endless())
    assert (answer.status_code, await tus.offset(path)) == (413, 8)


async def test_a_full_disk_is_told_and_the_rest_comes_later(
    tus: Tus, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await tus.begun(10)
    await tus.patch(path, 0, b"1234")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as at_the_time:
        at_the_time.setattr("visionai.storage.local._write", full)
        answer = await tus.patch(path, 4, b"567890")
        assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
    assert await tus.offset(path) == 4
    assert (await tus.patch(path, 4, b"567890")).status_code == 204
    assert await stored_upload(world, path) == b"1234567890"
    with monkeypatch.context() as at_the_time:
        at_the_time.setattr(type(world.parts.storage), "short_of_room", lambda _: "The disk is nearly full: free some.")
        assert (await tus.begin(10)).status_code == 507


@pytest.mark.parametrize("where", ["upload.appended", "database.in_transaction", "storage.appending"])
async def test_what_nobody_was_told_of_counts_for_nothing(tus: Tus, world: World, where: str) -> None:
    """Another file is sent afterwards: nothing of the first one's rest is left in it."""
    path = await tus.begun(10)
    await tus.patch(path, 0, b"1234")
    failpoints.arm(f"{where}=raise@{2 if where == 'database.in_transaction' else 1}")
    try:
        answer = await tus.patch(path, 4, b"abc")
    finally:
        failpoints.arm("")
    assert answer.status_code == 500
    async with world.parts.db.write() as session:
        await resumable.release_leases(session)
    assert await tus.offset(path) == 4
    await tus.patch(path, 4, b"567890")
    assert await stored_upload(world, path) == b"1234567890"


async def test_bytes_that_storage_lost_are_asked_for_again(tus: Tus, world: World) -> None:
    path = await tus.begun(10)
    await tus.patch(path, 0, b"123456")
    (part,) = (world.parts.storage.root / ".received").rglob("*/uploads/*")
    part.write_bytes(b"123")
    assert await tus.offset(path) == 3
    await tus.patch(path, 3, b"4567890")
    assert await stored_upload(world, path) == b"1234567890"


async def test_who_missed_the_last_answer_hears_it_again(tus: Tus, world: World) -> None:
    begun = await tus.begin(10)
    path = begun.headers["location"]
    await tus.patch(path, 0, b"1234567890")
    answer = await tus.ask("HEAD", path)
    assert answer.headers["upload-offset"] == "10"
    assert answer.headers["location"] == f"/api/v1/datasets/{begun.headers['upload-dataset-id']}"
    again = await tus.patch(path, 10, b"")
    assert (again.status_code, again.headers["location"]) == (204, answer.headers["location"])
    assert await world.count(Operation) == 1


# --- the end of unfinished ones ---------------------------------------------------------------------------------------


async def test_giving_up_leaves_nothing(tus: Tus, world: World) -> None:
    path = await tus.begun(10)
    await tus.patch(path, 0, b"1234")
    assert (await tus.ask("DELETE", path)).status_code == 204
    assert (await tus.ask("DELETE", path)).status_code == 404
    assert (world.stored(), await world.count(Dataset), await world.count(DatasetUpload)) == ([], 0, 0)


async def test_one_that_has_arrived_is_deleted_as_a_data_set(tus: Tus, world: World) -> None:
    path = await tus.begun(4)
    await tus.patch(path, 0, b"1234")
    answer = await tus.ask("DELETE", path)
    assert (answer.status_code, answer.json()["code"]) == (409, "upload_finished")
    assert await world.count(Dataset) == 1


@pytest.mark.parametrize("offset", [0, 4])
async def test_giving_up_while_it_is_being_sent_leaves_nothing(tus: Tus, world: World, offset: int) -> None:
    path = await tus.begun(10)
    await tus.patch(path, 0, b"1234"[:offset])

    async def sending() -> AsyncIterator[bytes]:
        assert (await tus.ask("DELETE", path)).status_code == 204
        yield b"1234567890"[offset:]

    assert (await tus.patch(path, offset, sending())).status_code == 404
    assert (world.stored(), await world.count(Dataset)) == ([], 0)


async def test_an_upload_is_kept_for_a_day_after_its_last_bytes(tus: Tus, world: World) -> None:
    db, storage, now = world.parts.db, world.parts.storage, utcnow()
    path = await tus.begun(10)
    assert await remove_abandoned(db, storage, now + 2 * ABANDONED) == 0, "the rule for those in one request"
    with time_machine.travel(now + timedelta(hours=23), tick=False):
        assert (await tus.patch(path, 0, b"1234", authorization=_token(world))).status_code == 204
    assert await resumable.remove_expired(db, storage, now + DAY) == 0
    with time_machine.travel(now + timedelta(hours=23) + DAY, tick=False):
        answer = await tus.patch(path, 4, b"5", authorization=_token(world))
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert "begin a new one" in answer.json()["detail"]
        assert await resumable.remove_expired(db, storage, utcnow()) == 1
    assert (world.stored(), await world.count(Dataset), await world.count(DatasetUpload)) == ([], 0, 0)


def _token(world: World) -> str:
    return world.headers()["Authorization"]


async def test_one_that_ended_is_forgotten_and_its_data_set_stays(tus: Tus, world: World) -> None:
    path = await tus.begun(4)
    await tus.patch(path, 0, b"1234")
    assert await resumable.remove_expired(world.parts.db, world.parts.storage, utcnow() + DAY) == 1
    assert (await world.count(DatasetUpload), await world.count(Dataset)) == (0, 1)
    assert len(world.stored()) == 1


async def test_one_whose_data_set_is_deleted_goes_with_it(tus: Tus, world: World) -> None:
    begun = await tus.begin(10)
    path = begun.headers["location"]
    answers = []

    async def sending() -> AsyncIterator[bytes]:
        yield b"1234"
        url = f"/api/v1/datasets/{begun.headers['upload-dataset-id']}"
        answers.append(await world.client.delete(url, headers=world.headers()))
        assert await resumable.remove_expired(world.parts.db, world.parts.storage, utcnow()) == 0, "it is being sent"

    assert (await tus.patch(path, 0, sending())).status_code == 404
    assert [a.status_code for a in answers] == [204]
    assert (await tus.ask("HEAD", path)).status_code == 404
    assert await resumable.remove_expired(world.parts.db, world.parts.storage, utcnow()) == 1
    assert (world.stored(), await world.count(Dataset)) == ([], 0)


async def test_an_import_that_is_cancelled_before_it_began_leaves_nothing(tus: Tus, world: World) -> None:
    begun = await tus.begin(4)
    await tus.patch(begun.headers["location"], 0, b"1234")
    dataset_id = begun.headers["upload-dataset-id"]
    operation = (await world.get(f"/{dataset_id}")).json()["operation"]["id"]
    url = f"/api/v1/datasets/{dataset_id}"
    assert (await world.client.delete(url, headers=world.headers())).status_code == 204
    assert (await world.finish(operation)).status == "cancelled"
    assert [key async for key in world.parts.storage.list(keys.dataset(UUID(dataset_id)))] == []
    assert world.stored() == []
