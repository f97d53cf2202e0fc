"""``decide`` and the transition table, transition by transition."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import pytest

from visionai.executors.base import Exited, Gone, Observation, Running
from visionai.jobs.decide import (
    LEAVING_LOOK,
    AttemptView,
    Begin,
    Claim,
    End,
    EndAttempt,
    Finalize,
    JobView,
    Kill,
    Launch,
    Limits,
    MarkRunning,
    Problem,
    Release,
    RequestStop,
    Requeue,
    Terminate,
    Validate,
    Wait,
    decide,
    exit_sentence,
)  # fmt: skip
from visionai.jobs.state import ACTIVE, ENDED, TRANSITIONS, IllegalTransition, JobState, check

S = JobState
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=1)
LIMITS = Limits(
    start=timedelta(seconds=600), silence=timedelta(seconds=300), stop_grace=timedelta(seconds=30),
    exit_grace=timedelta(seconds=30),
)  # fmt: skip
OOM = Problem("oom", "out of memory")
WRONG = Problem("config_invalid", "lr: must be at most 1")


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def attempt(**changes: object) -> AttemptView:
    """A healthy one: launched a minute ago, heard of a second ago."""
    healthy = AttemptView(
        number=1, launched=True, created_at=ago(seconds=61), launched_at=ago(seconds=60),
        first_report_at=ago(seconds=50), last_report_at=ago(seconds=1),
    )  # fmt: skip
    return msgspec.structs.replace(healthy, **changes)


SILENT_START = {"first_report_at": None, "last_report_at": None}
ENDED_NOW = {"ended_at": ago(seconds=1)}
CANCEL = {"cancel_requested": True}


def act(state: JobState, made: AttemptView | None = None, process: Observation | None = None, **job: object):
    view = JobView(state=state, attempt=made, **job)
    return decide(view, process, NOW, LONG_AGO, LIMITS)


@pytest.mark.parametrize(
    ("state", "expected"),
    [(S.PENDING, Begin()), (S.VALIDATING, Validate()), (S.QUEUED, Claim())],
)
def test_the_way_to_the_first_attempt(state, expected):
    assert act(state) == expected


@pytest.mark.parametrize("state", [S.PENDING, S.VALIDATING, S.QUEUED])
def test_a_job_without_a_process_is_cancelled_at_once(state):
    assert act(state, cancel_requested=True) == End(S.CANCELLED)


@pytest.mark.parametrize("state", sorted(ENDED))
@pytest.mark.parametrize("cancel", [True, False])
def test_ended_is_ended(state, cancel):
    assert act(state, cancel_requested=cancel) == Wait(None)


@pytest.mark.parametrize("process", [Running(), Exited(0), Gone("x"), None])
@pytest.mark.parametrize("state", sorted(ENDED))
def test_an_ended_jobs_process_is_only_ever_removed(state, process):
    assert isinstance(act(state, attempt(**ENDED_NOW, outcome="lost"), process), Release | Kill)


def test_a_written_down_attempt_is_launched():
    assert act(S.STARTING, attempt(launched=False, launched_at=None, **SILENT_START)) == Launch()


def test_the_first_report_makes_it_running():
    assert act(S.STARTING, attempt(), Running()) == MarkRunning()


def test_a_trainer_that_never_reports_is_given_the_start_limit():
    started = attempt(launched_at=ago(seconds=599), **SILENT_START)
    assert act(S.STARTING, started, Running()) == Wait(NOW + timedelta(seconds=1))
    late = attempt(launched_at=ago(seconds=600), **SILENT_START)
    lost = act(S.STARTING, late, Running())
    assert isinstance(lost, EndAttempt)
    assert lost.counted
    assert "did not report" in lost.problem.message


def test_silence_is_counted_from_the_last_report():
    assert act(S.RUNNING, attempt(last_report_at=ago(seconds=299)), Running()) == Wait(NOW + timedelta(seconds=1))
    assert isinstance(act(S.RUNNING, attempt(last_report_at=ago(seconds=300)), Running()), EndAttempt)


def test_downtime_of_the_reconciler_is_no_silence():
    """A laptop that slept for a night must not kill a healthy trainer when it wakes."""
    view = JobView(state=S.RUNNING, attempt=attempt(last_report_at=ago(hours=9)))
    assert decide(view, Running(), NOW, ago(seconds=10), LIMITS) == Wait(NOW + timedelta(seconds=290))


def test_a_clock_that_was_moved_back_holds_nothing_up():
    """What was written down before lies ahead now: it is counted from when the jump was noticed."""
    ahead, noticed = NOW + timedelta(hours=5), ago(seconds=301)
    running = JobView(state=S.RUNNING, attempt=attempt(last_report_at=ahead))
    assert isinstance(decide(running, Running(), NOW, noticed, LIMITS), EndAttempt)
    stopping = JobView(state=S.RUNNING, cancel_requested=True, attempt=attempt(stop_requested_at=ahead))
    assert decide(stopping, Running(), NOW, noticed, LIMITS) == Terminate()
    leaving = JobView(state=S.FINALIZING, attempt=attempt(ended_at=ahead, outcome="succeeded"))
    assert decide(leaving, Running(), NOW, noticed, LIMITS) == Kill()


@pytest.mark.parametrize("state", [S.STARTING, S.RUNNING])
@pytest.mark.parametrize("code", [0, 1, 137, 139])
def test_an_exit_without_done_is_a_loss_whatever_the_code(state, code):
    lost = act(state, attempt(), Exited(code))
    assert isinstance(lost, EndAttempt)
    assert lost.counted
    assert lost.problem.message == exit_sentence(code)


def test_gone_without_done_is_a_loss_and_a_restart_of_the_machine_is_not_counted():
    assert act(S.RUNNING, attempt(), Gone("killed")).counted
    assert not act(S.RUNNING, attempt(), Gone("the machine was restarted", uncounted=True)).counted


def test_a_sigterm_from_elsewhere_is_a_preemption():
    lost = act(S.RUNNING, attempt(), Exited(143))
    assert not lost.counted


def test_done_succeeded_finalizes_and_then_completes_once_the_process_has_left():
    ok = {**ENDED_NOW, "outcome": "succeeded"}
    assert act(S.STARTING, attempt(**ok), Running()) == MarkRunning()
    assert act(S.RUNNING, attempt(**ok), Running()) == Finalize()
    assert act(S.FINALIZING, attempt(**ok), Running()) == Wait(NOW + LEAVING_LOOK)
    assert act(S.FINALIZING, attempt(**ok), Exited(0)) == Release(0)
    assert act(S.FINALIZING, attempt(**ok, released=True)) == End(S.COMPLETED)


def test_a_teardown_that_hangs_is_ended_and_the_job_completes_all_the_same():
    hanging = attempt(ended_at=ago(seconds=30), outcome="succeeded")
    assert act(S.FINALIZING, hanging, Running()) == Kill()
    assert act(S.FINALIZING, hanging, Exited(139)) == Release(139)
    assert act(S.FINALIZING, hanging, Gone("x")) == Release(None)


def test_a_lost_attempts_process_gets_no_grace():
    assert act(S.RUNNING, attempt(**ENDED_NOW, outcome="lost"), Running()) == Kill()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"outcome": "lost", "problem": OOM}, Requeue(counted=True, problem=OOM)),
        ({"outcome": "lost", "counted": False, "problem": OOM}, Requeue(counted=False, problem=OOM)),
        ({"outcome": "stopped"}, Requeue(counted=False, problem=None)),
        ({"outcome": "failed", "problem": OOM}, Requeue(counted=True, problem=OOM)),
        ({"outcome": "failed", "problem": WRONG, "retryable": False}, End(S.FAILED, WRONG)),
    ],
)
@pytest.mark.parametrize("state", [S.STARTING, S.RUNNING])
def test_after_an_attempt(state, changes, expected):
    assert act(state, attempt(**ENDED_NOW, released=True, **changes)) == expected


def test_retries_are_used_up_by_what_counts_alone():
    lost = attempt(**ENDED_NOW, released=True, outcome="lost", problem=OOM)
    assert act(S.RUNNING, lost, retries_used=3, max_retries=3) == End(S.FAILED, OOM)
    uncounted = msgspec.structs.replace(lost, counted=False)
    assert act(S.RUNNING, uncounted, retries_used=3, max_retries=3) == Requeue(counted=False, problem=OOM)


def test_a_stop_goes_from_the_heartbeats_answer_to_sigterm_to_sigkill():
    assert act(S.RUNNING, attempt(), Running(), **CANCEL) == RequestStop()
    asked = attempt(stop_requested_at=ago(seconds=4))
    assert act(S.RUNNING, asked, Running(), **CANCEL) == Wait(NOW + timedelta(seconds=1))
    asked = attempt(stop_requested_at=ago(seconds=5))
    assert act(S.RUNNING, asked, Running(), **CANCEL) == Terminate()
    asked = attempt(stop_requested_at=ago(seconds=34), terminated=True)
    assert act(S.RUNNING, asked, Running(), **CANCEL) == Wait(NOW + timedelta(seconds=1))
    asked = attempt(stop_requested_at=ago(seconds=35), terminated=True)
    ended = act(S.RUNNING, asked, Running(), **CANCEL)
    assert isinstance(ended, EndAttempt)
    assert act(S.RUNNING, attempt(**ENDED_NOW, outcome="lost"), Running(), **CANCEL) == Kill()
    assert act(S.RUNNING, attempt(**ENDED_NOW, outcome="lost", released=True), **CANCEL) == End(S.CANCELLED)


def test_a_trainer_that_has_not_reported_yet_is_terminated_without_waiting_for_a_heartbeat():
    asked = attempt(stop_requested_at=NOW, **SILENT_START)
    assert act(S.STARTING, asked, Running(), **CANCEL) == Terminate()


def test_cancelled_between_the_commit_of_an_attempt_and_its_launch():
    unlaunched = attempt(launched=False, launched_at=None, **SILENT_START)
    assert isinstance(act(S.STARTING, unlaunched, **CANCEL), EndAttempt)
    over = attempt(launched=False, launched_at=None, **SILENT_START, **ENDED_NOW, outcome="lost")
    assert act(S.STARTING, over, Running(), **CANCEL) == Kill(), "it had been started before the crash"
    assert act(S.STARTING, over, None, **CANCEL) == Release(None)


def test_a_cancel_after_success_stops_the_process_and_cancels():
    ok = {**ENDED_NOW, "outcome": "succeeded"}
    assert act(S.RUNNING, attempt(**ok), Exited(0), **CANCEL) == Release(0)
    assert act(S.RUNNING, attempt(**ok, released=True), **CANCEL) == End(S.CANCELLED)
    assert act(S.FINALIZING, attempt(**ok, released=True), **CANCEL) == End(S.CANCELLED)


@pytest.mark.parametrize("old", list(JobState))
@pytest.mark.parametrize("new", list(JobState))
def test_the_table_allows_just_what_the_picture_shows(old, new):
    way = [S.PENDING, S.VALIDATING, S.QUEUED, S.STARTING, S.RUNNING, S.FINALIZING, S.COMPLETED]
    allowed = set(pairwise(way)) | {(S.STARTING, S.QUEUED), (S.RUNNING, S.QUEUED)}
    allowed |= {(state, end) for state in ACTIVE for end in (S.FAILED, S.CANCELLED)}
    assert (new in TRANSITIONS[old]) == ((old, new) in allowed)
    if (old, new) in allowed:
        check(old, new)
    else:
        with pytest.raises(IllegalTransition):
            check(old, new)


SENTENCES = {
    0: "without reporting", 127: "could not be started",
    137: "SIGKILL", 139: "segmentation", 130: "signal 2", 3: "code 3",
}  # fmt: skip


@pytest.mark.parametrize(("code", "word"), SENTENCES.items())
def test_exit_codes_become_sentences(code, word):
    assert word in exit_sentence(code)


OVER_TIME = {"time_limit": timedelta(hours=1), "run": timedelta(hours=1)}


def test_at_the_end_of_its_time_a_job_is_stopped_like_a_cancelled_one_and_fails_with_what_it_has():
    assert act(S.RUNNING, attempt(), Running(), time_limit=timedelta(hours=1), run=timedelta(minutes=59)) == Wait(
        ago(seconds=1) + LIMITS.silence
    )
    assert act(S.RUNNING, attempt(), Running(), **OVER_TIME) == RequestStop()
    asked = attempt(stop_requested_at=ago(seconds=6))
    assert act(S.RUNNING, asked, Running(), **OVER_TIME) == Terminate()
    ended = act(S.RUNNING, attempt(**ENDED_NOW, outcome="stopped", released=True), **OVER_TIME)
    assert (ended.state, ended.problem.code) == (S.FAILED, "time_limit")
    assert "1:00:00" in ended.problem.message


@pytest.mark.parametrize(
    ("outcome", "given", "state", "code"),
    [
        ("succeeded", {}, S.FINALIZING, None),  # it was done in the same moment
        ("failed", {"retryable": False, "problem": WRONG}, S.RUNNING, "config_invalid"),
        ("failed", {"problem": OOM}, S.RUNNING, "time_limit"),
        ("lost", {"counted": False}, S.RUNNING, "time_limit"),
    ],
)
def test_the_end_of_its_time_is_not_a_reason_to_forget_how_its_attempt_ended(outcome, given, state, code):
    ended = act(state, attempt(**ENDED_NOW, outcome=outcome, released=True, **given), **OVER_TIME)
    assert (ended.problem.code if ended.problem else None) == code
    assert ended.state is (S.FAILED if code else S.COMPLETED)


def test_a_cancelled_job_is_cancelled_also_when_its_time_is_over():
    made = attempt(**ENDED_NOW, outcome="stopped", released=True)
    assert act(S.RUNNING, made, **CANCEL, **OVER_TIME) == End(S.CANCELLED)
