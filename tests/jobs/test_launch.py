"""What a launch, a loss and the next launch leave in the rows."""

from __future__ import annotations

from uuid import UUID

from jobs_world import World
from sqlalchemy import select
from trainer import Trainer

from visionai.executors.base import Handle, Launch
from visionai.jobs import events, history
from visionai.jobs.reconcile import reconcile
from visionai.jobs.tables import Attempt, MetricRow


async def test_the_attempt_is_committed_before_anything_is_started(world: World) -> None:
    """Of a process that nobody has written down nobody would know after a crash: a stop would leave it running."""
    start, known = world.executor.start, []

    async def watched(launch: Launch) -> Handle:
        async with world.parts.db.read() as session:
            known.append(await session.scalar(select(Attempt.launch_id)) == launch.launch_id)
        return await start(launch)

    world.executor.start = watched  # type: ignore[method-assign]
    await reconcile(world.parts, await world.submit())
    assert known == [True]


async def lost_and_started_again(world: World) -> UUID:
    """Three epochs were reported, the checkpoint of the first is there; then it was killed."""
    job_id = await world.submit()
    await reconcile(world.parts, job_id)
    trainer = Trainer(world, job_id, 1)
    for epoch in (1, 2, 3):
        await trainer.heartbeat(epoch)
        await trainer.validate(epoch, accuracy=epoch / 10)
        if epoch == 1:
            await trainer.upload("checkpoint_last", b"one", epoch=1)
    world.executor.exit(f"job-{job_id}-1", 137)
    await reconcile(world.parts, job_id)
    assert (await world.job(job_id)).attempt == 2
    return job_id


async def test_what_was_reported_after_the_checkpoint_does_not_count_twice(world: World) -> None:
    job_id = await lost_and_started_again(world)
    trainer = Trainer(world, job_id, 2)
    for epoch in (2, 3):
        await trainer.heartbeat(epoch)
    async with world.parts.db.read() as session:
        line = await history.lineage(session, await session.get_one(type(await world.job(job_id)), job_id))
        rows = await session.scalars(select(MetricRow).where(history.within(MetricRow, line)).order_by(MetricRow.epoch))
        counted = [(row.epoch, row.attempt) for row in rows]
    assert counted == [(1, 1), (2, 2), (3, 2)]
    best = (await world.job(job_id)).best
    assert best is not None
    assert best["epoch"] == 1


async def test_events_are_numbered_without_gaps(world: World) -> None:
    job_id = await lost_and_started_again(world)
    async with world.parts.db.read() as session:
        found = [event.seq for event in await events.since(session, job_id, 0, 1000)]
    assert found == list(range(1, (await world.job(job_id)).event_seq + 1))
