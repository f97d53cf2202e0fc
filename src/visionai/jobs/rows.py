"""What the reports of one transaction need, read in three queries for all of them instead of four for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from visionai.identity.tokens import Callback
from visionai.jobs.tables import Attempt, Job, MetricRow, Report

MetricKey = tuple[UUID, str, int, int, int]
"""Job, kind, attempt, epoch, step: the primary key of a MetricRow."""


class Wanted(msgspec.Struct, frozen=True):
    """What one report needs: its attempt and job, the answer it may have had, and the row its metrics go into."""

    who: Callback
    seq: int | None = None
    metric: MetricKey | None = None
    few: bool = False
    """It touches none of the columns LEFT_OUT."""


LEFT_OUT = (
    Job.project_id, Job.created_by, Job.parent_job_id, Job.name, Job.dataset_id, Job.dataset_version_id, Job.task_type,
    Job.framework, Job.model_name, Job.config, Job.resume_artifact_id, Job.priority, Job.max_retries,
    Job.workflow_version, Job.trace_id, Job.state_reason, Job.cancel_requested_at, Job.retries_used, Job.error,
    Job.best, Job.lease_token, Job.lease_expires_at, Job.created_at, Job.queued_at, Job.started_at, Job.deleted_at,
    Attempt.launch_id, Attempt.host_id, Attempt.slot, Attempt.config, Attempt.handle, Attempt.resume_artifact_id,
    Attempt.created_at, Attempt.launched_at, Attempt.terminated_at, Attempt.done_at,
    Attempt.outcome, Attempt.error, Attempt.counted, Attempt.exit_code, Attempt.released_at,
)  # fmt: skip
"""What a heartbeat touches none of: half of what it costs here is reading them. A new column is read unless it is named
here; touching one that is fails loudly."""
_FEW = tuple(defer(column, raiseload=True) for column in LEFT_OUT)


class Rows(msgspec.Struct):
    attempts: dict[Callback, tuple[Attempt, Job]]
    answers: dict[tuple[Callback, int], tuple[str, int, dict[str, Any] | None]]
    """Endpoint, status and body, by (attempt, seq)."""
    metrics: dict[MetricKey, dict[str, Any]]


async def load(session: AsyncSession, wanted: Sequence[Wanted]) -> None:
    """Read them, lock the jobs, and keep them with the session: ``of`` gives them back."""
    owners = {(w.who.job_id, w.who.attempt) for w in wanted}
    few = all(w.few for w in wanted)
    found = await session.execute(
        select(Attempt, Job)
        .join(Job, Job.id == Attempt.job_id)
        .where(tuple_(Attempt.job_id, Attempt.number).in_(owners))
        .order_by(Job.id)
        .with_for_update(of=Job)
        .options(*(_FEW if few else ()))
    )
    attempts = {Callback(attempt.job_id, attempt.number): (attempt, job) for attempt, job in found}
    by_id = {attempt.id: who for who, (attempt, _) in attempts.items()}
    numbered = {(attempts[w.who][0].id, w.seq) for w in wanted if w.seq is not None and w.who in attempts}
    report = select(Report.attempt_id, Report.seq, Report.endpoint, Report.status, Report.answer)
    answers = {
        (by_id[row.attempt_id], row.seq): (row.endpoint, row.status, row.answer)
        for row in (
            await session.execute(report.where(tuple_(Report.attempt_id, Report.seq).in_(numbered))) if numbered else ()
        )
    }
    keys = {w.metric for w in wanted if w.metric is not None}
    columns = tuple_(MetricRow.job_id, MetricRow.kind, MetricRow.attempt, MetricRow.epoch, MetricRow.step)
    metrics = {
        (row["job_id"], row["kind"], row["attempt"], row["epoch"], row["step"]): dict(row)
        for row in (
            (await session.execute(select(MetricRow.__table__).where(columns.in_(keys)))).mappings() if keys else ()
        )
    }
    session.info["rows"] = Rows(attempts, answers, metrics)


def of(session: AsyncSession) -> Rows:
    rows: Rows = session.info["rows"]
    return rows
