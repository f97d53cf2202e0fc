"""What to do next about a job: a pure function of its rows, of what the executor saw, and of the time.

``decide`` is called again and again, by anyone, in any order, after any crash; it names one step, and taking a step
twice does no harm. Everything that moves a job goes through here.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from visionai.executors.base import Exited, Gone, Observation, Running
from visionai.jobs.state import ENDED, JobState

# --- what is known --------------------------------------------------------------------------------------------------


class Problem(msgspec.Struct, frozen=True):
    """Why something failed: a stable code, a sentence, and what to do."""

    code: str
    message: str
    hint: str = ""


class AttemptView(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    launched: bool
    """Whether a handle is recorded."""
    created_at: datetime
    launched_at: datetime | None = None
    first_report_at: datetime | None = None
    last_report_at: datetime | None = None
    stop_requested_at: datetime | None = None
    terminated: bool = False
    """Whether SIGTERM was sent."""
    ended_at: datetime | None = None
    outcome: str | None = None
    """``succeeded``, ``failed``, ``stopped`` as reported by ``done``; ``lost`` without one; None before the end."""
    counted: bool = True
    """Whether losing it uses up one of ``max_retries``: not when the machine or a preemption took it."""
    retryable: bool = True
    problem: Problem | None = None
    released: bool = False
    """Whether its process is known to be gone and its slot free."""


class JobView(msgspec.Struct, frozen=True, kw_only=True):
    state: JobState
    cancel_requested: bool = False
    retries_used: int = 0
    max_retries: int = 3
    time_limit: timedelta | None = None
    run: timedelta = timedelta(0)
    """How long it has trained, over all attempts."""
    attempt: AttemptView | None = None
    """The latest one."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    start: timedelta
    """From launch to first report."""
    silence: timedelta
    """Between two reports."""
    stop_notice: timedelta = timedelta(seconds=5)
    """How long a running trainer may take to hear of a stop by its heartbeat before it gets SIGTERM."""
    stop_grace: timedelta
    """From SIGTERM to SIGKILL."""
    exit_grace: timedelta
    """From the end of an attempt to SIGKILL: teardowns hang."""


# --- what to do -----------------------------------------------------------------------------------------------------


class Validate(msgspec.Struct, frozen=True):
    """Check data set and configuration, then queue the job or fail it."""


class Begin(msgspec.Struct, frozen=True):
    """pending → validating."""


class Claim(msgspec.Struct, frozen=True):
    """Take a free slot, if it is this job's turn, and write down the next attempt: queued → starting."""


class Launch(msgspec.Struct, frozen=True):
    """Start the attempt's process, or adopt it."""


class MarkRunning(msgspec.Struct, frozen=True):
    """The trainer has reported: starting → running."""


class Finalize(msgspec.Struct, frozen=True):
    """``done(succeeded)`` was accepted: running → finalizing."""


class RequestStop(msgspec.Struct, frozen=True):
    """Answer the next heartbeat with ``stop``."""


class Terminate(msgspec.Struct, frozen=True):
    """SIGTERM."""


class Kill(msgspec.Struct, frozen=True):
    """SIGKILL to the whole group."""


class EndAttempt(msgspec.Struct, frozen=True):
    """The attempt is lost: from here on none of its reports is accepted."""

    problem: Problem
    counted: bool = True


class Release(msgspec.Struct, frozen=True):
    """The attempt's process is gone: free its slot."""

    exit_code: int | None


class Requeue(msgspec.Struct, frozen=True):
    """Another attempt, resuming from the last complete checkpoint."""

    counted: bool
    problem: Problem | None


class End(msgspec.Struct, frozen=True):
    """completed, failed or cancelled, for good."""

    state: JobState
    problem: Problem | None = None


class Wait(msgspec.Struct, frozen=True):
    """Nothing to do before something is reported, or before ``until``."""

    until: datetime | None


Action = (
    Validate | Begin | Claim | Launch | MarkRunning | Finalize | RequestStop | Terminate | Kill | EndAttempt | Release
    | Requeue | End | Wait
)  # fmt: skip


LEAVING_LOOK = timedelta(seconds=0.25)  # how often a process that is about to leave is looked at


def decide(
    job: JobView, process: Observation | None, now: datetime, unbroken_since: datetime, limits: Limits
) -> Action:
    """The one next step.

    ``process`` is what the executor saw of the latest attempt's process just now, None if there is none to look at.
    ``unbroken_since`` is the start of the reconciler's present unbroken run: no silence is counted from before it,
    since then nobody could have listened.
    """
    attempt = job.attempt
    if attempt is not None and not attempt.released:
        return _with_attempt(job, attempt, process, now, unbroken_since, limits)
    if job.state in ENDED:
        return Wait(None)
    if job.cancel_requested:
        return End(JobState.CANCELLED)
    match job.state:
        case JobState.PENDING:
            return Begin()
        case JobState.VALIDATING:
            return Validate()
        case JobState.QUEUED:
            return Claim()
        case JobState.FINALIZING:
            return End(JobState.COMPLETED)
        case _:
            assert attempt is not None, "starting and running have an attempt"
            return _after(job, attempt)


def _with_attempt(
    job: JobView,
    attempt: AttemptView,
    process: Observation | None,
    now: datetime,
    unbroken_since: datetime,
    limits: Limits,
) -> Action:
    if job.state in ENDED:  # only its process is left, if anything
        return _leave(attempt, process, now, unbroken_since, limits)
    if attempt.ended_at is not None:
        if attempt.outcome == "succeeded" and not job.cancel_requested:
            if job.state is JobState.STARTING:
                return MarkRunning()
            if job.state is JobState.RUNNING:
                return Finalize()
        return _leave(attempt, process, now, unbroken_since, limits)
    if isinstance(process, Exited | Gone):
        return _lost(attempt, process)
    if job.cancel_requested or _over_time(job) is not None:
        return _stop(attempt, process, now, unbroken_since, limits)
    if not attempt.launched:
        return Launch()
    if job.state is JobState.STARTING and attempt.first_report_at is not None:
        return MarkRunning()
    return _listen(attempt, now, unbroken_since, limits)


def _listen(attempt: AttemptView, now: datetime, unbroken_since: datetime, limits: Limits) -> Action:
    """A process is running: has it gone silent?"""
    if attempt.last_report_at is None:
        heard, limit = attempt.launched_at or attempt.created_at, limits.start
        message = f"The trainer did not report within {limit.total_seconds():.0f} s of its start."
    else:
        heard, limit = attempt.last_report_at, limits.silence
        message = f"The trainer was silent for {limit.total_seconds():.0f} s."
    deadline = max(_past(heard, now, unbroken_since), unbroken_since) + limit
    if now < deadline:
        return Wait(deadline)
    return EndAttempt(Problem("silent", message, "Look at the end of its log; it was stopped and is tried again."))


def _lost(attempt: AttemptView, process: Exited | Gone) -> Action:
    if isinstance(process, Gone):
        problem = Problem("trainer_lost", f"The trainer was lost: {process.reason}.")
        return EndAttempt(problem, counted=not process.uncounted)
    if process.code == 143 and attempt.stop_requested_at is None:
        return EndAttempt(Problem("preempted", "The trainer was asked to stop by somebody else."), counted=False)
    return EndAttempt(
        Problem(
            "trainer_exited",
            exit_sentence(process.code),
            "The end of its log says more. If it has saved a checkpoint, go on from that.",
        )
    )


def _stop(
    attempt: AttemptView, process: Observation | None, now: datetime, unbroken_since: datetime, limits: Limits
) -> Action:
    """A cancellation, or the end of its time: first by the heartbeat's answer, then SIGTERM, then SIGKILL."""
    if not attempt.launched:
        return EndAttempt(Problem("cancelled", "Cancelled before it was started."), counted=False)
    if attempt.stop_requested_at is None:
        return RequestStop()
    assert isinstance(process, Running) or process is None
    asked = _past(attempt.stop_requested_at, now, unbroken_since)
    terminate_at = asked + (limits.stop_notice if attempt.first_report_at else timedelta(0))
    if now < terminate_at:
        return Wait(terminate_at)
    if not attempt.terminated:
        return Terminate()
    kill_at = terminate_at + limits.stop_grace
    if now < kill_at:
        return Wait(kill_at)
    return EndAttempt(Problem("stop_ignored", "The trainer did not stop by itself and was ended."), counted=False)


def _leave(
    attempt: AttemptView, process: Observation | None, now: datetime, unbroken_since: datetime, limits: Limits
) -> Action:
    """The attempt is over; its process has a while to go. A lost one has none: nothing it does counts any more."""
    if process is None:
        return Release(None)
    if isinstance(process, Exited):
        return Release(process.code)
    if isinstance(process, Gone):
        return Release(None)
    ended = _past(attempt.ended_at or now, now, unbroken_since)
    leave_by = ended + (limits.exit_grace if attempt.outcome != "lost" else timedelta(0))
    return Wait(min(leave_by, now + LEAVING_LOOK)) if now < leave_by else Kill()


def _after(job: JobView, attempt: AttemptView) -> Action:
    """The attempt is over and its process gone: what becomes of the job?"""
    if attempt.outcome == "failed" and not attempt.retryable:
        return End(JobState.FAILED, attempt.problem)
    if (over := _over_time(job)) is not None:
        return End(JobState.FAILED, over)
    if attempt.outcome == "stopped" or not attempt.counted:
        return Requeue(counted=False, problem=attempt.problem)
    if job.retries_used >= job.max_retries:
        return End(JobState.FAILED, attempt.problem)
    return Requeue(counted=True, problem=attempt.problem)


def _over_time(job: JobView) -> Problem | None:
    if job.time_limit is None or job.run < job.time_limit:
        return None
    return Problem(
        "time_limit", f"It has reached its time limit: {job.time_limit} of training.",
        "What it saved is kept. Go on from its last checkpoint: its time then begins anew.",
    )  # fmt: skip


def _past(moment: datetime, now: datetime, unbroken_since: datetime) -> datetime:
    """A moment that was written down; if it lies ahead the clock was moved back, and it counts from that on."""
    return moment if moment <= now else min(unbroken_since, now)


def exit_sentence(code: int) -> str:
    """An exit code in words."""
    match code:
        case 0:
            return "The trainer ended without reporting that it was done."
        case 127:
            return "The trainer's program could not be started."
        case 137:
            return "The trainer was killed (SIGKILL): often the machine's memory was full."
        case 139:
            return "The trainer crashed (segmentation fault)."
        case _ if code > 128:
            return f"The trainer was ended by signal {code - 128}."
        case _:
            return f"The trainer ended with exit code {code} without reporting why."
