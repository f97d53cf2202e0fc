"""Many at once: the sweep wakes those for whom there is something to do, and tells who waits why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import time_machine
from jobs_world import World
from sqlalchemy import select, update

from visionai.db import utcnow
from visionai.jobs import reconcile, submit
from visionai.jobs.tables import Job, JobEvent


async def all_due(world: World) -> None:
    async with world.parts.db.write() as session:
        await session.execute(update(Job).values(next_check_at=utcnow() - timedelta(seconds=1)))


async def queued(world: World, count: int) -> list[UUID]:
    """The first trains, in the only slot; the others have never been looked at since they were queued."""
    jobs = [await world.submit() for _ in range(count)]
    await reconcile.reconcile(world.parts, jobs[0])
    async with world.parts.db.write() as session:
        await session.execute(update(Job).where(Job.id.in_(jobs[1:])).values(state="queued", queued_at=utcnow()))
    return jobs


async def test_who_waits_is_told_why_and_not_woken(world: World) -> None:
    jobs = await queued(world, 5)
    await all_due(world)
    assert await reconcile.sweep(world.parts) == []
    assert {(await world.job(job_id)).state_reason for job_id in jobs[1:]} == {"Waiting for a free slot."}
    async with world.parts.db.read() as session:
        told = list(await session.scalars(select(JobEvent.data).where(JobEvent.job_id == jobs[4])))
    assert told[-1] == {"state": "queued", "reason": "Waiting for a free slot."}


async def test_whose_turn_it_is_and_who_is_cancelled_is_woken(world: World) -> None:
    jobs = await queued(world, 5)
    world.parts.settings = msgspec.structs.replace(world.parts.settings, slots=3)
    async with world.parts.db.write() as session:
        await submit.cancel(session, await session.get_one(Job, jobs[4]))
    await all_due(world)
    assert await reconcile.sweep(world.parts) == [jobs[1], jobs[2], jobs[4]]


async def test_a_training_is_woken_once_its_process_has_ended_or_is_silent(world: World) -> None:
    (job_id,) = await queued(world, 1)
    assert await reconcile.sweep(world.parts) == []
    with time_machine.travel(utcnow() + timedelta(seconds=world.parts.settings.start_seconds + 1)):
        assert await reconcile.sweep(world.parts) == [job_id]
    world.executor.exit(f"job-{job_id}-1", 1)
    assert await reconcile.sweep(world.parts) == [job_id]


async def test_one_that_cannot_be_looked_at_holds_up_no_other(world: World, monkeypatch: Any) -> None:
    jobs = await queued(world, 3)

    async def damaged(_handle: Any) -> Any:
        raise OSError("its folder cannot be read")

    monkeypatch.setattr(world.executor, "poll", damaged)
    await all_due(world)
    assert await reconcile.sweep(world.parts) == jobs[:1], "it is left to its own reconcile, which says what is wrong"
    assert (await world.job(jobs[2])).state_reason == "Waiting for a free slot."


async def test_a_reason_that_has_changed_is_told_anew(world: World) -> None:
    jobs = await queued(world, 3)
    await all_due(world)
    await reconcile.sweep(world.parts)
    world.parts.settings = msgspec.structs.replace(world.parts.settings, slots=3, running_per_user=1)
    await all_due(world)
    await reconcile.sweep(world.parts)
    for job_id in jobs[1:]:
        assert "1 may run at once for one person" in (await world.job(job_id)).state_reason


async def test_however_many_reasons_change_all_are_told(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(reconcile, "REASONS", 2)
    jobs = await queued(world, 6)
    await all_due(world)
    await all_due(world)
    assert await reconcile.sweep(world.parts) == []
    assert {(await world.job(job_id)).state_reason for job_id in jobs[1:]} == {"Waiting for a free slot."}
