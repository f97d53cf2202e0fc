"""Reports and files of one attempt, on a real SQLite and a real folder."""

from __future__ import annotations

from uuid import UUID

import pytest
from jobs_world import World
from sqlalchemy import select, update
from trainer import Trainer, stored

from visionai.db import utcnow
from visionai.errors import AttemptEnded, BadInput, Conflict
from visionai.identity.tokens import Callback
from visionai.jobs import artifacts, events, queries, reports
from visionai.jobs.garbage import free_artifacts
from visionai.jobs.inputs import inputs
from visionai.jobs.reconcile import reconcile
from visionai.jobs.tables import Artifact, Attempt, Job, Report
from visionai.storage import keys
from visionai.trainers import contract


@pytest.fixture
async def trainer(world: World) -> Trainer:
    job_id = await world.submit()
    await reconcile(world.parts, job_id)
    return Trainer(world, job_id, 1)


async def visible(world: World, job_id: UUID) -> list[str]:
    async with world.parts.db.read() as session:
        return [a.kind for a in await artifacts.of_job(session, job_id)]


async def test_a_repeat_gets_its_first_answer_and_changes_nothing(world: World, trainer: Trainer) -> None:
    first = await trainer.heartbeat(1, seq=1, accuracy=0.5)
    assert await trainer.heartbeat(2, seq=1, accuracy=0.9) == first
    job = await world.job(trainer.who.job_id)
    assert (job.epoch, job.metrics["val/accuracy"]) == (1, 0.5)


@pytest.mark.parametrize("limit", [None, 1.0])
async def test_every_kind_of_report_that_reads_few_columns_finds_those_it_needs(
    world: World, trainer: Trainer, limit: float | None
) -> None:
    """Twice each, and with every mark that a report looks at: columns that were left out fail when they are touched."""
    who = trainer.who
    async with world.parts.db.write() as session:
        await session.execute(update(Job).where(Job.id == who.job_id).values(time_limit_seconds=limit))
        await session.execute(update(Attempt).where(Attempt.job_id == who.job_id).values(stop_requested_at=utcnow()))
    for seq in (1, 11):
        takes = [
            reports.heartbeat(contract.Heartbeat(epoch=seq, progress=1.0, seq=seq, metrics={"val/accuracy": 0.5})),
            reports.heartbeat(contract.Heartbeat(epoch=seq, progress=1.0, seq=seq + 1, kind="step", step=seq)),
            reports.event(contract.Event(type="note", seq=seq + 2)),
            reports.logs(contract.LogBatch(lines=[contract.LogLine(time="now", level="info", text="x")], seq=seq + 3)),
        ]
        assert all(take.few for take in takes)
        for take in takes:
            await reports.accept(world.parts.db, who, take)


async def test_after_the_end_only_exact_repeats_are_answered(world: World, trainer: Trainer) -> None:
    first = await trainer.heartbeat(1, seq=1)
    await trainer.done()
    assert await trainer.heartbeat(1, seq=1) == first
    assert (await trainer.done()).status == 204
    with pytest.raises(AttemptEnded):
        await trainer.heartbeat(2, seq=2)
    async with world.parts.db.read() as session:
        assert list(await session.scalars(select(Report.seq))) == [1]


async def test_success_needs_every_announced_file(world: World, trainer: Trainer) -> None:
    artifact_id = await trainer.announce("model", b"weights")
    with pytest.raises(Conflict, match=r"model model\.pt") as refused:
        await trainer.done()
    assert refused.value.code == "artifacts_incomplete"
    await trainer.put(artifact_id, b"weights")
    await trainer.complete(artifact_id)
    assert (await trainer.done()).status == 204
    assert await visible(world, trainer.who.job_id) == ["model"]


async def test_an_older_announcement_does_not_hold_up_success(trainer: Trainer) -> None:
    await trainer.announce("checkpoint_last", b"never arrived", epoch=1)
    await trainer.upload("checkpoint_last", b"arrived", epoch=2)
    assert (await trainer.done()).status == 204


@pytest.mark.parametrize("status", ["failed", "stopped"])
async def test_a_failure_is_taken_as_it_is(trainer: Trainer, status: contract.Status) -> None:
    await trainer.announce("model", b"weights")
    assert (await trainer.done(status)).status == 204


async def test_other_bytes_than_those_announced_are_refused_and_not_kept(world: World, trainer: Trainer) -> None:
    artifact_id = await trainer.announce("model", b"weights")
    await trainer.put(artifact_id, b"WEIGHTS")
    with pytest.raises(BadInput):
        await trainer.complete(artifact_id)
    assert (await stored(world), await visible(world, trainer.who.job_id)) == (set(), [])


async def test_of_the_last_checkpoint_one_is_kept(world: World, trainer: Trainer) -> None:
    for epoch in (1, 2, 3):
        await trainer.upload("checkpoint_last", b"epoch %d" % epoch, epoch=epoch)
    assert (await stored(world), await visible(world, trainer.who.job_id)) == ({b"epoch 3"}, ["checkpoint_last"])


async def test_the_best_checkpoint_until_the_last_one_is_kept_until_it_is_passed(
    world: World, trainer: Trainer
) -> None:
    """Epoch 3 is better than epoch 1, but an attempt lost now goes on from epoch 2, where epoch 1 is still the best."""
    await trainer.upload("checkpoint_best", b"best at 1", epoch=1)
    await trainer.upload("checkpoint_last", b"last at 2", epoch=2)
    await trainer.upload("checkpoint_best", b"best at 3", epoch=3)
    assert await stored(world) == {b"best at 1", b"last at 2", b"best at 3"}
    await trainer.upload("checkpoint_last", b"last at 3", epoch=3)
    assert await stored(world) == {b"last at 3", b"best at 3"}


async def test_files_of_an_attempt_that_was_lost_are_freed_and_the_checkpoint_goes_on(
    world: World, trainer: Trainer
) -> None:
    job_id = trainer.who.job_id
    for epoch in (1, 2, 3):
        await trainer.heartbeat(epoch)
        if epoch == 2:
            await trainer.upload("checkpoint_last", b"epoch 2", epoch=2)
    await trainer.upload("checkpoint_best", b"best at 3", epoch=3)
    await trainer.put(await trainer.announce("model", b"half done"), b"half done")
    assert await free_artifacts(world.parts.db, world.parts.storage) == 0, "its process may still be about"
    world.executor.exit(f"job-{job_id}-1", 137)
    await reconcile(world.parts, job_id)
    assert await free_artifacts(world.parts.db, world.parts.storage) == 2
    assert await stored(world) == {b"epoch 2"}
    async with world.parts.db.read() as session:
        given = await inputs(session, world.parts.storage, "", Callback(job_id, 2))
        job = await session.get_one(Job, job_id)
    assert (given.resume_epoch, [f.kind for f in given.files]) == (2, ["checkpoint"])
    assert job.epoch == 2


async def test_what_a_lost_attempt_had_reached_stays_visible_beside_what_counts(world: World, trainer: Trainer) -> None:
    job_id = trainer.who.job_id
    for epoch in (1, 2, 3, 4):
        await trainer.heartbeat(epoch, accuracy=epoch / 10)
        if epoch == 2:
            await trainer.upload("checkpoint_last", b"epoch 2", epoch=2)
    world.executor.exit(f"job-{job_id}-1", 137)
    await reconcile(world.parts, job_id)
    second = Trainer(world, job_id, 2)
    await second.heartbeat(3, accuracy=0.9)
    await reconcile(world.parts, job_id)
    async with world.parts.db.read() as session:
        job = await session.get_one(Job, job_id)
        counted, all_of_it = [
            [
                (row.epoch, row.attempt, row.superseded)
                for row in await queries.metrics(session, job, None, superseded=s)
            ]
            for s in (False, True)
        ]
        activities, _ = await queries.timeline(session, job_id)
    assert counted == [(1, 1, False), (2, 1, False), (3, 2, False)]
    assert set(all_of_it) - set(counted) == {(3, 1, True), (4, 1, True)}
    (begun,) = [a for a in activities if (a.name, a.attempt) == ("create_training_job", 2)]
    assert (begun.status, begun.message) == ("completed", "Goes on after epoch 2. Epochs 3 to 4 are trained again.")


async def test_a_number_of_another_report_is_refused_and_swallows_nothing(world: World, trainer: Trainer) -> None:
    await trainer.heartbeat(1, seq=7)
    done = contract.Done(status="succeeded", seq=7)
    with pytest.raises(BadInput, match="seq"):
        await reports.accept(world.parts.db, trainer.who, reports.done(done))
    assert (await trainer.done()).status == 204
    job = await world.job(trainer.who.job_id)
    assert job.state == "starting"
    await reconcile(world.parts, job.id)
    assert (await world.job(job.id)).state == "finalizing"


async def test_a_completed_file_is_not_overwritten_by_whoever_still_has_its_address(
    world: World, trainer: Trainer
) -> None:
    artifact_id = await trainer.upload("model", b"weights")
    await trainer.put(artifact_id, b"EVILEVI")
    await trainer.complete(artifact_id)
    assert await stored(world) == {b"weights"}


async def test_a_file_that_is_announced_and_sent_once_more_leaves_no_second_copy(
    world: World, trainer: Trainer
) -> None:
    await trainer.upload("checkpoint_best", b"best", epoch=1)
    again = await trainer.announce("checkpoint_best", b"best", epoch=1)
    await trainer.put(again, b"best")
    await trainer.complete(again)
    assert await stored(world) == {b"best"}
    assert await world.parts.storage.stat(keys.incoming(again)) is None


async def test_an_attempt_that_goes_on_does_not_fall_back_to_nothing(world: World, trainer: Trainer) -> None:
    job_id = trainer.who.job_id
    await trainer.say(contract.Heartbeat(epoch=2, progress=66, total_epochs=3))
    await trainer.upload("checkpoint_last", b"epoch 2", epoch=2)
    world.executor.exit(f"job-{job_id}-1", 137)
    await reconcile(world.parts, job_id)
    await Trainer(world, job_id, 2).say(contract.Heartbeat(epoch=0, progress=0, total_epochs=3))
    job = await world.job(job_id)
    assert (job.epoch, round(job.progress)) == (2, 67)


async def test_a_completion_that_was_broken_off_is_finished(world: World, trainer: Trainer) -> None:
    """Killed after the file was moved to its place and before that was written down."""
    artifact_id = await trainer.announce("model", b"weights")
    await trainer.put(artifact_id, b"weights")
    async with world.parts.db.read() as session:
        key = (await session.get_one(Artifact, artifact_id)).storage_key
    await world.parts.storage.move(keys.incoming(artifact_id), key)
    await trainer.complete(artifact_id)
    assert await visible(world, trainer.who.job_id) == ["model"]


@pytest.mark.parametrize("matrix", [[], [[1, 0]], [[1], [0]], [[1, 0], [0, 1]], [[]]], ids=str)
async def test_a_confusion_matrix_of_another_shape_is_refused_and_changes_nothing(
    world: World, trainer: Trainer, matrix: list[list[int]]
) -> None:
    """The data set has one class."""
    with pytest.raises(BadInput) as refused:
        await trainer.validate(1, 0.9, matrix=matrix)
    assert [e.field for e in refused.value.errors] == ["confusion_matrix"]
    job = await world.job(trainer.who.job_id)
    assert (job.best, job.metrics) == (None, {})
    assert (await trainer.validate(1, 0.9, matrix=[[5]])).status == 200


async def test_a_job_has_a_thousand_different_metrics_at_most(world: World, trainer: Trainer) -> None:
    async def report(first: int, count: int = 200) -> None:
        metrics = {f"m{n}": 1.0 for n in range(first, first + count)}
        body = contract.Heartbeat(epoch=1, progress=1, metrics=metrics)
        await reports.accept(world.parts.db, trainer.who, reports.heartbeat(body))

    for first in range(0, 1000, 200):
        await report(first)
    await report(0)
    with pytest.raises(BadInput, match="metrics"):
        await report(1000, 1)
    with pytest.raises(BadInput, match="metrics"):
        await trainer.validate(1, 0.5)
    assert len((await world.job(trainer.who.job_id)).metrics) == 1000


def test_an_event_carries_a_bounded_amount() -> None:
    with pytest.raises(BadInput, match="data"):
        reports.event(contract.Event(type="own", data={"x": "y" * contract.MAX_EVENT_DATA}))


async def test_a_page_of_events_ends_early_where_they_are_large(world: World, trainer: Trainer) -> None:
    job_id = trainer.who.job_id
    for n in range(10):
        data = {"text": "x" * 10_000} if n % 2 else {}
        take = reports.event(contract.Event(type="own", data=data))
        await reports.accept(world.parts.db, trainer.who, take)
    last = (await world.job(job_id)).event_seq
    seen, lengths, more = [], [], True
    async with world.parts.db.read() as session:
        while more:
            found, more = await events.page(session, job_id, seen[-1] if seen else 0, 1000, most_bytes=25_000)
            seen += [e.seq for e in found]
            lengths.append(sum(len(str(e.data)) for e in found))
        alone, more = await events.page(session, job_id, last - 1, 1000, most_bytes=10)
    assert seen == list(range(1, last + 1))
    assert max(lengths) <= 25_000
    assert len(lengths) >= 3
    assert ([e.seq for e in alone], more) == ([last], False), "one that is larger by itself comes by itself"
