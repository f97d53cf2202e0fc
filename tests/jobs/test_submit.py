"""What cannot be trained is refused before it costs anybody a wait."""

from __future__ import annotations

import msgspec
import pytest
from jobs_world import MANIFEST, World
from sqlalchemy import update

from visionai.datasets.tables import DatasetVersion
from visionai.db import utcnow
from visionai.errors import BadInput
from visionai.frameworks import Framework
from visionai.identity.projects import add_project
from visionai.ids import uuid7
from visionai.jobs.tables import Job
from visionai.trainers.contract import ModelEntry


async def refused(world: World, **changes: object) -> list[tuple[str, str]]:
    with pytest.raises(BadInput) as found:
        await world.submit(**changes)
    return [(e.field, e.message) for e in found.value.errors]


def know(world: World, *models: ModelEntry) -> None:
    schema = {
        **MANIFEST.schema,
        "properties": {**MANIFEST.schema["properties"], "pretrained": {"type": ["boolean", "null"]}},
    }
    manifest = msgspec.structs.replace(MANIFEST, models=list(models), schema=schema)
    world.parts.frameworks.know(Framework("timm", "ready", "", manifest))


async def test_every_wrong_field_at_once(world: World) -> None:
    found = await refused(world, model_name="huge", task_type="pose", config={"epochs": 0, "epochz": 1})
    assert [field for field, _ in found] == ["task_type", "task_type", "model_name", "config.epochs", "config.epochz"]


async def test_a_data_set_without_validation_images_is_refused_and_says_so(world: World) -> None:
    async with world.parts.db.write() as session:
        await session.execute(update(DatasetVersion).values(val_count=0))
    ((field, message),) = await refused(world)
    assert (field, "to validate on" in message) == ("dataset_id", True)


async def test_weights_that_cannot_be_had_are_refused(world: World) -> None:
    know(world, ModelEntry("tiny", ["classification"], pretrained=True), ModelEntry("new", ["classification"]))
    ((field, message),) = await refused(world, config={"pretrained": True})
    assert (field, "ALLOW_DOWNLOADS" in message) == ("config.pretrained", True)
    ((field, message),) = await refused(world, config={"pretrained": True}, model_name="new")
    assert (field, "from scratch" in message) == ("config.pretrained", True)
    await world.submit(config={"pretrained": None})
    await world.submit(config={"pretrained": False})


async def test_weights_that_are_here_are_not(world: World) -> None:
    know(world, ModelEntry("tiny", ["classification"], pretrained=True, weights_offline=True))
    await world.submit(config={"pretrained": True})


async def test_more_settings_than_there_can_be_are_one_error_and_cost_no_time(world: World) -> None:
    found = await refused(world, config={f"batch_sise{n}": 1 for n in range(100_000)})
    assert [field for field, _ in found] == ["config"]


async def test_a_training_may_come_after_an_earlier_one_of_its_project_that_one_can_see(world: World) -> None:
    parent = await world.submit()
    child = await world.submit(parent_job_id=parent, config={"epochs": 4})
    job = await world.job(child)
    assert (job.parent_job_id, job.resume_epoch) == (parent, None)
    assert await refused(world, parent_job_id=uuid7()) == [("parent_job_id", "there is no such job")]
    async with world.parts.db.write() as session:
        elsewhere = await add_project(session, world.user.id, "elsewhere")
        await session.flush()
        await session.execute(update(Job).where(Job.id == parent).values(project_id=elsewhere.id))
    ((field, message),) = await refused(world, parent_job_id=parent)
    assert (field, "another project" in message) == ("parent_job_id", True)
    ((field, message),) = await refused(world, user=world.other, parent_job_id=parent)
    assert (field, message) == ("parent_job_id", "there is no such job")
    async with world.parts.db.write() as session:
        await session.execute(update(Job).where(Job.id == child).values(deleted_at=utcnow()))
    assert await refused(world, parent_job_id=child) == [("parent_job_id", "there is no such job")]
