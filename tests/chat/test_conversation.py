"""A conversation with a database: what the parser is told of it, and what is carried out."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import delete

sys.path.insert(0, str(Path(__file__).parents[1] / "jobs"))  # the world of the job tests
from jobs_world import MANIFEST, World, make_world

from visionai.api.shapes import ChatDraft
from visionai.chat import conversation
from visionai.datasets.tables import Dataset
from visionai.db import utcnow
from visionai.errors import NotFound
from visionai.frameworks import Framework
from visionai.identity.tables import ProjectMember
from visionai.jobs.policy import Policy
from visionai.jobs.tables import Job
from visionai.trainers.contract import ModelEntry


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = await make_world(tmp_path)
    properties = {**MANIFEST.schema["properties"], "pretrained": {"type": ["boolean", "null"], "default": None}}
    manifest = msgspec.structs.replace(
        MANIFEST,
        models=[ModelEntry("tiny", ["classification"], 400_000), ModelEntry("large", ["classification"], 90_000_000)],
        schema={**MANIFEST.schema, "properties": properties},
    )
    made.parts.frameworks.know(Framework("timm", "ready", "", manifest))
    yield made
    await made.parts.db.close()


async def say(world: World, *turns: str) -> conversation.Turn:
    last, known = None, None
    for text in turns:
        async with world.parts.db.write() as session:
            last = await conversation.say(
                session, world.parts.frameworks, world.user, text, conversation_id=known, project_id=None,
                settings=world.parts.settings,
            )  # fmt: skip
            known = last.conversation.id
    assert last is not None
    return last


async def change(world: World, job_id: UUID, **changes: Any) -> None:
    async with world.parts.db.write() as session:
        job = await session.get_one(Job, job_id)
        for name, value in changes.items():
            setattr(job, name, value)


async def test_a_refused_value_lives_on_between_turns_and_the_job_gets_the_answer(world: World) -> None:
    turn = await say(world, "train tiny on digits for 0 epochs", "twenty-five", "yes")
    assert turn.job_id is not None
    assert (await world.job(turn.job_id)).config["epochs"] == 25


async def test_limits_live_on_between_turns_and_the_job_gets_them(world: World) -> None:
    text = "train tiny on digits for 3 epochs, keep a checkpoint every 2 epochs, stop after 1 minute"
    shown = await say(world, text, "no retries")
    draft = msgspec.convert(shown.conversation.draft, ChatDraft)
    assert draft.policy == Policy(max_retries=0, time_limit_seconds=60, keep_every=2)
    turn = await say(world, text, "no retries", "yes")
    assert turn.job_id is not None
    job = await world.job(turn.job_id)
    assert (job.max_retries, job.time_limit_seconds, job.keep_every, job.silence_seconds) == (0, 60, 2, None)


async def test_the_setting_said_last_is_remembered_between_turns(world: World) -> None:
    turn = await say(world, "train tiny on digits, 3 epochs, batch 8", "change the epochs to ten", "make that 4", "yes")
    assert turn.job_id is not None
    config = (await world.job(turn.job_id)).config
    assert (config["epochs"], config["batch_size"]) == (4, 8)


async def test_a_training_is_told_as_it_stands(world: World) -> None:
    job_id = await world.submit()
    best = {"name": "val/accuracy", "value": 0.93, "mode": "max", "epoch": 2}
    await change(world, job_id, state="running", epoch=2, total_epochs=3, progress=70.0, eta_seconds=60.0, best=best)
    turn = await say(world, "how is my training going?")
    assert turn.job_id == job_id
    for part in ("epoch 2 of 3", "70 %", "60 s left", "val/accuracy: 0.93, at epoch 2"):
        assert part in turn.reply.message


async def test_a_waiting_training_is_told_with_its_place_in_the_queue(world: World) -> None:
    first, second = await world.submit(), await world.submit()
    for job_id in (first, second):
        await change(world, job_id, state="queued", queued_at=utcnow())
    assert "number 2 in the queue" in (await say(world, "list jobs")).reply.message


async def test_a_failed_training_is_told_with_its_reason_and_a_deleted_one_not_at_all(world: World) -> None:
    failed, deleted = await world.submit(), await world.submit()
    error = {"code": "oom", "message": "The device ran out of memory.", "hint": "Use a smaller batch size."}
    await change(world, failed, state="failed", error=error, ended_at=utcnow())
    await change(world, deleted, state="failed", ended_at=utcnow(), deleted_at=utcnow())
    turn = await say(world, "why did my last job fail?")
    assert turn.job_id == failed
    assert "The device ran out of memory. Use a smaller batch size." in turn.reply.message


async def test_cancelling_twice_is_said(world: World) -> None:
    job_id = await world.submit()
    assert (await say(world, "stop it", "yes")).job_id == job_id
    turn = await say(world, "stop it")
    assert (turn.reply.action, turn.job_id) == ("none", None)
    assert "is being cancelled already" in turn.reply.message


async def test_whether_to_stop_it_is_asked_of_the_job_as_it_is_when_the_answer_comes(world: World) -> None:
    """The question is kept in the database, so that a reload between the turns loses nothing."""
    job_id = await world.submit()
    asked = await say(world, "stop it")
    assert (asked.reply.action, asked.job_id, asked.conversation.pending) == ("ask", None, "confirm_cancel")
    assert (await world.job(job_id)).cancel_requested_at is None
    await change(world, job_id, state="completed", ended_at=utcnow())
    async with world.parts.db.write() as session:
        turn = await conversation.say(
            session, world.parts.frameworks, world.user, "yes", conversation_id=asked.conversation.id, project_id=None,
        )  # fmt: skip
    assert (turn.reply.action, turn.job_id) == ("show", job_id)
    assert "It has ended in the meantime" in turn.reply.message
    assert (await world.job(job_id)).cancel_requested_at is None


async def test_a_data_set_that_could_not_be_imported_tells_its_own_error(world: World) -> None:
    error = {"code": "no_images", "message": "The archive holds no images.", "hint": "Zip the folder with them."}
    async with world.parts.db.write() as session:
        digits = await session.get_one(Dataset, world.dataset_id)
        project, user = digits.project_id, digits.created_by
        session.add(Dataset(project_id=project, created_by=user, name="bccd-voc", status="error", error=error))
    turn = await say(world, "train on bccd-voc")
    assert "The archive holds no images. Zip the folder with them." in turn.reply.message


async def test_models_are_known_with_their_parameters_and_weights(world: World) -> None:
    assert "- tiny: 0.4M parameters" in (await say(world, "models under 5M parameters")).reply.message
    turn = await say(world, "train tiny on digits, pretrained")
    assert (turn.reply.pending, "no pretrained weights of tiny" in turn.reply.message) == ("config.pretrained", True)


async def test_who_has_left_a_project_sees_nothing_of_it_in_conversations_of_old(world: World) -> None:
    bob = msgspec.structs.replace(world, user=world.other)
    talked = (await say(bob, "train tiny on digits")).conversation.id
    async with world.parts.db.write() as session:
        await session.execute(delete(ProjectMember).where(ProjectMember.user_id == world.other.id))
    async with world.parts.db.read() as session:
        assert await conversation.latest(session, world.other, None, 10) == []
        with pytest.raises(NotFound):
            await conversation.read(session, world.other, talked)
    with pytest.raises(NotFound):
        async with world.parts.db.write() as session:
            await conversation.say(
                session, world.parts.frameworks, world.other, "list jobs", conversation_id=talked, project_id=None,
            )  # fmt: skip
