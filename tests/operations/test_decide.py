from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visionai.executors.base import Exited, Gone, Running
from visionai.operations.decide import (
    Attempt,
    Cancel,
    Clean,
    Fail,
    Nothing,
    Publish,
    Seen,
    Start,
    Stop,
    View,
    Wait,
    decide,
    next_to_start,
)
from visionai.operations.work import Outcome, Reason

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GOOD, BAD = Outcome(result={}), Outcome(error=Reason("broken_archive", "It is broken."))


def view(**given: Any) -> View:
    standard: dict[str, Any] = {
        "status": "running", "attempt": 1, "max_attempts": 3, "launched": True, "cancel_requested_at": None,
        "traces": True,
    }  # fmt: skip
    return View(**{**standard, **given})


CASES = [
    ("a new one gets its first attempt", view(status="pending", attempt=0, launched=False), Seen(), Attempt(1)),
    ("what was committed is started", view(launched=False), Seen(), Start()),
    ("what runs is waited for", view(), Seen(Running()), Wait()),
    ("a result is published", view(), Seen(Exited(0), GOOD), Publish()),
    ("a result counts, whatever became of the process", view(), Seen(Exited(137), GOOD), Publish()),
    ("a result counts also after a restart", view(), Seen(Gone("restart"), GOOD), Publish()),
    ("the user's mistake is not tried again", view(), Seen(Exited(1), BAD), Fail(BAD.error)),  # type: ignore[arg-type]
    ("a child that was killed is tried again", view(), Seen(Exited(137)), Attempt(2)),
    ("a child that has disappeared is tried again", view(), Seen(Gone("it has")), Attempt(2)),
    ("success without a result is none", view(), Seen(Exited(0)), Attempt(2)),
    ("one not begun is cancelled", view(status="pending", cancel_requested_at=NOW), Seen(), Cancel()),
    ("one that runs is asked to stop", view(cancel_requested_at=NOW), Seen(Running()), Stop(kill=False)),
    (
        "one that does not listen is killed",
        view(cancel_requested_at=NOW - timedelta(seconds=11)), Seen(Running()), Stop(kill=True),
    ),
    (
        "one asked to stop before the clock was moved back is killed",
        view(cancel_requested_at=NOW + timedelta(hours=5)), Seen(Running()), Stop(kill=True),
    ),
    ("one that has stopped is cancelled", view(cancel_requested_at=NOW), Seen(Exited(143)), Cancel()),
    ("a result after the cancellation is dropped", view(cancel_requested_at=NOW), Seen(Exited(0), GOOD), Cancel()),
    ("what has ended is cleaned up", view(status="failed"), Seen(), Clean()),
    ("what has ended and is clean stays as it is", view(status="completed", traces=False), Seen(), Nothing()),
]  # fmt: skip


@pytest.mark.parametrize(("seen_as", "row", "seen", "action"), CASES, ids=[c[0] for c in CASES])
def test_each_case(seen_as: str, row: View, seen: Seen, action: object) -> None:
    assert decide(row, seen, NOW) == action


@pytest.mark.parametrize(
    ("process", "words"),
    [(Exited(137), "memory"), (Exited(3), "code 3"), (Gone("the machine was restarted"), "restarted")],
)
def test_the_last_attempt_that_is_lost_fails_and_says_why(process: Exited | Gone, words: str) -> None:
    action = decide(view(attempt=3), Seen(process), NOW)
    assert isinstance(action, Fail)
    assert "3 times" in action.error.message
    assert words in action.error.message


def test_computing_time_that_is_used_up_is_not_tried_again() -> None:
    action = decide(view(), Seen(Exited(128 + 24)), NOW)
    assert isinstance(action, Fail)
    assert action.error.code == "took_too_long"


def test_time_that_is_used_up_is_not_tried_again() -> None:
    action = decide(view(), Seen(Exited(128 + 14)), NOW)
    assert isinstance(action, Fail)
    assert action.error.code == "took_too_long"


processes = st.none() | st.just(Running()) | st.builds(Exited, st.integers(0, 255)) | st.just(Gone("x"))


@given(
    st.sampled_from(["pending", "running", "completed", "failed", "cancelled"]), st.integers(0, 4), st.booleans(),
    st.booleans(), st.booleans(), processes, st.sampled_from([None, GOOD, BAD]),
)  # fmt: skip
def test_whatever_is_seen(
    status: str, attempt: int, launched: bool, cancelled: bool, traces: bool, process: Any, outcome: Outcome | None
) -> None:
    """Ended is ended, nothing is published while it runs, no attempt is beyond the limit, nothing is forgotten."""
    row = view(
        status=status, attempt=attempt, launched=launched, traces=traces, cancel_requested_at=NOW if cancelled else None
    )
    action = decide(row, Seen(process, outcome), NOW)
    if status in ("completed", "failed", "cancelled"):
        assert isinstance(action, Clean | Nothing)
    else:
        assert not isinstance(action, Nothing | Clean)
        assert not (
            isinstance(process, Running)
            and isinstance(action, Publish | Fail | Cancel | Attempt)
            and launched
            and status == "running"
        )
    if isinstance(action, Attempt):
        assert action.number <= max(row.max_attempts, 1)


@given(
    st.lists(st.integers(0, 3), max_size=12), st.lists(st.integers(0, 3), max_size=4), st.integers(1, 4),
)  # fmt: skip
def test_as_many_start_as_there_is_room_for_and_projects_take_turns(
    waiting: list[int], running: list[int], limit: int
) -> None:
    line = [(UUID(int=100 + n), UUID(int=project)) for n, project in enumerate(waiting)]
    started = next_to_start(line, [UUID(int=project) for project in running], limit)
    assert len(started) == min(len(waiting), max(0, limit - len(running)))
    of_project = dict(line)
    for project in {p for _, p in line}:
        mine = [op_id for op_id, p in line if p == project]
        chosen = [op_id for op_id in started if of_project[op_id] == project]
        assert chosen == mine[: len(chosen)], "within a project the first comes first"


def test_a_hundred_imports_of_one_project_do_not_hold_up_the_first_of_another() -> None:
    one, two = UUID(int=1), UUID(int=2)
    line = [*((UUID(int=n), one) for n in range(100, 200)), (UUID(int=500), two)]
    assert next_to_start(line, [one], 2) == [UUID(int=500)]
    assert next_to_start(line, [], 2) == [UUID(int=100), UUID(int=500)]
