"""The one place that says what comes next for an operation. Pure: it looks at a view, decides, and touches nothing.

::

    pending ──► running ──► completed
       │           │ ▲──── the child was lost, another attempt
       └───────────┴─────► failed | cancelled        then its traces are removed
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from visionai.executors.base import Exited, Gone, Observation, Running
from visionai.operations.work import Outcome, Reason

KILL_AFTER = timedelta(seconds=10)
SIGKILL, SIGALRM, SIGXCPU = 128 + 9, 128 + 14, 128 + 24


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What the row says."""

    status: str
    attempt: int
    max_attempts: int
    launched: bool
    """The present attempt has a handle."""
    cancel_requested_at: datetime | None
    traces: bool
    """There may be something left to remove: set until the operation has been cleaned up."""


class Seen(msgspec.Struct, frozen=True):
    """What the world says: the child's process (None: not started yet) and what it left."""

    process: Observation | None = None
    outcome: Outcome | None = None


class Nothing(msgspec.Struct, frozen=True):
    pass


class Wait(msgspec.Struct, frozen=True):
    """It runs."""


class Attempt(msgspec.Struct, frozen=True):
    """Commit that this attempt is to be made; it is started only afterwards. The first one waits for its turn."""

    number: int


class Start(msgspec.Struct, frozen=True):
    """Start the present attempt, or adopt it."""


class Stop(msgspec.Struct, frozen=True):
    kill: bool


class Publish(msgspec.Struct, frozen=True):
    """Take over the result; then the operation is completed."""


class Fail(msgspec.Struct, frozen=True):
    error: Reason


class Cancel(msgspec.Struct, frozen=True):
    pass


class Clean(msgspec.Struct, frozen=True):
    pass


Action = Nothing | Wait | Attempt | Start | Stop | Publish | Fail | Cancel | Clean

ENDED = frozenset({"completed", "failed", "cancelled"})


def decide(view: View, seen: Seen, now: datetime) -> Action:
    if view.status in ENDED:
        return Clean() if view.traces else Nothing()
    if view.cancel_requested_at is not None:
        if isinstance(seen.process, Running):
            asked_for = now - view.cancel_requested_at  # negative: the clock was moved back since
            return Stop(kill=not timedelta(0) <= asked_for < KILL_AFTER)
        return Cancel()
    if view.status == "pending":
        return Attempt(1)
    if not view.launched:
        return Start()
    match seen.process:
        case Running():
            return Wait()
        case Exited() | Gone() if seen.outcome is not None:  # written last, so it is whole, whatever came after it
            return Publish() if seen.outcome.error is None else Fail(seen.outcome.error)
        case Exited(code) if code == SIGXCPU:
            return Fail(Reason("took_too_long", "This took more computing time than one operation may use.",
                               "Split it into smaller parts."))  # fmt: skip
        case Exited(code) if code == SIGALRM:
            return Fail(Reason("took_too_long", "This took longer than one import may take.",
                               "Split it into smaller parts, or have an admin raise IMPORT_SECONDS."))  # fmt: skip
        case lost:
            return after_loss(view, lost)


def after_loss(view: View, lost: Observation | None) -> Action:
    """Another attempt, or the end once there were enough of them."""
    if view.attempt < view.max_attempts:
        return Attempt(view.attempt + 1)
    return Fail(Reason("internal", f"It was tried {view.attempt} times and broke off each time: {_why(lost)}.",
                       "Try again; if it stays so, the server's log says more."))  # fmt: skip


def next_to_start(waiting: Sequence[tuple[UUID, UUID]], running: Sequence[UUID], limit: int) -> list[UUID]:
    """Which of those that wait, ``(id, project)`` in the order of their submission, may start now; ``running`` are the
    projects of those that run.

    A project with fewer at work comes first, so that nobody's hundred hold up another's first one.
    """
    at_work, left, chosen = Counter(running), list(waiting), []
    while left and at_work.total() < limit:
        first = min(left, key=lambda turn: at_work[turn[1]])
        left.remove(first)
        chosen.append(first[0])
        at_work[first[1]] += 1
    return chosen


def launch_id(operation_id: UUID, attempt: int) -> str:
    """The launch id of an attempt: always the same, so that a repeat adopts what runs."""
    return f"op-{operation_id}-{attempt}"


def _why(lost: Observation | None) -> str:
    match lost:
        case Exited(code) if code == SIGKILL:
            return "its process was killed, perhaps for want of memory"
        case Exited(code):
            return f"its process ended with code {code}"
        case Gone(reason):
            return reason
        case _:
            return "an unexpected error in the server"
