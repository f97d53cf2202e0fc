"""What one job may take and what is kept of it, on a real SQLite and a real folder."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine
from jobs_world import World
from sqlalchemy import select
from trainer import Trainer, stored

from visionai.jobs import again, artifacts
from visionai.jobs.garbage import free_artifacts
from visionai.jobs.policy import LONGEST_GAP, Policy, PolicyChange, policy_of
from visionai.jobs.reconcile import due, limits, reconcile, view
from visionai.jobs.tables import Artifact, Job
from visionai.trainers import contract


async def started(world: World, policy: Policy) -> Trainer:
    job_id = await world.submit(policy=policy)
    await reconcile(world.parts, job_id)
    return Trainer(world, job_id, 1)


async def test_training_time_is_counted_over_gaps_and_moved_clocks(world: World) -> None:
    with time_machine.travel(datetime(2026, 1, 1, tzinfo=UTC), tick=False) as clock:
        trainer = await started(world, Policy())
        await trainer.heartbeat(1)
        for seconds in (10, 3600, -7200, 20):
            clock.shift(seconds)
            await trainer.heartbeat(1)
        assert (await world.job(trainer.who.job_id)).run_seconds == 10 + LONGEST_GAP + 0 + 20


async def test_at_its_time_limit_a_job_is_stopped_and_fails_and_what_it_saved_can_be_resumed(world: World) -> None:
    with time_machine.travel(datetime(2026, 1, 1, tzinfo=UTC), tick=False) as clock:
        trainer = await started(world, Policy(time_limit_seconds=90))
        job_id = trainer.who.job_id
        assert (await trainer.heartbeat(1)).body == {"action": "continue"}
        await trainer.upload("checkpoint_last", b"epoch 1", epoch=1)
        for _ in range(2):
            await reconcile(world.parts, job_id)
            clock.shift(50)
            assert (await trainer.heartbeat(1)).body == {"action": "continue"}
        async with world.parts.db.read() as session:
            assert await due(session, datetime.now(UTC)) == [job_id], "the report that reached the limit wakes it"
        await reconcile(world.parts, job_id)
        assert (await trainer.heartbeat(1)).body == {"action": "stop"}
        assert "time limit" in (await world.job(job_id)).state_reason
        await trainer.done("stopped")
        world.executor.exit(f"job-{job_id}-1", 0)
        await reconcile(world.parts, job_id)
        job = await world.job(job_id)
        assert (job.state, job.error["code"]) == ("failed", "time_limit")
        async with world.parts.db.write() as session:
            parent = await session.get_one(Job, job_id)
            child = await again.resume(session, world.parts.frameworks, world.user, parent, {})
        assert (child.resume_epoch, child.run_seconds, policy_of(child)) == (1, 0, policy_of(job))


async def test_silence_and_retries_are_the_jobs_own_where_it_names_them(world: World) -> None:
    own, common = await started(world, Policy(max_retries=0, silence_seconds=30)), await world.submit()
    settings = world.parts.settings
    assert limits(settings, await world.job(own.who.job_id)).silence.total_seconds() == 30
    assert limits(settings, await world.job(common)).silence.total_seconds() == settings.silence_seconds
    assert view(settings, await world.job(common), None).max_retries == settings.max_retries
    await own.heartbeat(1)
    world.executor.exit(f"job-{own.who.job_id}-1", 1)
    await reconcile(world.parts, own.who.job_id)
    assert (await world.job(own.who.job_id)).state == "failed"


async def test_what_is_left_to_a_job_is_no_more_than_its_time_limit_leaves(world: World) -> None:
    trainer = await started(world, Policy(time_limit_seconds=600))
    await trainer.say(contract.Heartbeat(epoch=1, progress=1, eta_seconds=500))
    assert (await world.job(trainer.who.job_id)).eta_seconds == 500
    await trainer.say(contract.Heartbeat(epoch=2, progress=2, eta_seconds=5000))
    assert 500 < (await world.job(trainer.who.job_id)).eta_seconds <= 600


async def test_where_a_trainer_does_not_say_how_long_it_needs_it_is_as_long_as_so_far(world: World) -> None:
    with time_machine.travel(datetime(2026, 1, 1, tzinfo=UTC), tick=False) as clock:
        trainer = await started(world, Policy())
        for epoch in (0, 1, 2):
            await trainer.say(contract.Heartbeat(kind="epoch", epoch=epoch, total_epochs=5, progress=20.0 * epoch))
            clock.shift(10)
    assert (await world.job(trainer.who.job_id)).eta_seconds == 3 * 10


async def test_the_first_checkpoint_of_every_so_many_epochs_is_kept(world: World) -> None:
    trainer = await started(world, Policy(keep_every=5))
    for epoch in (1, 3, 6, 7, 9, 10, 12, 14):  # not every epoch saves one
        await trainer.upload("checkpoint_last", b"epoch %d" % epoch, epoch=epoch)
    assert await stored(world) == {b"epoch 6", b"epoch 10", b"epoch 14"}


async def test_a_pinned_file_is_kept_whatever_comes_after_it_until_it_is_let_go(world: World) -> None:
    trainer = await started(world, Policy())
    await trainer.upload("checkpoint_last", b"epoch 1", epoch=1)
    await pin(world, 1, pinned=True)
    await trainer.upload("checkpoint_last", b"epoch 2", epoch=2)
    await trainer.upload("checkpoint_last", b"epoch 3", epoch=3)
    assert await stored(world) == {b"epoch 1", b"epoch 3"}
    async with world.parts.db.read() as session:
        assert [a.epoch for a in await artifacts.of_job(session, trainer.who.job_id)] == [3, 1]
    await pin(world, 1, pinned=False)
    await free_artifacts(world.parts.db, world.parts.storage)
    assert await stored(world) == {b"epoch 3"}


async def pin(world: World, epoch: int, *, pinned: bool) -> None:
    async with world.parts.db.write() as session:
        (artifact,) = await session.scalars(select(Artifact).where(Artifact.epoch == epoch))
        artifact.pinned = pinned


@pytest.mark.parametrize("given", [PolicyChange(max_retries=None, keep_every=2), None])
async def test_a_repeated_job_has_its_parents_policy_but_for_what_is_changed(
    world: World, given: PolicyChange | None
) -> None:
    job_id = await world.submit(policy=Policy(max_retries=7, time_limit_seconds=600))
    async with world.parts.db.write() as session:
        parent = await session.get_one(Job, job_id)
        parent.state = "failed"
        child = await again.retry(session, world.parts.frameworks, world.user, parent, {}, policy=given)
    changed = Policy(time_limit_seconds=600, keep_every=2)
    assert policy_of(child) == (changed if given else Policy(max_retries=7, time_limit_seconds=600))
