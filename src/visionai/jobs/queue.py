"""Whose turn it is: a pure function of who waits and who has a slot already.

Higher priority first. Within a priority people take turns: who has fewer trainings running or further ahead comes
first, then whose last turn lies further back, so that nobody's hundred jobs hold up another's first one. A job that a
limit holds back holds nobody else back.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

FORETOLD = 1e12  # seconds: a turn that is still to come lies after every one that was


class Waiting(msgspec.Struct, frozen=True):
    id: UUID
    priority: int
    user_id: UUID
    project_id: UUID
    queued_at: datetime


class Holder(msgspec.Struct, frozen=True):
    """A training that has a slot."""

    user_id: UUID
    project_id: UUID
    ends_at: datetime | None = None
    """As its trainer expects it; None if it has not said."""
    took: timedelta | None = None
    """From its start to then."""


class Limits(msgspec.Struct, frozen=True):
    """How many trainings may run at once; None: as many as there are slots."""

    per_user: int | None = None
    per_project: int | None = None
    own: Mapping[UUID, int] = {}
    """Of those people and projects that have a number of their own."""


class Turns(msgspec.Struct, frozen=True):
    order: list[UUID]
    """Those that may start as soon as a slot is free, in this order."""
    held_back: dict[UUID, str]
    """Those that a limit holds back, with the reason."""


def turns(
    waiting: Sequence[Waiting], holders: Sequence[Holder], limits: Limits, served: Mapping[UUID, datetime]
) -> Turns:
    """``served``: when each person's last turn was."""
    last_turn: dict[UUID, float] = {user_id: moment.timestamp() for user_id, moment in served.items()}
    of_user, of_project = Counter(h.user_id for h in holders), Counter(h.project_id for h in holders)
    left: dict[tuple[int, UUID], list[Waiting]] = {}
    for job in sorted(waiting, key=lambda w: (w.queued_at, w.id), reverse=True):
        left.setdefault((job.priority, job.user_id), []).append(job)  # the longest waiting last, to be popped first
    heads = [_rank(jobs[-1], of_user, last_turn) for jobs in left.values()]
    heapq.heapify(heads)
    order, held_back = [], {}
    while heads:
        job = heapq.heappop(heads)[-1]
        mine = left[job.priority, job.user_id]
        rank = _rank(job, of_user, last_turn)
        if heads and rank > heads[0]:  # it was ranked before this person got another turn in a higher priority
            heapq.heappush(heads, rank)
            continue
        mine.pop()
        if (why := _limit(job, of_user, of_project, limits)) is not None:
            held_back[job.id] = why
        else:
            order.append(job.id)
            of_user[job.user_id] += 1
            of_project[job.project_id] += 1
            last_turn[job.user_id] = FORETOLD + len(order)
        if mine:
            heapq.heappush(heads, _rank(mine[-1], of_user, last_turn))
    return Turns(order, held_back)


def expected_starts(
    order: Sequence[UUID], holders: Sequence[Holder], slots: int, now: datetime
) -> dict[UUID, datetime]:
    """When each of ``order`` may expect its slot, if trainings take as long as the present ones do on average.

    Those for whom a slot is free: now. No others where a present one has not said when it ends.
    """
    at_once = dict.fromkeys(order[: max(0, slots - len(holders))], now)
    if any(h.ends_at is None or h.took is None for h in holders):
        return at_once
    free_at = [max(h.ends_at, now) for h in holders if h.ends_at is not None] + [now] * (slots - len(holders))
    lengths = [h.took for h in holders if h.took is not None]
    if slots < 1 or not lengths:
        return at_once
    usual = sum(lengths, timedelta()) / len(lengths)
    heapq.heapify(free_at)
    while len(free_at) > slots:  # the setting was lowered meanwhile
        heapq.heappop(free_at)
    return {job_id: heapq.heapreplace(free_at, free_at[0] + usual) for job_id in order}


def _rank(
    job: Waiting, of_user: Counter[UUID], last_turn: Mapping[UUID, float]
) -> tuple[int, int, float, datetime, UUID, Waiting]:
    return (-job.priority, of_user[job.user_id], last_turn.get(job.user_id, 0.0), job.queued_at, job.id, job)


def _limit(job: Waiting, of_user: Counter[UUID], of_project: Counter[UUID], limits: Limits) -> str | None:
    per_user = limits.own.get(job.user_id, limits.per_user)
    per_project = limits.own.get(job.project_id, limits.per_project)
    if per_user is not None and of_user[job.user_id] >= per_user:
        return f"Waiting for another training of yours to end: {per_user} may run at once for one person."
    if per_project is not None and of_project[job.project_id] >= per_project:
        return f"Waiting for another training to end: {per_project} may run at once in one project."
    return None
