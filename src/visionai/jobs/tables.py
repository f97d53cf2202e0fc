"""A training job, its attempts, and everything that was reported of them.

``jobs`` holds the desired and the observed state; ``attempts`` one row per trainer process, written before the process
is started; ``reports`` the first answer to each numbered report, so that a repeat gets it again; ``job_events`` the
stream that browsers follow, numbered per job by ``jobs.event_seq`` in the same transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from visionai.db import Base, utcnow
from visionai.ids import uuid7

WORKFLOW_VERSION = 1


class Job(Base):
    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_project_id_id", "project_id", "id"),
        Index("ix_jobs_state_queue", "state", "priority", "queued_at"),
        Index(
            "ix_jobs_listed",
            "state",
            "id",
            "project_id",
            sqlite_where=text("deleted_at IS NULL"),
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index(
            "ix_jobs_created_by_id",
            "created_by",
            "id",
            sqlite_where=text("deleted_at IS NULL"),
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index(
            "ix_jobs_active",
            "next_check_at",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"))
    created_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    parent_job_id: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id"))
    name: Mapped[str] = mapped_column(String(200))
    dataset_id: Mapped[UUID] = mapped_column(ForeignKey("datasets.id"), index=True)
    dataset_version_id: Mapped[UUID] = mapped_column(ForeignKey("dataset_versions.id"))
    task_type: Mapped[str] = mapped_column(String(40))
    framework: Mapped[str] = mapped_column(String(40))
    model_name: Mapped[str] = mapped_column(String(200))
    config: Mapped[dict[str, Any]]
    resume_artifact_id: Mapped[UUID | None]  # the parent's checkpoint that the first attempt starts from
    resume_epoch: Mapped[int | None]  # epochs that it had finished: up to here the history is the parent's
    priority: Mapped[int] = mapped_column(default=0)  # low -1, normal 0, high 1
    max_retries: Mapped[int | None]  # this and the next three: its policy
    time_limit_seconds: Mapped[float | None]
    silence_seconds: Mapped[float | None]
    keep_every: Mapped[int | None]
    workflow_version: Mapped[int] = mapped_column(default=WORKFLOW_VERSION)
    trace_id: Mapped[str] = mapped_column(String(32))

    state: Mapped[str] = mapped_column(String(16), default="pending")
    state_reason: Mapped[str] = mapped_column(Text, default="")
    cancel_requested_at: Mapped[datetime | None]
    attempt: Mapped[int] = mapped_column(default=0)
    retries_used: Mapped[int] = mapped_column(default=0)
    error: Mapped[dict[str, Any] | None]  # {code, message, hint}

    progress: Mapped[float] = mapped_column(default=0.0)
    epoch: Mapped[int] = mapped_column(default=0)
    total_epochs: Mapped[int | None]
    eta_seconds: Mapped[float | None]
    metrics: Mapped[dict[str, Any]] = mapped_column(default=dict)
    best: Mapped[dict[str, Any] | None]  # {name, value, mode, epoch}
    last_heartbeat_at: Mapped[datetime | None]
    run_seconds: Mapped[float] = mapped_column(default=0.0)  # of training, over all attempts

    event_seq: Mapped[int] = mapped_column(BigInteger, default=0)
    log_lines: Mapped[int] = mapped_column(BigInteger, default=0)
    lease_token: Mapped[UUID | None]
    lease_expires_at: Mapped[datetime | None]
    next_check_at: Mapped[datetime] = mapped_column(default=utcnow)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    queued_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]  # gone for everybody; its objects and then this row are removed


class Attempt(Base):
    """One trainer process. ``slot`` is held from the row's birth until its process is known to be gone."""

    __tablename__ = "attempts"
    __table_args__ = (
        UniqueConstraint("job_id", "number"),
        Index(
            "uq_attempts_slot",
            "host_id",
            "slot",
            unique=True,
            sqlite_where=text("released_at IS NULL"),
            postgresql_where=text("released_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    number: Mapped[int]
    launch_id: Mapped[str] = mapped_column(String(80), unique=True)  # deterministic: a repeat adopts
    host_id: Mapped[str] = mapped_column(String(80))
    slot: Mapped[int]
    config: Mapped[dict[str, Any]]  # as this attempt got it: after `oom` with half the batch size
    handle: Mapped[dict[str, Any] | None]
    resume_artifact_id: Mapped[UUID | None]
    resume_epoch: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    launched_at: Mapped[datetime | None]
    first_report_at: Mapped[datetime | None]
    last_report_at: Mapped[datetime | None]
    stop_requested_at: Mapped[datetime | None]
    terminated_at: Mapped[datetime | None]
    done: Mapped[dict[str, Any] | None]  # the accepted `done` report
    done_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(16))  # succeeded, failed, stopped, lost
    error: Mapped[dict[str, Any] | None]  # {code, message, hint}
    counted: Mapped[bool] = mapped_column(default=True)  # whether losing it uses up a retry
    exit_code: Mapped[int | None]
    ended_at: Mapped[datetime | None]  # no new report is accepted from here on
    released_at: Mapped[datetime | None]  # the process is gone and the slot is free


class QueueTurn(Base):
    """When somebody's job last got a slot: people take turns."""

    __tablename__ = "queue_turns"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    served_at: Mapped[datetime]


class Report(Base):
    """The first answer to (attempt, seq)."""

    __tablename__ = "reports"

    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("attempts.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    endpoint: Mapped[str] = mapped_column(String(20))
    status: Mapped[int]
    answer: Mapped[dict[str, Any] | None]


class JobEvent(Base):
    __tablename__ = "job_events"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    type: Mapped[str] = mapped_column(String(20))
    time: Mapped[datetime]
    data: Mapped[dict[str, Any]]


class MetricRow(Base):
    """Metrics of one finished epoch (``kind`` epoch) or of one step, by the attempt that reported them.

    ``superseded``: a later attempt resumed from before this epoch, so this row is no longer part of the history.
    """

    __tablename__ = "job_metrics"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    step: Mapped[int] = mapped_column(BigInteger, primary_key=True, default=0)  # 0 in an epoch's row
    last_step: Mapped[int | None] = mapped_column(BigInteger)
    time: Mapped[datetime]
    metrics: Mapped[dict[str, Any]]
    superseded: Mapped[bool] = mapped_column(default=False)


class Validation(Base):
    __tablename__ = "job_validations"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    time: Mapped[datetime]
    primary_metric: Mapped[dict[str, Any]]
    metrics: Mapped[dict[str, Any]]
    per_class: Mapped[list[Any]]
    confusion_matrix: Mapped[list[Any] | None]
    pr_curves: Mapped[dict[str, Any] | None]
    is_best: Mapped[bool]
    superseded: Mapped[bool] = mapped_column(default=False)


class LogChunk(Base):
    """A batch of lines as it arrived; ``first_line`` counts per job."""

    __tablename__ = "job_logs"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    first_line: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    count: Mapped[int]
    attempt: Mapped[int]
    lines: Mapped[list[Any]]  # [{time, level, text}]


class ActivityRow(Base):
    """A line of the job's timeline."""

    __tablename__ = "job_activities"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)  # 0: before the first
    status: Mapped[str] = mapped_column(String(16))
    message: Mapped[str] = mapped_column(Text, default="")
    tries: Mapped[int] = mapped_column(default=1)
    next_try_at: Mapped[datetime | None]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Artifact(Base):
    """A file of a job. Visible once ``completed_at`` is set, which is after its size and SHA-256 were checked."""

    __tablename__ = "artifacts"
    __table_args__ = (Index("ix_artifacts_job_id_kind", "job_id", "kind"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"), index=True)
    attempt: Mapped[int]
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(255))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    epoch: Mapped[int | None]
    storage_key: Mapped[str] = mapped_column(String(400), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    completed_at: Mapped[datetime | None]
    superseded: Mapped[bool] = mapped_column(default=False)
    pinned: Mapped[bool] = mapped_column(default=False)  # kept as long as its job, superseded or not
