"""What trainers report, taken in: each report is one transaction and has one answer, however often it is sent.

A report with ``seq`` gets its first answer again. A new report of an attempt that has ended, or was replaced, is
refused with ``attempt_ended`` and changes nothing. Trainers' own time stamps are for display; order is ours.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from visionai import failpoints
from visionai.datasets.tables import DatasetVersion
from visionai.db import Database, after_commit, append, utcnow
from visionai.errors import AttemptEnded, BadInput, Conflict, NotFound
from visionai.identity.tokens import Callback
from visionai.jobs import events, history, lifecycle, policy, rows
from visionai.jobs.decide import Problem
from visionai.jobs.state import ENDED
from visionai.jobs.tables import Artifact, Attempt, Job, Report, Validation
from visionai.trainers import contract
from visionai.wakeup import Wake


class Answer(msgspec.Struct, frozen=True):
    status: int
    body: dict[str, Any] | None = None


NO_CONTENT = Answer(204)


class Take(msgspec.Struct, frozen=True):
    """A report, decoded: what it is and what it does to the rows."""

    endpoint: str
    apply: Callable[[AsyncSession, Job, Attempt], Awaitable[Answer]]
    """May refuse by raising, but then before it has changed anything."""
    seq: int | None = None
    row: tuple[history.Kind, int, int | None] | None = None
    """Kind, epoch and step of the row that its metrics go into."""
    few: bool = False
    """It touches none of the columns ``rows.LEFT_OUT``."""


async def accept(db: Database, who: Callback, take: Take) -> Answer:
    """Take a report in, once; answered when it is committed, together with others that came meanwhile.

    Raises AttemptEnded for a new report of an attempt that is over, Unavailable when it is to be sent again.
    """
    kind, epoch, step = take.row or ("epoch", 0, None)
    metric = history.metric_key(who.job_id, kind, who.attempt, epoch, step) if take.row is not None else None
    wanted = rows.Wanted(who, take.seq, metric, take.few)
    return await db.together(lambda session: _take_in(session, who, take), prepare=rows.load, key=wanted)


async def _take_in(session: AsyncSession, who: Callback, take: Take) -> Answer:
    loaded = rows.of(session)
    if who not in loaded.attempts:
        raise no_such_attempt()
    attempt, job = loaded.attempts[who]
    if take.seq is not None and (known := loaded.answers.get((who, take.seq))) is not None:
        endpoint, status, body = known
        if endpoint != take.endpoint:
            raise BadInput.field("seq", f"{take.seq} was the number of a report to {endpoint}: count each report once")
        return Answer(status, body)
    if take.endpoint == "done" and attempt.done is not None:
        return NO_CONTENT
    refuse_ended(job, attempt)
    _count_time(session, job, attempt)
    answer = await take.apply(session, job, attempt)
    failpoints.reach("report.applied", take.endpoint)
    attempt.last_report_at = utcnow()
    if attempt.first_report_at is None:
        attempt.first_report_at = attempt.last_report_at
        after_commit(session, Wake("job", job.id))
    if take.seq is not None:
        loaded.answers[who, take.seq] = (take.endpoint, answer.status, answer.body)
        append(session, Report, {
            "attempt_id": attempt.id, "seq": take.seq, "endpoint": take.endpoint, "status": answer.status,
            "answer": answer.body,
        })  # fmt: skip
    return answer


def _count_time(session: AsyncSession, job: Job, attempt: Attempt) -> None:
    """Of training: what has passed since the report before, wherever the clock was moved."""
    if attempt.last_report_at is None:
        return
    before, gap = job.run_seconds, (utcnow() - attempt.last_report_at).total_seconds()
    job.run_seconds = before + min(max(gap, 0.0), policy.LONGEST_GAP)
    if job.time_limit_seconds is not None and before < job.time_limit_seconds <= job.run_seconds:
        job.next_check_at = utcnow()
        after_commit(session, Wake("job", job.id))


async def attempt_of(session: AsyncSession, who: Callback) -> Attempt:
    attempt = await session.scalar(select(Attempt).where(Attempt.job_id == who.job_id, Attempt.number == who.attempt))
    if attempt is None:
        raise no_such_attempt()
    return attempt


def no_such_attempt() -> NotFound:
    return NotFound("There is no such job, or it was deleted: stop.")


def refuse_ended(job: Job, attempt: Attempt) -> None:
    if attempt.ended_at is not None or job.state in ENDED:
        raise AttemptEnded(f"Attempt {attempt.number} of this job has ended: stop, nothing more is accepted from it.")


def heartbeat(body: contract.Heartbeat) -> Take:
    async def apply(session: AsyncSession, job: Job, attempt: Attempt) -> Answer:
        history.refuse_too_many(job, body.metrics)
        job.last_heartbeat_at = utcnow()
        resumed = attempt.resume_epoch or 0  # a trainer that goes on says 0 until it has read its checkpoint
        job.progress = max(body.progress, 100.0 * resumed / job.total_epochs if job.total_epochs else 0.0)
        job.epoch = max(job.epoch, body.epoch) if body.kind == "epoch" else job.epoch
        job.total_epochs = body.total_epochs if body.total_epochs is not None else job.total_epochs
        job.eta_seconds = policy.time_left(job, body.eta_seconds)
        if body.metrics and body.epoch > 0:
            history.add_metrics(session, job, attempt.number, body.kind, body.epoch, body.step, body.metrics)
        progress = {
            "epoch": max(body.epoch, resumed), "total_epochs": job.total_epochs, "step": body.step,
            "progress": job.progress,
            "eta_seconds": job.eta_seconds, "metrics": body.metrics,
            "system": msgspec.to_builtins(body.system) if body.system is not None else None,
        }  # fmt: skip
        events.emit(session, job, "progress", progress)
        return Answer(200, {"action": "stop" if attempt.stop_requested_at is not None else "continue"})

    row = (body.kind, body.epoch, body.step) if body.metrics and body.epoch > 0 else None
    return Take("heartbeat", apply, body.seq, row, few=True)


def event(body: contract.Event) -> Take:
    """Raises BadInput for more data than an event may carry."""
    if len(msgspec.json.encode(body.data)) > contract.MAX_EVENT_DATA:
        raise BadInput.field("data", f"has more than {contract.MAX_EVENT_DATA:,} bytes: send it as an artifact")

    async def apply(session: AsyncSession, job: Job, attempt: Attempt) -> Answer:
        data = {"type": body.type, "message": body.message, "data": body.data, "attempt": attempt.number}
        events.emit(session, job, "trainer", data)
        return NO_CONTENT

    return Take("event", apply, body.seq, few=True)


def validation(body: contract.Validation) -> Take:
    async def apply(session: AsyncSession, job: Job, attempt: Attempt) -> Answer:
        await _check_matrix(session, job, body)
        primary = body.primary_metric
        metrics = {**body.metrics, primary.name: primary.value}
        history.refuse_too_many(job, metrics)
        is_best = history.is_better(primary.value, job.best, primary.mode)
        if is_best:
            job.best = {**msgspec.to_builtins(primary), "epoch": body.epoch}
        curves = msgspec.to_builtins(body.pr_curves) if body.pr_curves is not None else None
        await session.merge(
            Validation(
                job_id=job.id, attempt=attempt.number, epoch=body.epoch, time=utcnow(),
                primary_metric=msgspec.to_builtins(primary), metrics=body.metrics, is_best=is_best,
                per_class=msgspec.to_builtins(body.per_class), confusion_matrix=body.confusion_matrix,
                pr_curves=curves, superseded=False,
            )
        )  # fmt: skip
        history.add_metrics(session, job, attempt.number, "epoch", body.epoch, None, metrics)
        data = {"epoch": body.epoch, "primary_metric": msgspec.to_builtins(primary), "metrics": metrics}
        events.emit(session, job, "validation", {**data, "is_best": is_best})
        return Answer(200, {"is_best": is_best})

    return Take("validation", apply, body.seq, ("epoch", body.epoch, None))


async def _check_matrix(session: AsyncSession, job: Job, body: contract.Validation) -> None:
    if body.confusion_matrix is not None:
        version = await session.get_one(DatasetVersion, job.dataset_version_id)
        if (fault := contract.matrix_fault(body.confusion_matrix, len(version.classes))) is not None:
            raise BadInput.field("confusion_matrix", fault)


def logs(body: contract.LogBatch) -> Take:
    async def apply(session: AsyncSession, job: Job, attempt: Attempt) -> Answer:
        if body.lines:
            history.append_log(session, job, attempt.number, msgspec.to_builtins(body.lines))
        return NO_CONTENT

    return Take("logs", apply, body.seq, few=True)


def done(body: contract.Done) -> Take:
    """Raises Conflict ``artifacts_incomplete`` if it claims success while a file that it announced has not arrived."""

    async def apply(session: AsyncSession, job: Job, attempt: Attempt) -> Answer:
        if body.status == "succeeded" and (missing := await _incomplete(session, attempt)):
            raise Conflict(
                f"Announced but not complete: {', '.join(missing)}. Upload and complete them, then report done again.",
                code="artifacts_incomplete",
            )
        attempt.done, attempt.done_at = msgspec.to_builtins(body), utcnow()
        problem = None
        if body.status == "failed":
            error = body.error or contract.ErrorInfo("internal", "The trainer failed and did not say why.")
            known = contract.error_code(error.code)
            problem = Problem(error.code, error.message or known.sentence, error.hint or known.hint)
        await lifecycle.end_attempt(session, job, attempt, body.status, problem)
        after_commit(session, Wake("job", job.id))
        return NO_CONTENT

    return Take("done", apply, body.seq)


async def _incomplete(session: AsyncSession, attempt: Attempt) -> list[str]:
    """Files of which the newest announcement was not completed; an older one counts for nothing any more."""
    rows = await session.scalars(
        select(Artifact)
        .where(Artifact.job_id == attempt.job_id, Artifact.attempt == attempt.number)
        .order_by(Artifact.id)
    )
    newest = {(row.kind, row.name): row for row in rows}
    return [f"{kind} {name}" for (kind, name), row in newest.items() if row.completed_at is None]
