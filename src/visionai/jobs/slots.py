"""Slots: how many trainers run at once on this host: one per GPU, one on a machine without, or a setting. The queue."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.db import after_commit, utcnow
from visionai.identity import quotas
from visionai.jobs.queue import Holder, Limits, Turns, Waiting, expected_starts, turns
from visionai.jobs.state import JobState
from visionai.jobs.tables import Attempt, Job, QueueTurn
from visionai.settings import Settings
from visionai.wakeup import Wake


class Queue(msgspec.Struct, frozen=True):
    turns: Turns
    starts: dict[UUID, datetime]
    """When each may expect its slot, where that can be said."""


def gpus() -> int:
    """NVIDIA GPUs of this machine, as their driver lists them."""
    driver = Path("/proc/driver/nvidia/gpus")
    return len(list(driver.iterdir())) if driver.is_dir() else 0


def count(settings: Settings) -> int:
    return settings.slots if settings.slots is not None else max(1, gpus())


async def free(session: AsyncSession, settings: Settings, host_id: str) -> list[int]:
    held = set(
        await session.scalars(select(Attempt.slot).where(Attempt.host_id == host_id, Attempt.released_at.is_(None)))
    )
    return [slot for slot in range(count(settings)) if slot not in held]


async def queue(session: AsyncSession, settings: Settings) -> Queue:
    """Read once for everybody who asks in this transaction."""
    known: Queue | None = session.info.get("queue")
    if known is None:
        known = session.info["queue"] = await _queue(session, settings)
    return known


async def start_of(session: AsyncSession, settings: Settings, newcomer: Waiting) -> datetime | None:
    """When a job that does not wait yet might expect its slot, if it came now; None where that cannot be said."""
    return (await _queue(session, settings, newcomer)).starts.get(newcomer.id)


async def _queue(session: AsyncSession, settings: Settings, *newcomers: Waiting) -> Queue:
    waiting = await session.execute(
        select(Job.id, Job.priority, Job.created_by, Job.project_id, Job.queued_at).where(
            Job.state == JobState.QUEUED, Job.cancel_requested_at.is_(None)
        )
    )
    holders = await session.execute(
        select(Job.created_by, Job.project_id, Job.started_at, Job.last_heartbeat_at, Job.eta_seconds)
        .join(Attempt, Attempt.job_id == Job.id)
        .where(Attempt.released_at.is_(None))
    )
    served = {turn.user_id: turn.served_at for turn in await session.scalars(select(QueueTurn))}
    own = await quotas.running(session)
    limits = Limits(settings.running_per_user, settings.running_per_project, own)
    held = [_holder(*row) for row in holders]
    all_waiting = [*(Waiting(*row[:4], row.queued_at or utcnow()) for row in waiting), *newcomers]
    turn = turns(all_waiting, held, limits, served)
    return Queue(turn, expected_starts(turn.order, held, count(settings), utcnow()))


async def wake_next(session: AsyncSession, settings: Settings, host_id: str) -> None:
    """After a slot has become free or the queue's head has left: wake those whose turn it is."""
    await session.flush()
    session.info.pop("queue", None)
    open_slots = len(await free(session, settings, host_id))
    for job_id in (await queue(session, settings)).turns.order[:open_slots]:
        after_commit(session, Wake("job", job_id))


def _holder(
    user_id: UUID, project_id: UUID, started: datetime | None, heard: datetime | None, eta: float | None
) -> Holder:
    if started is None or heard is None or eta is None:
        return Holder(user_id, project_id)
    ends = heard + timedelta(seconds=eta)
    return Holder(user_id, project_id, ends, ends - started)
