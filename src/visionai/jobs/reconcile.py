"""Load → observe → decide → apply, until there is nothing to do but wait.

Every trigger (a submit, a report, a timer, a restart) ends here. Deciding and recording share one write transaction,
so what is decided is decided on the truth. Effects on the world (start, signal) come after the commit that announces
them, and are harmless when repeated. A lease on the row keeps two workers from working on the same job.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from visionai import failpoints
from visionai.db import utcnow
from visionai.errors import Unavailable
from visionai.executors.base import Handle, Observation
from visionai.ids import uuid7
from visionai.jobs import launch, lifecycle, slots
from visionai.jobs.decide import (
    Action,
    AttemptView,
    JobView,
    Kill,
    Launch,
    Limits,
    Problem,
    Release,
    Terminate,
    Wait,
    decide,
)
from visionai.jobs.policy import in_force, policy_of
from visionai.jobs.state import ACTIVE, JobState
from visionai.jobs.tables import Attempt, Job
from visionai.parts import Parts
from visionai.settings import Settings
from visionai.trainers.contract import ERROR_CODES

log = structlog.get_logger()


class LookAgain(msgspec.Struct, frozen=True):
    """The attempt that was looked at is not the latest any more."""


STEPS = 50  # more than any job can take in one go: a bound on a mistake in ``decide``
RETRY_LAUNCH = timedelta(seconds=5)
REASONS = 100  # that change in one transaction: some 30 ms


async def reconcile(parts: Parts, job_id: UUID) -> datetime | None:
    """Take every step that can be taken now. Returns when to look again, None if never or if someone else is at it."""
    lease = uuid7()
    if not await _take_lease(parts, job_id, lease):
        return None
    try:
        for _ in range(STEPS):
            action = await _step(parts, job_id, lease)
            if action is None:
                return None
            if isinstance(action, Wait):
                return action.until
            if isinstance(action, Kill):
                return utcnow() + timedelta(seconds=0.2)
        log.error("reconcile_does_not_settle", job_id=str(job_id))
        return utcnow() + timedelta(seconds=60)
    finally:
        await asyncio.shield(_drop_lease(parts, job_id, lease))


async def remove_left_over_runs(parts: Parts) -> None:
    """Delete the run directories of attempts that are over: a crash may have come before it."""
    async with parts.db.read() as session:
        in_use = set(await session.scalars(select(Attempt.launch_id).where(Attempt.released_at.is_(None))))
    for launch_id in await parts.executor.launches():
        if launch_id.startswith("job-") and launch_id not in in_use:
            await parts.executor.remove(launch_id)


async def release_leases(session: AsyncSession) -> None:
    """At the start of a process that owns the database alone: whoever held a lease is no more."""
    await session.execute(
        update(Job).where(Job.lease_token.is_not(None)).values(lease_token=None, lease_expires_at=None)
    )


async def sweep(parts: Parts) -> list[UUID]:
    """One look at all that is due. Returns the jobs for which there is something to do.

    Who waits is told why, and those whose process goes on are left alone. If each were reconciled by itself, each who
    waits would read the whole queue, and each that runs would write three times to find nothing: with some hundreds the
    app did nothing else.
    """
    while await _tell_some(parts):
        pass
    async with parts.db.read() as session:
        ids = await due(session, utcnow())
        with_process = (
            select(Job, Attempt)
            .join(Attempt, and_(Attempt.job_id == Job.id, Attempt.number == Job.attempt))
            .where(_due(utcnow()), Attempt.handle.is_not(None), Attempt.released_at.is_(None))
            .options(*_LEFT_OUT)
        )
        looked_at = (await session.execute(with_process)).all()
    quiet = set()
    for job, attempt in looked_at:
        if await _goes_on(parts, job, attempt):
            quiet.add(job.id)
        await asyncio.sleep(0)  # a look takes some 0.1 ms; who calls meanwhile does not wait for all of them
    return [job_id for job_id in ids if job_id not in quiet]


_LEFT_OUT = [
    defer(column, raiseload=True)
    for column in (Job.config, Job.metrics, Job.best, Job.error, Attempt.config, Attempt.done)
]
"""JSON that a look at a process does without."""


async def _goes_on(parts: Parts, job: Job, attempt: Attempt) -> bool:
    """Whether there is nothing to do before the next sweep. It writes nothing down, so it needs no lease."""
    try:
        process = await _observe(parts, attempt)
    except Exception:  # its own reconcile says what is wrong with it: here it would hold up all the others
        return False
    action = _decide(parts, job, attempt, process)
    wait = timedelta(seconds=parts.settings.sweep_seconds)
    return isinstance(action, Wait) and (action.until is None or action.until > utcnow() + wait)


async def due(session: AsyncSession, now: datetime) -> list[UUID]:
    """Jobs that the sweep looks at. No check is set far ahead: one that is was set before the clock was moved back."""
    return list(await session.scalars(select(Job.id).where(_due(now)).order_by(Job.id)))


def _due(now: datetime) -> ColumnElement[bool]:
    far = now + 2 * lifecycle.QUEUE_CHECK
    return and_(Job.ended_at.is_(None), or_(Job.next_check_at <= now, Job.next_check_at > far))


async def _tell_some(parts: Parts) -> bool:
    """In one transaction. Whether there are more."""
    now = utcnow()
    waiting = and_(
        Job.state == JobState.QUEUED, Job.cancel_requested_at.is_(None), Job.lease_token.is_(None),
        Job.next_check_at <= now,
    )  # fmt: skip
    async with parts.db.read() as session:
        if await session.scalar(select(Job.id).where(waiting).limit(1)) is None:
            return False
    async with parts.db.write() as session:
        found = (await session.execute(select(Job.id, Job.state_reason).where(waiting))).all()
        open_slots = await slots.free(session, parts.settings, parts.executor.host_id)
        turns = (await slots.queue(session, parts.settings)).turns
        first = set(turns.order[: len(open_slots)])
        changed = [i for i, reason in found if i not in first and reason != lifecycle.why_waiting(turns, i)]
        told, later = changed[:REASONS], changed[REASONS:]
        for job in await session.scalars(select(Job).where(Job.id.in_(told))):
            lifecycle.set_reason(session, job, lifecycle.why_waiting(turns, job.id))
        await session.execute(
            update(Job)
            .where(waiting, Job.id.not_in([*first, *later]))
            .values(next_check_at=now + lifecycle.QUEUE_CHECK)
            .execution_options(synchronize_session=False)
        )
    return bool(later)


async def _step(parts: Parts, job_id: UUID, lease: UUID) -> Action | LookAgain | None:
    """One look, one decision, one change. None if the lease was lost meanwhile."""
    async with parts.db.read() as session:
        attempt = await _latest_attempt(session, job_id)
    process = await _observe(parts, attempt)
    async with parts.db.write() as session:
        job = await session.get(Job, job_id, with_for_update=True)
        if job is None or job.lease_token != lease:
            return None
        job.lease_expires_at = utcnow() + timedelta(seconds=parts.settings.lease_seconds)
        fresh = await _latest_attempt(session, job_id)
        if (fresh and fresh.id) != (attempt and attempt.id) or (fresh and fresh.handle) != (attempt and attempt.handle):
            return LookAgain()
        parts.notice_a_break()
        action = _decide(parts, job, fresh, process)
        action = await lifecycle.record(session, parts, job, fresh, action, process)
        failpoints.reach("job.recorded", type(action).__name__)
        log.debug("decided", job_id=str(job_id), state=job.state, action=type(action).__name__)
    failpoints.reach("job.committed", type(action).__name__)
    match action:
        case Launch():
            return await _launch(parts, job_id)
        case Release() if fresh is not None:
            await parts.executor.remove(fresh.launch_id)
        case Terminate() | Kill() if fresh is not None and fresh.handle is not None:
            await parts.executor.stop(msgspec.convert(fresh.handle, Handle), kill=isinstance(action, Kill))
    return action


def _decide(parts: Parts, job: Job, attempt: Attempt | None, process: Observation | None) -> Action:
    s = parts.settings
    return decide(view(s, job, attempt), process, utcnow(), parts.unbroken_since, limits(s, job))


async def _observe(parts: Parts, attempt: Attempt | None) -> Observation | None:
    """What the attempt's process does. An attempt that ended before its handle was written may still have one."""
    if attempt is None or attempt.released_at is not None:
        return None
    if attempt.handle is not None:
        return await parts.executor.poll(msgspec.convert(attempt.handle, Handle))
    if attempt.ended_at is None:
        return None  # to be launched
    handle = await parts.executor.adopt(attempt.launch_id)
    if handle is None:
        return None
    async with parts.db.write() as session:
        await session.execute(
            update(Attempt).where(Attempt.id == attempt.id).values(handle=msgspec.to_builtins(handle))
        )
    return await parts.executor.poll(handle)


async def _launch(parts: Parts, job_id: UUID) -> Action:
    """Start or adopt, then write the handle down. A crash in between is repaired by doing it again."""
    async with parts.db.read() as session:
        job = await session.get_one(Job, job_id)
        attempt = await _latest_attempt(session, job_id)
    assert attempt is not None
    run_dir = parts.executor.run_dir(attempt.launch_id)
    try:
        handle = await parts.executor.start(launch.build(parts.settings, parts.environ, job, attempt, run_dir))
    except (Unavailable, OSError) as e:
        log.error("launch_failed", job_id=str(job_id), error=str(e))
        async with parts.db.write() as session:
            job = await session.get_one(Job, job_id, with_for_update=True)
            lifecycle.set_reason(session, job, f"The trainer could not be started and is tried again: {e}")
        return Wait(utcnow() + RETRY_LAUNCH)
    failpoints.reach("job.launched")
    async with parts.db.write() as session:
        await lifecycle.launched(session, attempt, handle)
    return Launch()


def view(settings: Settings, job: Job, attempt: Attempt | None) -> JobView:
    policy = in_force(policy_of(job), settings)
    assert policy.max_retries is not None
    return JobView(
        state=JobState(job.state), cancel_requested=job.cancel_requested_at is not None,
        retries_used=job.retries_used, max_retries=policy.max_retries, run=timedelta(seconds=job.run_seconds),
        time_limit=timedelta(seconds=job.time_limit_seconds) if job.time_limit_seconds is not None else None,
        attempt=attempt_view(attempt) if attempt is not None else None,
    )  # fmt: skip


def attempt_view(attempt: Attempt) -> AttemptView:
    problem = msgspec.convert(attempt.error, Problem) if attempt.error else None
    known = ERROR_CODES.get(problem.code) if problem else None
    return AttemptView(
        number=attempt.number, launched=attempt.handle is not None, created_at=attempt.created_at,
        launched_at=attempt.launched_at, first_report_at=attempt.first_report_at,
        last_report_at=attempt.last_report_at, stop_requested_at=attempt.stop_requested_at,
        terminated=attempt.terminated_at is not None, ended_at=attempt.ended_at, outcome=attempt.outcome,
        counted=attempt.counted, retryable=known.retried if known else True, problem=problem,
        released=attempt.released_at is not None,
    )  # fmt: skip


def limits(settings: Settings, job: Job) -> Limits:
    s, silence = settings, in_force(policy_of(job), settings).silence_seconds
    assert silence is not None
    return Limits(
        start=timedelta(seconds=s.start_seconds), silence=timedelta(seconds=silence),
        stop_grace=timedelta(seconds=s.stop_grace_seconds), exit_grace=timedelta(seconds=s.exit_grace_seconds),
    )  # fmt: skip


async def _latest_attempt(session: AsyncSession, job_id: UUID) -> Attempt | None:
    return await session.scalar(
        select(Attempt).where(Attempt.job_id == job_id).order_by(Attempt.number.desc()).limit(1)
    )


async def _take_lease(parts: Parts, job_id: UUID, lease: UUID) -> bool:
    now = utcnow()
    expires = now + timedelta(seconds=parts.settings.lease_seconds)
    free = or_(Job.lease_token.is_(None), Job.lease_expires_at < now, Job.lease_expires_at > expires)  # a moved clock
    async with parts.db.write() as session:
        taken = await session.execute(
            update(Job)
            .where(Job.id == job_id, Job.state.in_(ACTIVE), free)
            .values(lease_token=lease, lease_expires_at=expires)
            .returning(Job.id)
        )
        return taken.scalar_one_or_none() is not None


async def _drop_lease(parts: Parts, job_id: UUID, lease: UUID) -> None:
    async with parts.db.write() as session:
        await session.execute(
            update(Job)
            .where(Job.id == job_id, Job.lease_token == lease)
            .values(lease_token=None, lease_expires_at=None)
        )
