"""About how long a training would take: from what earlier ones took, and from nothing nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from jobs_world import MANIFEST, World
from sqlalchemy import delete, select, update
from trainer import Trainer

from visionai.datasets.tables import Dataset, DatasetVersion
from visionai.db import utcnow
from visionai.frameworks import Framework
from visionai.identity.tables import ProjectMember
from visionai.ids import uuid7
from visionai.jobs import reports, slots
from visionai.jobs.estimate import Estimate, Measured, Wanted, estimate, foretold
from visionai.jobs.queue import Waiting
from visionai.jobs.reconcile import reconcile
from visionai.jobs.submit import JobSpec
from visionai.jobs.tables import Job
from visionai.trainers import contract
from visionai.trainers.contract import ModelEntry

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
BEFORE, EPOCH, AFTER = 5, 60, 3  # seconds


def train(world: World, n: int, *, model: str = "tiny", device: str = "cpu", epoch: float = EPOCH, **config: int):
    """One after another, each of three epochs."""

    async def run() -> list[UUID]:
        made = []
        with time_machine.travel(NOON, tick=False) as clock:
            for _ in range(n):
                job_id = await world.submit(model_name=model, config={"epochs": 3, **config})
                await reconcile(world.parts, job_id)
                trainer = Trainer(world, job_id, 1)
                event = contract.Event(type="training_started", data={"device": device, "image_size": 32})
                await reports.accept(world.parts.db, trainer.who, reports.event(event))
                clock.shift(BEFORE)
                for number in (1, 2, 3):
                    clock.shift(epoch)
                    await trainer.heartbeat(number)
                clock.shift(AFTER)
                await trainer.done()
                await reconcile(world.parts, job_id)
                world.executor.exit(f"job-{job_id}-1", 0)
                await reconcile(world.parts, job_id)
                made.append(job_id)
        return made

    return run()


async def ask(world: World, *, model: str = "tiny", user=None, **config: int) -> Estimate:
    spec = JobSpec(
        dataset_id=world.dataset_id, task_type="classification", framework="timm", model_name=model, config=config
    )
    async with world.parts.db.read() as session:
        return await estimate(session, world.parts.frameworks, user or world.user, spec)


@pytest.fixture
def two_models(world: World) -> None:
    models = [ModelEntry("tiny", ["classification"], parameters=1000), ModelEntry("huge", ["classification"], 4000)]
    world.parts.frameworks.know(Framework("timm", "ready", "", msgspec.structs.replace(MANIFEST, models=models)))


async def test_out_of_nothing_comes_no_estimate(world: World) -> None:
    assert await ask(world) == Estimate(None, None)
    await world.submit()
    assert await ask(world) == Estimate(None, None), "what has not trained yet says nothing"


async def test_earlier_trainings_of_the_same_model_say_how_long(world: World) -> None:
    made = await train(world, 3)
    found = await ask(world, epochs=10)
    assert found.based_on is not None and found.seconds is not None
    assert (found.based_on.what, sorted(found.based_on.job_ids)) == ("model", sorted(made))
    assert found.seconds.likely == pytest.approx(BEFORE + 10 * EPOCH + AFTER)
    assert found.seconds.low < found.seconds.likely < found.seconds.high
    one = (await ask(world, epochs=1)).seconds
    assert one is not None and one.likely == pytest.approx(BEFORE + EPOCH + AFTER)


async def test_more_images_take_longer(world: World) -> None:
    await train(world, 1)
    async with world.parts.db.write() as session:
        old = (await session.scalars(select(DatasetVersion))).one()
        new = {column.key: getattr(old, column.key) for column in DatasetVersion.__table__.columns}
        twice = DatasetVersion(
            **new | {"id": uuid7(), "number": 2, "content_hash": "d", "train_count": 2, "val_count": 2}
        )
        session.add(twice)
        await session.flush()
        (await session.get_one(Dataset, world.dataset_id)).current_version_id = twice.id
    found = (await ask(world, epochs=3)).seconds
    assert found is not None and found.likely == pytest.approx(BEFORE + 2 * 3 * EPOCH + AFTER)


async def test_another_model_of_the_framework_says_less(world: World, two_models: None) -> None:
    await train(world, 3)
    found, same = await ask(world, model="huge", epochs=3), await ask(world, epochs=3)
    assert found.based_on is not None and found.seconds is not None and same.seconds is not None
    assert found.based_on.what == "framework"
    assert found.seconds.likely == pytest.approx(BEFORE + 4 * 3 * EPOCH + AFTER), "it has four times the parameters"
    assert found.seconds.high / found.seconds.low > same.seconds.high / same.seconds.low


async def test_those_on_another_kind_of_device_say_nothing(world: World) -> None:
    await train(world, 2, epoch=600)
    (latest,) = await train(world, 1, device="cuda:0", epoch=6)
    found = await ask(world, epochs=3)
    assert found.based_on is not None and found.based_on.job_ids == [latest]


async def test_a_laptop_that_slept_was_not_training(world: World) -> None:
    """Between two reports a minute counts, however long it was."""
    await train(world, 1, epoch=8 * 3600)
    found = (await ask(world, epochs=3)).seconds
    assert found is not None and found.likely < 10 * 60


async def test_the_trainings_of_a_strange_project_are_no_basis(world: World) -> None:
    await train(world, 1)
    async with world.parts.db.write() as session:
        await session.execute(delete(ProjectMember).where(ProjectMember.user_id == world.other.id))
    assert await ask(world, user=world.other) == Estimate(None, None)


async def test_a_deleted_training_is_no_basis(world: World) -> None:
    await train(world, 1)
    async with world.parts.db.write() as session:
        await session.execute(update(Job).values(deleted_at=utcnow()))
    assert await ask(world) == Estimate(None, None)


async def test_a_newcomer_is_told_when_its_turn_would_come(world: World) -> None:
    async def start() -> float | None:
        async with world.parts.db.read() as session:
            newcomer = Waiting(UUID(int=7), 0, world.user.id, UUID(int=8), utcnow())
            found = await slots.start_of(session, world.parts.settings, newcomer)
        return (found - utcnow()).total_seconds() if found is not None else None

    with time_machine.travel(NOON, tick=False):
        assert await start() == 0
        job_id = await world.submit()
        await reconcile(world.parts, job_id)
        assert await start() is None, "the one that runs has not said how long it takes"
        trainer = Trainer(world, job_id, 1)
        await trainer.say(contract.Heartbeat(epoch=0, progress=0, eta_seconds=300))
        await reconcile(world.parts, job_id)
        assert await start() == pytest.approx(300)


seconds = st.floats(0, 1e6)
some_measured = st.lists(
    st.builds(Measured, seconds, seconds, st.none() | st.integers(1, 4096), st.none() | st.integers(1, 10**9)),
    max_size=10,
)
some_wanted = st.builds(
    Wanted,
    st.floats(1, 1e6),
    st.integers(1, 10_000),
    st.none() | st.integers(1, 4096),
    st.none() | st.integers(1, 10**9),
)


@given(some_wanted, some_measured, st.booleans(), st.integers(0, 1000), st.floats(0, 1e6))
def test_never_negative_never_out_of_nothing_and_never_less_for_more(wanted, measured, same_model, epochs, images):
    found = foretold(wanted, measured, same_model=same_model)
    assert (found is None) == (not measured)
    if found is None:
        return
    assert 0 <= found.low <= found.likely <= found.high
    for more in (
        msgspec.structs.replace(wanted, epochs=wanted.epochs + epochs),
        msgspec.structs.replace(wanted, images=wanted.images + images),
    ):
        longer = foretold(more, measured, same_model=same_model)
        assert longer is not None
        assert all(getattr(longer, part) >= getattr(found, part) for part in ("low", "likely", "high"))
