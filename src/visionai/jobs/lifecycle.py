"""Recording a decision: each action's change to the rows, its events and its timeline, in the caller's transaction."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.db import utcnow
from visionai.executors.base import Handle, Observation
from visionai.jobs import events, history, launch, slots, submit
from visionai.jobs.decide import (
    Action,
    Begin,
    Claim,
    End,
    EndAttempt,
    Finalize,
    Kill,
    MarkRunning,
    Problem,
    Release,
    RequestStop,
    Requeue,
    Terminate,
    Validate,
    Wait,
)  # fmt: skip
from visionai.jobs.queue import Turns
from visionai.jobs.state import JobState, check
from visionai.jobs.tables import Attempt, Job, QueueTurn
from visionai.parts import Parts

OUTPUT_TAIL = 16_384  # bytes of a lost trainer's own output that are kept in the log
QUEUE_CHECK = timedelta(seconds=10)


async def record(
    session: AsyncSession, parts: Parts, job: Job, attempt: Attempt | None, action: Action, process: Observation | None
) -> Action:
    """Write ``action`` down. Returns what is to be done next: the action itself, or a Wait where it had to yield."""
    match action:
        case Begin():
            _set_state(session, job, JobState.VALIDATING)
            await events.activity(session, job, "validate_dataset", 0, "running")
        case Validate():
            await _validate(session, parts, job)
        case Claim():
            return await _claim(session, parts, job, attempt)
        case MarkRunning():
            assert attempt is not None
            _set_state(session, job, JobState.RUNNING)
            job.started_at = job.started_at or utcnow()
            await events.activity(session, job, "create_training_job", attempt.number, "completed")
            await events.activity(session, job, "monitor_training", attempt.number, "running")
        case Finalize():
            _set_state(session, job, JobState.FINALIZING)
        case RequestStop():
            assert attempt is not None
            _request_stop(session, job, attempt)
        case Terminate():
            assert attempt is not None
            attempt.terminated_at = utcnow()
        case EndAttempt(problem, counted):
            assert attempt is not None
            await end_attempt(session, job, attempt, "lost", problem, counted=counted)
        case Release(exit_code):
            assert attempt is not None
            await _release(session, parts, job, attempt, exit_code)
        case Requeue(counted, problem):
            job.retries_used += counted
            _set_state(session, job, JobState.QUEUED, f"Trying again: {problem.message}" if problem else "")
        case End(state, problem):
            await _end(session, parts, job, attempt, state, problem)
        case Wait() | Kill():
            pass
    return action


async def end_attempt(
    session: AsyncSession, job: Job, attempt: Attempt, outcome: str, problem: Problem | None, *, counted: bool = True
) -> None:
    """From here on no new report of this attempt is accepted."""
    attempt.ended_at, attempt.outcome, attempt.counted = utcnow(), outcome, counted
    attempt.error = msgspec.to_builtins(problem) if problem is not None else None
    status = {"succeeded": "completed", "stopped": "cancelled"}.get(outcome, "failed")
    message = problem.message if problem is not None else ""
    begun = "create_training_job" if job.state == JobState.STARTING else "monitor_training"
    await events.activity(session, job, begun, attempt.number, status, message)
    await events.activity(session, job, "cleanup_training_job", attempt.number, "running")
    events.emit(session, job, "attempt", {"attempt": attempt.number, "status": outcome, "message": message})


async def launched(session: AsyncSession, attempt: Attempt, handle: Handle) -> None:
    """Write the handle down, also if the attempt has ended meanwhile: its process has to be watched all the same."""
    await session.execute(
        update(Attempt)
        .where(Attempt.id == attempt.id, Attempt.handle.is_(None))
        .values(handle=msgspec.to_builtins(handle), launched_at=utcnow())
    )


def set_reason(session: AsyncSession, job: Job, reason: str) -> None:
    if job.state_reason != reason:
        job.state_reason = reason
        events.emit(session, job, "state", {"state": job.state, "reason": reason})


def why_waiting(turns: Turns, job_id: UUID) -> str:
    return turns.held_back.get(job_id, "Waiting for a free slot.")


def _set_state(session: AsyncSession, job: Job, state: JobState, reason: str = "") -> None:
    check(JobState(job.state), state)
    job.state, job.state_reason = state, reason
    events.emit(session, job, "state", {"state": state, "reason": reason})


def _request_stop(session: AsyncSession, job: Job, attempt: Attempt) -> None:
    attempt.stop_requested_at = utcnow()
    if job.cancel_requested_at is None:
        set_reason(session, job, "Its time limit is reached: it is being stopped.")


async def _validate(session: AsyncSession, parts: Parts, job: Job) -> None:
    problem = await submit.problem_before_queueing(session, parts.frameworks, job)
    if problem is not None:
        await events.activity(session, job, "validate_dataset", 0, "failed", problem.message)
        await _end(session, parts, job, None, JobState.FAILED, problem)
        return
    await events.activity(session, job, "validate_dataset", 0, "completed")
    job.queued_at = utcnow()
    _set_state(session, job, JobState.QUEUED)


async def _claim(session: AsyncSession, parts: Parts, job: Job, previous: Attempt | None) -> Action:
    if (short := parts.storage.short_of_room()) is not None:
        set_reason(session, job, f"Waiting for room. {short}")
        job.next_check_at = utcnow() + QUEUE_CHECK
        return Wait(job.next_check_at)
    open_slots = await slots.free(session, parts.settings, parts.executor.host_id)
    turns = (await slots.queue(session, parts.settings)).turns
    if job.id not in turns.order[: len(open_slots)]:
        set_reason(session, job, why_waiting(turns, job.id))
        job.next_check_at = utcnow() + QUEUE_CHECK
        return Wait(job.next_check_at)
    number = job.attempt + 1
    resume_from = await history.checkpoint_to_resume(session, job)
    session.add(
        Attempt(
            job_id=job.id, number=number, launch_id=launch.launch_id(job.id, number), slot=open_slots[0],
            host_id=parts.executor.host_id, config=launch.config_of_next(job, previous),
            resume_artifact_id=resume_from.id if resume_from else None,
            resume_epoch=resume_from.epoch if resume_from else None,
        )
    )  # fmt: skip
    reached, resume_epoch = job.epoch, (resume_from.epoch or 0) if resume_from else 0
    await history.supersede(session, job, after_epoch=resume_epoch)
    await session.merge(QueueTurn(user_id=job.created_by, served_at=utcnow()))
    job.attempt = number
    job.next_check_at = utcnow()
    _set_state(session, job, JobState.STARTING)
    where = _where_it_goes_on(resume_epoch, reached) if number > 1 else ""
    await events.activity(session, job, "create_training_job", number, "running", where)
    return Claim()


def _where_it_goes_on(resume_epoch: int, reached: int) -> str:
    begin = f"Goes on after epoch {resume_epoch}." if resume_epoch else "Begins anew: no checkpoint had been saved."
    if reached <= resume_epoch:
        return begin
    first = resume_epoch + 1
    lost = f"Epoch {first} is" if reached == first else f"Epochs {first} to {reached} are"
    return f"{begin} {lost} trained again."


async def _release(session: AsyncSession, parts: Parts, job: Job, attempt: Attempt, exit_code: int | None) -> None:
    attempt.released_at, attempt.exit_code = utcnow(), exit_code
    if attempt.outcome == "lost":
        await _keep_output(session, parts, job, attempt)
    odd = attempt.outcome == "succeeded" and exit_code not in (0, None)
    message = f"The trainer was done, and then ended with exit code {exit_code}." if odd else ""
    await session.flush()
    await events.activity(session, job, "cleanup_training_job", attempt.number, "completed", message)
    await slots.wake_next(session, parts.settings, parts.executor.host_id)


async def _keep_output(session: AsyncSession, parts: Parts, job: Job, attempt: Attempt) -> None:
    """The end of what a lost trainer printed: it could not report it any more."""
    text = _tail(parts.executor.run_dir(attempt.launch_id) / "output.log")
    if lines := text.splitlines():
        head = "The end of what it printed; some of it may stand above already:"
        said = [{"time": utcnow().isoformat(), "level": "error", "text": line} for line in (head, *lines)]
        history.append_log(session, job, attempt.number, said)


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as f:
            f.seek(max(0, path.stat().st_size - OUTPUT_TAIL))
            return f.read().decode(errors="replace")
    except OSError:
        return ""


async def _end(
    session: AsyncSession, parts: Parts, job: Job, attempt: Attempt | None, state: JobState, problem: Problem | None
) -> None:
    job.ended_at = utcnow()
    job.eta_seconds = None
    if state is JobState.COMPLETED:
        job.progress = 100.0
    if problem is not None:
        job.error = msgspec.to_builtins(problem)
    if attempt is None:
        status = "cancelled" if state is JobState.CANCELLED else "failed"
        await _end_open_validation(session, job, status)
    _set_state(session, job, state, problem.message if problem else "")
    await slots.wake_next(session, parts.settings, parts.executor.host_id)


async def _end_open_validation(session: AsyncSession, job: Job, status: str) -> None:
    if job.state == JobState.VALIDATING:
        await events.activity(session, job, "validate_dataset", 0, status)
