"""Slots: how many trainers run at once on this host (one per GPU, one on a machine without, or a setting)."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.db import after_commit
from visionai.jobs.state import JobState
from visionai.jobs.tables import Attempt, Job
from visionai.settings import Settings
from visionai.wakeup import Wake


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


async def ahead(session: AsyncSession, job: Job) -> int:
    """How many queued jobs come before this one: higher priority first, then in the order of queueing."""
    earlier = or_(
        Job.priority > job.priority,
        and_(Job.priority == job.priority, Job.queued_at < job.queued_at),
        and_(Job.priority == job.priority, Job.queued_at == job.queued_at, Job.id < job.id),
    )
    return await session.scalar(
        select(func.count()).select_from(Job).where(Job.state == JobState.QUEUED, earlier)
    ) or 0  # fmt: skip


async def wake_next(session: AsyncSession, settings: Settings, host_id: str) -> None:
    """After a slot has become free or the queue's head has left: wake those whose turn it is."""
    open_slots = len(await free(session, settings, host_id))
    first = await session.scalars(
        select(Job.id)
        .where(Job.state == JobState.QUEUED)
        .order_by(Job.priority.desc(), Job.queued_at, Job.id)
        .limit(open_slots)
    )
    for job_id in first:
        after_commit(session, Wake("job", job_id))
