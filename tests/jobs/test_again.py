"""Repeating an ended job, going on from it, deleting it: on a real SQLite, with a fake executor."""

from __future__ import annotations

from uuid import UUID

import pytest
from jobs_world import World
from sqlalchemy import func, select
from trainer import Trainer, stored

from visionai.errors import BadInput, Conflict, NotFound
from visionai.identity.tokens import Callback
from visionai.jobs import again, queries, submit
from visionai.jobs.garbage import free_deleted_jobs
from visionai.jobs.inputs import inputs
from visionai.jobs.reconcile import reconcile
from visionai.jobs.tables import Artifact, Attempt, Job, JobEvent, MetricRow
from visionai.trainers import contract


async def ended(world: World, *, epochs: int, checkpoint: int | None, status: contract.Status = "failed") -> UUID:
    """A job of 3 epochs that ended after some of them, with a checkpoint of one of them."""
    job_id = await world.submit()
    await reconcile(world.parts, job_id)
    trainer = Trainer(world, job_id, 1)
    for epoch in range(1, epochs + 1):
        await trainer.heartbeat(epoch)
        await trainer.validate(epoch, 0.9 - epoch / 10)
        if epoch == checkpoint:
            await trainer.upload("checkpoint_last", b"epoch %d" % epoch, epoch=epoch)
    await trainer.done(status, code="diverged")
    world.executor.exit(f"job-{job_id}-1", 1)
    await reconcile(world.parts, job_id)
    return job_id


async def make(world: World, do, parent_id: UUID, **config: object) -> Job:
    async with world.parts.db.write() as session:
        parent = await queries.editable_job(session, world.user, parent_id)
        return await do(session, world.parts.frameworks, world.user, parent, config)


async def history(world: World, job_id: UUID) -> list[tuple[int, UUID]]:
    async with world.parts.db.read() as session:
        job = await session.get_one(Job, job_id)
        return [(row.epoch, row.job_id) for row in await queries.metrics(session, job, "epoch")]


async def test_retry_begins_anew_with_the_changes(world: World) -> None:
    parent = await ended(world, epochs=2, checkpoint=2)
    job = await make(world, again.retry, parent, batch_size=8)
    assert (job.parent_job_id, job.resume_epoch, job.best, job.epoch) == (parent, None, None, 0)
    assert job.config == {"epochs": 3, "batch_size": 8}
    await reconcile(world.parts, job.id)
    async with world.parts.db.read() as session:
        given = await inputs(session, world.parts.storage, "", Callback(job.id, 1))
    assert given.files == []
    assert await history(world, job.id) == []


async def test_resume_goes_on_from_the_checkpoint_and_joins_the_history(world: World) -> None:
    """The parent reported epoch 2 but kept a checkpoint of epoch 1: epoch 2 is the child's to report."""
    parent = await ended(world, epochs=2, checkpoint=1)
    job = await make(world, again.resume, parent)
    assert (job.parent_job_id, job.resume_epoch, job.epoch, job.total_epochs) == (parent, 1, 1, 3)
    assert job.best["epoch"] == 1
    await reconcile(world.parts, job.id)
    async with world.parts.db.read() as session:
        given = await inputs(session, world.parts.storage, "", Callback(job.id, 1))
    assert (given.resume_epoch, [f.kind for f in given.files]) == (1, ["checkpoint"])
    trainer = Trainer(world, job.id, 1)
    await trainer.heartbeat(2)
    await trainer.heartbeat(3)
    assert (await trainer.validate(3, 0.1)).body == {"is_best": False}, "the parent's first epoch was better"
    assert await history(world, job.id) == [(1, parent), (2, job.id), (3, job.id)]
    assert await history(world, parent) == [(1, parent), (2, parent)]
    async with world.parts.db.read() as session:
        assert (await queries.validation(session, await session.get_one(Job, job.id), None)).job_id == parent


async def test_an_attempt_lost_before_its_first_checkpoint_starts_from_the_parents_again(world: World) -> None:
    parent = await ended(world, epochs=2, checkpoint=1)
    job = await make(world, again.resume, parent)
    await reconcile(world.parts, job.id)
    await Trainer(world, job.id, 1).heartbeat(2)
    world.executor.exit(f"job-{job.id}-1", 137)
    await reconcile(world.parts, job.id)
    async with world.parts.db.read() as session:
        attempt = await session.scalar(select(Attempt).where(Attempt.job_id == job.id, Attempt.number == 2))
    assert attempt.resume_epoch == 1
    assert await history(world, job.id) == [(1, parent)]
    assert (await world.job(job.id)).best["epoch"] == 1


async def test_a_chain_of_resumes_shows_each_epoch_once(world: World) -> None:
    first = await ended(world, epochs=2, checkpoint=2)
    second = await make(world, again.resume, first, epochs=10)
    await reconcile(world.parts, second.id)
    trainer = Trainer(world, second.id, 1)
    for epoch in (3, 4):
        await trainer.heartbeat(epoch)
    await trainer.upload("checkpoint_last", b"epoch 3", epoch=3)
    await trainer.done("succeeded")
    world.executor.exit(f"job-{second.id}-1", 0)
    await reconcile(world.parts, second.id)
    third = await make(world, again.resume, second.id, epochs=12)
    assert (third.resume_epoch, third.epoch) == (3, 3)
    assert await history(world, third.id) == [(1, first), (2, first), (3, second.id)]


async def test_there_must_be_something_to_go_on_from_and_something_to_do(world: World) -> None:
    with pytest.raises(Conflict) as refused:
        await make(world, again.resume, await ended(world, epochs=1, checkpoint=None))
    assert refused.value.code == "no_checkpoint"
    done = await ended(world, epochs=3, checkpoint=3)
    with pytest.raises(BadInput, match=r"config\.epochs"):
        await make(world, again.resume, done)
    assert (await make(world, again.resume, done, epochs=5)).resume_epoch == 3


@pytest.mark.parametrize("do", [again.resume, again.retry])
async def test_what_has_not_ended_is_not_repeated(world: World, do) -> None:
    job_id = await world.submit()
    with pytest.raises(Conflict) as refused:
        await make(world, do, job_id)
    assert refused.value.code == "job_not_ended"


async def test_a_change_is_checked_like_a_new_job(world: World) -> None:
    parent = await ended(world, epochs=2, checkpoint=1)
    with pytest.raises(BadInput, match="epochz"):
        await make(world, again.retry, parent, epochz=4)


async def test_deleting_a_job_frees_all_it_has(world: World) -> None:
    job_id = await ended(world, epochs=2, checkpoint=1)
    child = await make(world, again.retry, job_id)
    async with world.parts.db.write() as session:
        await again.delete(session, await session.get_one(Job, job_id))
    async with world.parts.db.read() as session:
        with pytest.raises(NotFound):
            await queries.visible_job(session, world.user, job_id)
        artifact_id = await session.scalar(select(Artifact.id))
        with pytest.raises(NotFound):
            await queries.visible_artifact(session, world.user, artifact_id)
    assert await free_deleted_jobs(world.parts.db, world.parts.storage) == 1
    assert await stored(world) == set()
    async with world.parts.db.read() as session:
        for table in (Artifact, Attempt, MetricRow):
            assert await session.scalar(select(func.count()).select_from(table)) == 0
        assert set(await session.scalars(select(JobEvent.job_id))) == {child.id}
        assert (await session.get_one(Job, child.id)).parent_job_id is None


async def test_what_is_needed_is_not_deleted(world: World) -> None:
    parent = await ended(world, epochs=2, checkpoint=1)
    job = await make(world, again.resume, parent)
    for job_id, code in ((job.id, "job_not_ended"), (parent, "job_in_use")):
        with pytest.raises(Conflict) as refused:
            async with world.parts.db.write() as session:
                await again.delete(session, await session.get_one(Job, job_id))
        assert refused.value.code == code
    async with world.parts.db.write() as session:
        await submit.cancel(session, await session.get_one(Job, job.id))
    await reconcile(world.parts, job.id)
    async with world.parts.db.write() as session:
        await again.delete(session, await session.get_one(Job, parent))
