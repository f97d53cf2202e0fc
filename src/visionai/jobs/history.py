"""What a job has to show: metrics by epoch, validations, the best one, logs, checkpoints.

Rows are kept per attempt. When an attempt resumes after epoch n, what its predecessor reported of later epochs is
marked superseded, the best included: the history reads as if there had been no interruption.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.db import utcnow
from visionai.jobs import events
from visionai.jobs.tables import Artifact, Job, LogChunk, MetricRow, Validation

Metrics = dict[str, float | None]


async def add_metrics(
    session: AsyncSession, job: Job, attempt: int, kind: Literal["epoch", "step"], epoch: int, step: int | None,
    metrics: Metrics,
) -> None:  # fmt: skip
    """Merge into the row of that epoch (or step); a later number of the same name wins."""
    key = (job.id, kind, attempt, epoch, (step or 0) if kind == "step" else 0)
    row = await session.get(MetricRow, key)
    if row is None:
        row = MetricRow(job_id=job.id, kind=kind, attempt=attempt, epoch=epoch, step=key[4], time=utcnow(), metrics={})
        session.add(row)
    row.metrics = {**row.metrics, **metrics}
    row.last_step = step if step is not None else row.last_step
    row.time = utcnow()
    job.metrics = {**job.metrics, **metrics}
    if kind == "epoch":
        data = {"epoch": epoch, "step": row.last_step, "attempt": attempt, "metrics": row.metrics}
        await session.flush()
        await events.emit(session, job.id, "epoch", data)


def is_better(new: float | None, best: dict[str, Any] | None, mode: str) -> bool:
    if new is None:
        return False
    if best is None or best.get("value") is None:
        return True
    return bool(new > best["value"]) if mode == "max" else bool(new < best["value"])


async def supersede(session: AsyncSession, job: Job, *, after_epoch: int) -> None:
    """An attempt goes on after this epoch (0: from the start): forget what was reported of later ones."""
    if job.attempt == 0:
        return
    for table in (MetricRow, Validation, Artifact):
        await session.execute(
            update(table).where(table.job_id == job.id, table.epoch > after_epoch).values(superseded=True)
        )
    job.epoch = after_epoch
    job.progress = 100.0 * after_epoch / job.total_epochs if job.total_epochs else 0.0
    job.eta_seconds = None
    best: dict[str, Any] | None = None
    kept = select(Validation).where(Validation.job_id == job.id, Validation.superseded.is_(False))
    for row in await session.scalars(kept.order_by(Validation.epoch)):
        p = row.primary_metric
        if is_better(p["value"], best, p["mode"]):
            best = {**p, "epoch": row.epoch}
    job.best = best


async def checkpoint_to_resume(session: AsyncSession, job: Job) -> Artifact | None:
    """The last complete checkpoint: what the next attempt starts from."""
    return await session.scalar(
        select(Artifact)
        .where(
            Artifact.job_id == job.id, Artifact.kind == "checkpoint_last", Artifact.completed_at.is_not(None),
            Artifact.superseded.is_(False), Artifact.epoch.is_not(None),
        )
        .order_by(Artifact.epoch.desc(), Artifact.id.desc())
        .limit(1)
    )  # fmt: skip


async def append_log(session: AsyncSession, job_id: UUID, attempt: int, lines: list[dict[str, Any]]) -> None:
    first = (
        await session.execute(
            update(Job).where(Job.id == job_id).values(log_lines=Job.log_lines + len(lines)).returning(Job.log_lines),
            execution_options={"synchronize_session": False},
        )
    ).scalar_one() - len(lines)
    session.add(LogChunk(job_id=job_id, first_line=first, count=len(lines), attempt=attempt, lines=lines))
    await events.emit(session, job_id, "log", {"first_line": first, "count": len(lines)})


async def read_log(
    session: AsyncSession, job_id: UUID, start: int, limit: int
) -> list[tuple[int, int, dict[str, Any]]]:
    """(line number, attempt, line) of lines ``start`` to ``start + limit``."""
    chunks = await session.scalars(
        select(LogChunk)
        .where(
            LogChunk.job_id == job_id, LogChunk.first_line + LogChunk.count > start, LogChunk.first_line < start + limit
        )
        .order_by(LogChunk.first_line)
    )
    lines = [(c.first_line + i, c.attempt, line) for c in chunks for i, line in enumerate(c.lines)]
    return [entry for entry in lines if start <= entry[0] < start + limit]


def parse_time(value: object, default: datetime) -> datetime:
    """A trainer's own time stamp, for display alone."""
    try:
        parsed = datetime.fromisoformat(str(value))
    except ValueError:
        return default
    return parsed if parsed.tzinfo is not None else default
