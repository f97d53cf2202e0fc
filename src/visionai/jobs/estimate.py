"""About how long a training would take, from what earlier ones took; nothing where there is none to go by.

Of each earlier training is measured, on its longest attempt, what an epoch took for each of its images, and what came
before the first epoch and after the last. The new one is taken to need as much of both: scaled by its images, its
epochs and the area of its images; from another model also by its parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any, Literal
from uuid import UUID

import msgspec
from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from visionai.datasets.tables import Dataset, DatasetVersion
from visionai.frameworks import Frameworks
from visionai.identity.access import CurrentUser, project_filter
from visionai.jobs.submit import JobSpec
from visionai.jobs.tables import Attempt, Job, JobEvent, MetricRow
from visionai.trainers.contract import defaults

AMONG = 1000
"""Of the latest so many jobs that one can see: older ones say less, and looking for them costs."""
MOST = 10
FIRST_EVENTS = 200
"""A trainer says what it trains on at its start."""
FORWARDS_ONLY = 1 / 3
"""What a validation image costs beside a training image, which goes backwards too."""
SURE, UNSURE, ANOTHER_MODEL = 1.3, 1.6, 3.0
"""How far off it may be at least, as a factor either way."""
ENOUGH = 3


class Span(msgspec.Struct, frozen=True):
    """Seconds."""

    low: float
    likely: float
    high: float


class Basis(msgspec.Struct, frozen=True):
    what: Literal["model", "framework"]
    """Earlier trainings of the same model, or, where there is none, of others of its framework."""
    job_ids: list[UUID]


class Estimate(msgspec.Struct, frozen=True):
    seconds: Span | None
    based_on: Basis | None


class Measured(msgspec.Struct, frozen=True):
    """An earlier training."""

    per_image: float
    """Seconds of an epoch for each image."""
    rest: float
    """Seconds before the first epoch and after the last."""
    size: int | None = None
    """A side of its images in pixels, where it is known."""
    parameters: int | None = None


class Wanted(msgspec.Struct, frozen=True):
    images: float
    epochs: int
    size: int | None = None
    parameters: int | None = None


async def estimate(session: AsyncSession, frameworks: Frameworks, user: CurrentUser, spec: JobSpec) -> Estimate:
    """For a specification without a fault. The jobs that it names are those that this user can see."""
    config = {**defaults(frameworks.schema(spec.framework)), **spec.config}
    epochs = _whole(config.get("epochs"))
    if epochs is None:
        return Estimate(None, None)
    version_id = spec.dataset_version or (await session.get_one(Dataset, spec.dataset_id)).current_version_id
    version = await session.get_one(DatasetVersion, version_id)
    parameters = _parameters(frameworks, spec.framework)
    of_framework = (Job.framework == spec.framework, Job.task_type == spec.task_type)
    known = await _known(session, user, (*of_framework, Job.model_name == spec.model_name), parameters, version.id)
    same_model = bool(known.measured)
    if not same_model:
        known = await _known(session, user, of_framework, parameters, version.id)
    wanted = Wanted(
        _images(version.train_count, version.val_count, config), epochs,
        _whole(config.get("image_size")) or known.automatic_size, parameters.get(spec.model_name),
    )  # fmt: skip
    seconds = foretold(wanted, list(known.measured.values()), same_model=same_model)
    if seconds is None:
        return Estimate(None, None)
    return Estimate(seconds, Basis("model" if same_model else "framework", list(known.measured)))


def foretold(wanted: Wanted, measured: Sequence[Measured], *, same_model: bool) -> Span | None:
    """From the middle half of what each would need by itself; wider where little is known. None out of nothing."""
    if not measured:
        return None
    totals = sorted(_total(wanted, each) for each in measured)
    alike = all(wanted.size is not None and each.size is not None for each in measured)
    off = SURE if len(measured) >= ENOUGH and alike else UNSURE
    off = off if same_model else ANOTHER_MODEL
    likely, cut = median(totals), len(totals) // 4
    return Span(min(likely / off, totals[cut]), likely, max(likely * off, totals[-1 - cut]))


def _total(wanted: Wanted, by: Measured) -> float:
    area = (wanted.size / by.size) ** 2 if wanted.size and by.size else 1.0
    depth = wanted.parameters / by.parameters if wanted.parameters and by.parameters else 1.0
    return by.rest + by.per_image * wanted.images * wanted.epochs * area * depth


class _Told(msgspec.Struct, frozen=True):
    """What a trainer says of itself when it starts: ours do, others need not."""

    device: str | None = None
    image_size: int | None = None


class _Earlier(msgspec.Struct, frozen=True):
    model_name: str
    config: dict[str, Any]
    run_seconds: float
    version_id: UUID
    train_count: int
    val_count: int


class _Known(msgspec.Struct, frozen=True):
    measured: dict[UUID, Measured]
    automatic_size: int | None


async def _lately(session: AsyncSession, user: CurrentUser, which: Sequence[Any]) -> dict[UUID, _Earlier]:
    """The newest first."""
    seen = (
        select(Job.id)
        .where(project_filter(user, Job.project_id), Job.deleted_at.is_(None))
        .order_by(Job.id.desc())
        .limit(AMONG)
    )
    rows = await session.execute(
        select(
            Job.id, Job.model_name, Job.config, Job.run_seconds, DatasetVersion.id, DatasetVersion.train_count,
            DatasetVersion.val_count,
        )
        .join(DatasetVersion, DatasetVersion.id == Job.dataset_version_id)
        .where(Job.id.in_(seen), *which, Job.epoch > 0, Job.run_seconds > 0)
        .order_by(Job.id.desc())
        .limit(MOST)
    )  # fmt: skip
    return {job_id: _Earlier(*row) for job_id, *row in rows}


async def _told(session: AsyncSession, job_ids: list[UUID]) -> dict[UUID, _Told]:
    rows = await session.execute(
        select(JobEvent.job_id, JobEvent.data)
        .where(JobEvent.job_id.in_(job_ids), JobEvent.seq <= FIRST_EVENTS, JobEvent.type == "trainer")
        .order_by(JobEvent.seq)
    )
    started = {job_id: data["data"] for job_id, data in rows if data["type"] == "training_started"}
    return {
        job_id: _Told(_device(data.get("device")), _whole(data.get("image_size"))) for job_id, data in started.items()
    }


async def _known(
    session: AsyncSession, user: CurrentUser, which: Sequence[Any], parameters: dict[str, int], version_id: UUID
) -> _Known:
    """Of those on a device of the kind that was trained on last."""
    jobs = await _lately(session, user, which)
    told = await _told(session, list(jobs))
    device = next((told[job_id].device for job_id in jobs if job_id in told and told[job_id].device), None)
    measured: dict[UUID, Measured] = {}
    for job_id, (per_epoch, rest) in (await _took(session, jobs)).items():
        job, said = jobs[job_id], told.get(job_id, _Told())
        if said.device in (None, device):
            images = _images(job.train_count, job.val_count, job.config)
            size = said.image_size or _whole(job.config.get("image_size"))
            measured[job_id] = Measured(per_epoch / images, rest, size, parameters.get(job.model_name))
    return _Known(measured, _automatic_size(jobs, told, version_id))


async def _took(session: AsyncSession, jobs: dict[UUID, _Earlier]) -> dict[UUID, tuple[float, float]]:
    """Of the attempt with the most epochs: seconds for each, and beside them. None longer than it trained: a laptop
    may have slept between two reports."""
    ends = (
        select(
            MetricRow.job_id, MetricRow.attempt, func.min(MetricRow.epoch).label("first"),
            func.max(MetricRow.epoch).label("last"),
        )
        .where(MetricRow.job_id.in_(jobs), MetricRow.kind == "epoch")
        .group_by(MetricRow.job_id, MetricRow.attempt)
        .subquery()
    )  # fmt: skip
    first, last = aliased(MetricRow), aliased(MetricRow)
    rows = await session.execute(
        select(
            ends.c.job_id, ends.c.first, ends.c.last, first.time, last.time, Attempt.first_report_at, Attempt.done_at,
            Attempt.resume_epoch,
        )
        .join(first, _row(first, ends, ends.c.first))
        .join(last, _row(last, ends, ends.c.last))
        .join(Attempt, and_(Attempt.job_id == ends.c.job_id, Attempt.number == ends.c.attempt))
        .order_by(ends.c.last - ends.c.first)
    )  # fmt: skip
    found: dict[UUID, tuple[float, float]] = {}
    for job_id, first_epoch, last_epoch, first_time, last_time, begun, done, resumed in rows:
        most, before = jobs[job_id].run_seconds, (first_time - (begun or first_time)).total_seconds()
        if last_epoch > first_epoch:
            per_epoch = min((last_time - first_time).total_seconds(), most) / (last_epoch - first_epoch)
            before -= per_epoch * (first_epoch - (resumed or 0))
        else:
            per_epoch, before = min(before, most) / max(1, first_epoch - (resumed or 0)), 0.0
        after = (done - last_time).total_seconds() if done is not None else 0.0
        if per_epoch > 0:
            found[job_id] = (per_epoch, min(max(before, 0.0) + max(after, 0.0), most))
    return {job_id: found[job_id] for job_id in jobs if job_id in found}


def _row(row: Any, ends: Any, epoch: Any) -> Any:
    return and_(
        row.job_id == ends.c.job_id, row.kind == "epoch", row.attempt == ends.c.attempt, row.epoch == epoch,
        row.step == 0,
    )  # fmt: skip


def _automatic_size(jobs: dict[UUID, _Earlier], told: dict[UUID, _Told], version_id: UUID) -> int | None:
    """The size that the trainer chose by itself for the same images."""
    chosen = (
        told[job_id].image_size
        for job_id, job in jobs.items()
        if job_id in told and job.version_id == version_id and job.config.get("image_size") is None
    )
    return next((size for size in chosen if size is not None), None)


def _images(train: int, val: int, config: dict[str, Any]) -> float:
    """Of an epoch, in training images."""
    batches, batch = _whole(config.get("max_batches")), _whole(config.get("batch_size"))
    trained = min(train, batches * batch) if batches is not None and batch is not None else train
    return max(1.0, trained + val * FORWARDS_ONLY)


def _parameters(frameworks: Frameworks, framework: str) -> dict[str, int]:
    found = frameworks.get(framework)
    models = found.manifest.models if found is not None and found.manifest is not None else []
    return {model.name: model.parameters for model in models if model.parameters}


def _device(value: object) -> str | None:
    """``cuda:0`` is of the class ``cuda``."""
    return value.partition(":")[0] if isinstance(value, str) else None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
