"""What a job has to show: metrics by epoch, validations, the best one, logs, checkpoints.

Rows are kept per attempt. When an attempt resumes after epoch n, what its predecessor reported of later epochs is
marked superseded, the best included: the history reads as if there had been no interruption.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.db import Database, append, utcnow
from visionai.errors import BadInput
from visionai.jobs import events, rows
from visionai.jobs.rows import MetricKey
from visionai.jobs.tables import Artifact, Job, LogChunk, MetricRow, Validation
from visionai.trainers.contract import MAX_JOB_METRICS

Metrics = dict[str, float | None]
Kind = Literal["epoch", "step"]


def metric_key(job_id: UUID, kind: Kind, attempt: int, epoch: int, step: int | None) -> MetricKey:
    return (job_id, kind, attempt, epoch, (step or 0) if kind == "step" else 0)


def add_metrics(
    session: AsyncSession, job: Job, attempt: int, kind: Kind, epoch: int, step: int | None, metrics: Metrics
) -> None:
    """Merge into the row of that epoch (or step), which was asked for with the report; a later number wins."""
    key, known = metric_key(job.id, kind, attempt, epoch, step), rows.of(session).metrics
    before = known.get(key)
    row = known[key] = {
        "job_id": job.id, "kind": kind, "attempt": attempt, "epoch": epoch, "step": key[4], "superseded": False,
        "time": utcnow(), "metrics": {**(before["metrics"] if before else {}), **metrics},
        "last_step": step if step is not None or before is None else before["last_step"],
    }  # fmt: skip
    append(session, MetricRow, row, replace=True)
    job.metrics = {**job.metrics, **metrics}
    if kind == "epoch":
        data = {"epoch": epoch, "step": row["last_step"], "attempt": attempt, "metrics": row["metrics"]}
        events.emit(session, job, "epoch", data)


def refuse_too_many(job: Job, metrics: Metrics) -> None:
    """Raises BadInput if the job would get more metrics than one may have: every answer about it names them all."""
    new = metrics.keys() - job.metrics.keys()
    if new and len(job.metrics) + len(new) > MAX_JOB_METRICS:
        raise BadInput.field(
            "metrics",
            f"{MAX_JOB_METRICS:,} different names are the most that a job may have: use the same at each epoch",
        )


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
    job.best = await best(session, job)


async def lineage(session: AsyncSession, job: Job) -> list[tuple[UUID, int | None]]:
    """Where this job's history comes from: the job itself, then each parent that it was resumed from, with the last
    epoch that counts (None: all)."""
    found: list[tuple[UUID, int | None]] = [(job.id, None)]
    until = job.resume_epoch
    while until is not None and job.parent_job_id is not None:
        parent = await session.get(Job, job.parent_job_id)
        if parent is None:
            break
        found.append((parent.id, until))
        job, until = parent, min(until, parent.resume_epoch) if parent.resume_epoch is not None else None
    return found


def within(table: type[MetricRow] | type[Validation], line: Sequence[tuple[UUID, int | None]]) -> ColumnElement[bool]:
    """Rows of this line that count."""
    of_each = (
        table.job_id == job_id if until is None else and_(table.job_id == job_id, table.epoch <= until)
        for job_id, until in line
    )
    return and_(table.superseded.is_(False), or_(*of_each))


async def best(session: AsyncSession, job: Job) -> dict[str, Any] | None:
    """The best epoch there is, those before a resume included."""
    found: dict[str, Any] | None = None
    kept = select(Validation).where(within(Validation, await lineage(session, job)))
    for row in await session.scalars(kept.order_by(Validation.epoch)):
        p = row.primary_metric
        if is_better(p["value"], found, p["mode"]):
            found = {**p, "epoch": row.epoch}
    return found


async def checkpoint_to_resume(session: AsyncSession, job: Job) -> Artifact | None:
    """The last complete checkpoint: what the next attempt starts from. Before there is one, the parent's."""
    found: Artifact | None = await session.scalar(
        select(Artifact)
        .where(
            Artifact.job_id == job.id, Artifact.kind == "checkpoint_last", Artifact.completed_at.is_not(None),
            Artifact.superseded.is_(False), Artifact.epoch.is_not(None),
        )
        .order_by(Artifact.epoch.desc(), Artifact.id.desc())
        .limit(1)
    )  # fmt: skip
    if found is None and job.resume_artifact_id is not None:
        found = await session.get(Artifact, job.resume_artifact_id)
    return found


def append_log(session: AsyncSession, job: Job, attempt: int, lines: list[dict[str, Any]]) -> None:
    first = job.log_lines
    job.log_lines += len(lines)
    chunk = {"job_id": job.id, "first_line": first, "count": len(lines), "attempt": attempt, "lines": lines}
    append(session, LogChunk, chunk)
    events.emit(session, job, "log", {"first_line": first, "count": len(lines)})


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


SEARCHED_LINES = 100_000
"""What one search reads: it goes on where it stopped, so that none holds up the others."""
CHUNKS_AT_ONCE = 20


async def search_log(
    session: AsyncSession, job: Job, start: int, limit: int, *, text: str, levels: Sequence[str]
) -> tuple[list[tuple[int, int, dict[str, Any]]], int | None]:
    """Lines from ``start`` on that have ``text`` (in any case) and one of ``levels`` (none: any); ``limit`` at most,
    among the next SEARCHED_LINES. And the line where to go on, None at the end."""
    wanted, until = text.casefold(), min(job.log_lines, start + SEARCHED_LINES)
    found: list[tuple[int, int, dict[str, Any]]] = []
    while start < until:
        lines = await _chunks_from(session, job.id, start)
        if not lines:
            return found, None
        for n, attempt, line in lines:
            if (not levels or line["level"] in levels) and wanted in line["text"].casefold():
                found.append((n, attempt, line))
            if len(found) == limit or n + 1 >= until:
                return found, n + 1 if n + 1 < job.log_lines else None
        start = lines[-1][0] + 1
    return found, None


async def log_pieces(db: Database, job: Job) -> AsyncIterator[bytes]:
    """The whole log as it was when asked for, as text, piece by piece; no transaction is open between two."""
    start = 0
    while start < job.log_lines:
        async with db.read() as session:
            lines = [entry for entry in await _chunks_from(session, job.id, start) if entry[0] < job.log_lines]
        if not lines:
            return
        start = lines[-1][0] + 1
        yield "".join(f"{line['time']} {line['level']:<7} {line['text']}\n" for _, _, line in lines).encode()


async def _chunks_from(session: AsyncSession, job_id: UUID, start: int) -> list[tuple[int, int, dict[str, Any]]]:
    chunks = await session.execute(
        select(LogChunk.first_line, LogChunk.attempt, LogChunk.lines)
        .where(LogChunk.job_id == job_id, LogChunk.first_line + LogChunk.count > start)
        .order_by(LogChunk.first_line)
        .limit(CHUNKS_AT_ONCE)
    )
    lines = [(first + i, attempt, line) for first, attempt, lines in chunks for i, line in enumerate(lines)]
    return [entry for entry in lines if entry[0] >= start]


def parse_time(value: object, default: datetime) -> datetime:
    """A trainer's own time stamp, for display alone."""
    try:
        parsed = datetime.fromisoformat(str(value))
    except ValueError:
        return default
    return parsed if parsed.tzinfo is not None else default
