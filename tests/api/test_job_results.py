"""What the page of a job looks into: predictions image by image, the log by words, its attempts. Over HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from visionai.datasets.tables import Dataset, DatasetImage
from visionai.db import utcnow
from visionai.jobs import history, predictions
from visionai.jobs.tables import Artifact, Attempt, Job, LogChunk
from visionai.storage import keys

PAIRS = [("bolt", "bolt"), ("bolt", "nut"), ("nut", "nut"), ("nut", "bolt"), ("bolt", "nut")]


def line(n: int, true: str, predicted: str) -> bytes:
    told = {"file_name": f"{true}/{n}.png", "label": true, "predicted": predicted, "confidence": 0.75}
    return json.dumps(told | {"top": [{"class": predicted, "confidence": 0.75}]}).encode() + b"\n"


LINES = b"".join(line(n, *pair) for n, pair in enumerate(PAIRS))


@pytest.fixture
def run(client, app):
    """Does something with the app's parts, in its own loop."""

    def call(do: Any, *given: Any) -> Any:
        with client.portal() as portal:
            return portal.call(do, app.state.parts, *given)

    return call


@pytest.fixture
def ask(admin, job_id):
    def get(part: str, **query: Any) -> dict[str, Any]:
        answer = admin.call("GET", f"/api/v1/training/jobs/{job_id}/{part}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return get


async def keep(parts: Any, job_id: UUID, content: bytes, epoch: int = 3) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield content

    async with parts.db.write() as session:
        job = await session.get_one(Job, job_id)
        artifact = Artifact(
            job_id=job.id, project_id=job.project_id, attempt=1, kind="predictions", name="predictions.ndjson",
            size=len(content), sha256="0" * 64, epoch=epoch, storage_key="", completed_at=utcnow(),
        )  # fmt: skip
        session.add(artifact)
        await session.flush()
        artifact.storage_key = keys.checkpoint(job.id, 1, artifact.id)
    await parts.storage.put(artifact.storage_key, chunks())


async def add_images(parts: Any, job_id: UUID) -> None:
    async with parts.db.write() as session:
        job = await session.get_one(Job, job_id)
        for n, (true, _) in enumerate(PAIRS[:4]):
            session.add(DatasetImage(
                version_id=job.dataset_version_id, n=n, file_name=f"{true}/{n}.png", sha256=f"{n}" * 64, suffix=".png",
                width=48, height=32, size=9, split="val", label=true, labels=[true], objects=[],
            ))  # fmt: skip


async def delete_dataset(parts: Any, job_id: UUID) -> None:
    async with parts.db.write() as session:
        job = await session.get_one(Job, job_id)
        (await session.get_one(Dataset, job.dataset_id)).deleted_at = utcnow()


def names(page: dict[str, Any]) -> list[str]:
    return [item["file_name"] for item in page["items"]]


def test_predictions_come_with_their_classes_and_a_signed_thumbnail(run, ask, client, job_id):
    run(keep, job_id, LINES)
    run(add_images, job_id)
    page = ask("predictions")
    assert (page["epoch"], page["next_cursor"], len(page["items"])) == (3, None, 5)
    second = page["items"][1]
    assert {name: second[name] for name in ("file_name", "true", "predicted", "confidence", "n")} == {
        "file_name": "bolt/1.png", "true": "bolt", "predicted": "nut", "confidence": 0.75, "n": 1,
    }  # fmt: skip
    assert second["top"] == [{"class": "nut", "confidence": 0.75}]
    assert client.get(second["thumbnail_url"]).status_code == 404, "signed, though there is no such object here"
    assert client.get(second["thumbnail_url"].replace("1111", "2222", 1)).status_code == 403
    assert page["items"][4]["thumbnail_url"] is None, "the version has no such image"


def test_a_cell_of_the_confusion_matrix_has_its_images_page_by_page(run, ask, job_id):
    run(keep, job_id, LINES)
    first = ask("predictions", true="bolt", predicted="nut", limit=1)
    assert names(first) == ["bolt/1.png"]
    second = ask("predictions", true="bolt", predicted="nut", limit=1, cursor=first["next_cursor"])
    assert (names(second), second["next_cursor"]) == (["bolt/4.png"], None)
    assert names(ask("predictions", true="nut")) == ["nut/2.png", "nut/3.png"]
    assert names(ask("predictions", true="nut", predicted="washer")) == []
    assert names(ask("predictions", cursor=10**9)) == []


def test_lines_that_are_no_predictions_are_passed_over(run, ask, job_id, monkeypatch):
    monkeypatch.setattr(predictions, "MAX_LINE", 500)
    unfit = [b"\n", b"[]\n", b'{"file_name": 7}\n', b"\xff\xfe\n", line(9, "x" * 600, "y"), b"{" * 5000 + b"\n"]
    wrong = line(8, "a", "b").replace(b"0.75", b"7.5")
    run(keep, job_id, LINES + b"".join(unfit) + wrong + line(7, "nut", "nut").rstrip())
    assert names(ask("predictions")) == [f"{true}/{n}.png" for n, (true, _) in enumerate(PAIRS)] + ["nut/7.png"]


def test_a_large_file_is_read_piece_by_piece(run, ask, job_id, monkeypatch):
    monkeypatch.setattr(predictions, "SCANNED", 10_000)
    run(keep, job_id, LINES * 200)
    found, cursor, pages = 0, "0", 0
    while cursor is not None:
        page = ask("predictions", true="nut", predicted="bolt", cursor=cursor)
        found, cursor, pages = found + len(page["items"]), page["next_cursor"], pages + 1
    assert found == 200
    assert pages == -(-len(LINES) * 200 // 10_000), "each reads so many bytes, to the end of a line"


def test_without_predictions_it_is_said_why(run, admin, job_id):
    path = f"/api/v1/training/jobs/{job_id}/predictions"
    answer = admin.call("GET", path)
    assert (answer.status_code, "uploads them at its end" in answer.json()["detail"]) == (404, True)
    run(keep, job_id, LINES)
    answer = admin.call("GET", path, params={"epoch": 2})
    assert (answer.status_code, answer.json()["detail"]) == (
        404, "There are no predictions of epoch 2; there are of epoch 3.",
    )  # fmt: skip
    assert admin.call("GET", path, params={"true": "x" * 201}).status_code == 422


def test_images_of_a_deleted_data_set_are_not_shown(run, ask, job_id):
    run(keep, job_id, LINES)
    run(add_images, job_id)
    run(delete_dataset, job_id)
    assert {item["thumbnail_url"] for item in ask("predictions")["items"]} == {None}


@pytest.mark.parametrize("part", ["predictions", "attempts", "logs/text", "logs"])
def test_strangers_find_nothing(run, admin, job_id, part):
    run(keep, job_id, LINES)
    stranger = admin.as_user("eve@example.org", "engineer")
    assert stranger.call("GET", f"/api/v1/training/jobs/{job_id}/{part}").status_code == 404


# --- the log ----------------------------------------------------------------------------------------------------------


async def write_log(parts: Any, job_id: UUID, texts: list[str], at_once: int = 4) -> None:
    async with parts.db.write() as session:
        job = await session.get_one(Job, job_id)
        for first in range(0, len(texts), at_once):
            lines = [
                {"time": "2026-01-01T00:00:00Z", "level": "error" if "failed" in text else "info", "text": text}
                for text in texts[first : first + at_once]
            ]
            session.add(LogChunk(job_id=job.id, first_line=first, count=len(lines), attempt=1, lines=lines))
        job.log_lines = len(texts)


def numbers(page: dict[str, Any]) -> list[int]:
    return [item["n"] for item in page["items"]]


def test_a_log_is_searched_for_words_in_any_case_and_by_level(run, ask, job_id):
    run(write_log, job_id, ["Epoch 1", "it failed", "epoch 2", "에포크", "EPOCH 3", "failed: epoch 4"])
    assert numbers(ask("logs", q="epoch")) == [0, 2, 4, 5]
    assert numbers(ask("logs", q="에포크")) == [3]
    assert numbers(ask("logs", level="error")) == [1, 5]
    assert numbers(ask("logs", q="epoch", level="error")) == [5]
    assert numbers(ask("logs", level=["error", "info"], **{"from": 4})) == [4, 5]
    assert numbers(ask("logs", q="100%")) == []
    assert ask("logs", q="epoch")["total"] == 6


def test_a_search_goes_on_where_its_page_ended(run, ask, job_id):
    run(write_log, job_id, ["Epoch"] * 6 + ["other"])
    first = ask("logs", q="epoch", limit=4)
    assert (numbers(first), first["next_from"]) == ([0, 1, 2, 3], 4)
    second = ask("logs", q="epoch", limit=4, **{"from": first["next_from"]})
    assert (numbers(second), second["next_from"]) == ([4, 5], None)
    assert ask("logs", limit=4)["next_from"] is None


def test_one_search_reads_so_many_lines_and_no_more(run, ask, job_id, monkeypatch):
    monkeypatch.setattr(history, "SEARCHED_LINES", 100)
    monkeypatch.setattr(history, "CHUNKS_AT_ONCE", 3)
    run(write_log, job_id, ["other"] * 249 + ["epoch"])
    asked, page = [], {"next_from": 0, "items": []}
    while page["next_from"] is not None:
        asked.append(page["next_from"])
        page = ask("logs", q="epoch", **{"from": page["next_from"]})
    assert (asked, numbers(page)) == ([0, 100, 200], [249])


def test_the_whole_log_comes_as_text(run, admin, job_id):
    run(write_log, job_id, [f"line {n}" for n in range(200)])
    answer = admin.call("GET", f"/api/v1/training/jobs/{job_id}/logs/text")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["content-disposition"] == 'attachment; filename="j.log"'
    lines = answer.text.splitlines()
    assert (len(lines), lines[7]) == (200, "2026-01-01T00:00:00Z info    line 7")


# --- attempts ---------------------------------------------------------------------------------------------------------


async def add_attempts(parts: Any, job_id: UUID) -> None:
    async with parts.db.write() as session:
        for number, outcome, code in ((1, "lost", 137), (2, "succeeded", 0)):
            session.add(Attempt(
                job_id=job_id, number=number, launch_id=f"job-{job_id}-{number}", host_id="h", slot=number,
                config={"batch_size": 64 // number}, handle=None, outcome=outcome, exit_code=code, ended_at=utcnow(),
                error={"code": "process_lost", "message": "It was killed.", "hint": ""} if code else None,
            ))  # fmt: skip


def test_attempts_are_told_one_by_one(run, ask, job_id):
    run(add_attempts, job_id)
    first, second = ask("attempts")["items"]
    assert (first["number"], first["outcome"], first["exit_code"]) == (1, "lost", 137)
    assert first["error"]["message"] == "It was killed."
    assert (second["number"], second["outcome"], second["error"]) == (2, "succeeded", None)
    assert second["config"] == {"batch_size": 32}
