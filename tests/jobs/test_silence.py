"""A healthy trainer is not killed for a silence in which nobody could have heard it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
import time_machine
from jobs_world import World
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from trainer import Trainer

from visionai.db import utcnow
from visionai.jobs.reconcile import reconcile
from visionai.parts import Steady


async def running(world: World) -> UUID:
    job_id = await world.submit()
    await reconcile(world.parts, job_id)
    await Trainer(world, job_id, 1).heartbeat(1)
    await reconcile(world.parts, job_id)
    assert (await world.job(job_id)).state == "running"
    return job_id


async def later(world: World, job_id: UUID, **passed: float) -> str | None:
    """The attempt's outcome after a look at that time; None while it goes on."""
    with time_machine.travel(utcnow() + timedelta(**passed), tick=True):
        await reconcile(world.parts, job_id)
    attempt = await world.attempt(job_id)
    assert attempt is not None
    return attempt.outcome


async def test_a_silent_trainer_is_lost(world: World) -> None:
    job_id = await running(world)
    assert await later(world, job_id, minutes=6) == "lost"


@pytest.mark.parametrize("hours", [5, -5])
async def test_a_clock_that_jumps_just_before_the_look_counts_as_no_silence(world: World, hours: int) -> None:
    """The look may come before the sweep has noticed anything."""
    job_id = await running(world)
    world.parts.steady = Steady()
    assert await later(world, job_id, hours=hours) is None


async def test_a_time_in_which_the_database_took_no_writes_counts_as_no_silence(world: World) -> None:
    job_id = await running(world)
    with pytest.raises(OperationalError):
        async with world.parts.db.write() as session:
            await session.execute(text("INSERT INTO what_cannot_be_written VALUES (1)"))
    assert await later(world, job_id, minutes=6) is None
    assert await later(world, job_id, minutes=12) == "lost"
