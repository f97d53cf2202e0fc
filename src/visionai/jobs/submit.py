"""Creating a job: the one way in for API, form, chat and command line."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from visionai import names
from visionai.datasets.tables import Dataset, DatasetVersion
from visionai.db import after_commit, utcnow
from visionai.errors import BadInput, FieldError
from visionai.frameworks import Frameworks
from visionai.identity.access import CurrentUser, may_see, require_project
from visionai.identity.audit import Action, record
from visionai.jobs import events, history
from visionai.jobs.decide import Problem
from visionai.jobs.policy import Policy
from visionai.jobs.queries import editable_job
from visionai.jobs.quotas import admit_job
from visionai.jobs.state import ENDED, JobState
from visionai.jobs.tables import Artifact, Job
from visionai.trainers.contract import ModelEntry, defaults, validate_config
from visionai.wakeup import Wake

PRIORITIES = {"low": -1, "normal": 0, "high": 1}


class JobSpec(msgspec.Struct, frozen=True, kw_only=True):
    dataset_id: UUID
    task_type: str
    framework: str
    model_name: str
    config: dict[str, Any] = {}
    name: str | None = None
    project_id: UUID | None = None
    dataset_version: UUID | None = None
    priority: str = "normal"
    policy: Policy | None = None
    parent_job_id: UUID | None = None
    """The job that this one is trained again after, with changes."""


async def check(session: AsyncSession, frameworks: Frameworks, user: CurrentUser, spec: JobSpec) -> list[FieldError]:
    """Everything that is wrong with it, at once; empty when it can be trained."""
    fault = names.fault(spec.name or "")
    wrong = [FieldError("name", fault)] if fault is not None else []
    wrong += await _check_data(session, user, spec)
    return [*wrong, *await _check_parent(session, user, spec), *_check_training(frameworks, spec)]


async def refuse_wrong(session: AsyncSession, frameworks: Frameworks, user: CurrentUser, spec: JobSpec) -> UUID:
    """The project in which it would train. Raises BadInput with every wrong field, Forbidden for who may not train."""
    if wrong := await check(session, frameworks, user, spec):
        raise BadInput(wrong)
    dataset = await session.get_one(Dataset, spec.dataset_id)
    await require_project(session, user, dataset.project_id, at_least="editor")
    return dataset.project_id


async def submit(
    session: AsyncSession, frameworks: Frameworks, user: CurrentUser, spec: JobSpec, *,
    trace_id: str | None = None, parent: Job | None = None, checkpoint: Artifact | None = None,
) -> Job:  # fmt: skip
    """``parent`` is the job that this one repeats, or, with its ``checkpoint``, goes on from.

    Raises BadInput with every wrong field.
    """
    await refuse_wrong(session, frameworks, user, spec)
    dataset = await session.get_one(Dataset, spec.dataset_id)
    await admit_job(session, user.id, dataset.project_id)
    policy = spec.policy or Policy()
    job = Job(
        project_id=dataset.project_id, created_by=user.id, name=spec.name or f"{spec.model_name} on {dataset.name}",
        dataset_id=dataset.id, dataset_version_id=spec.dataset_version or dataset.current_version_id,
        task_type=spec.task_type, framework=spec.framework, model_name=spec.model_name,
        config={**defaults(frameworks.schema(spec.framework)), **spec.config},
        priority=PRIORITIES[spec.priority], trace_id=trace_id or secrets.token_hex(16),
        max_retries=policy.max_retries, time_limit_seconds=policy.time_limit_seconds,
        silence_seconds=policy.silence_seconds, keep_every=policy.keep_every,
        state=JobState.PENDING, state_reason="",
        parent_job_id=parent.id if parent is not None else spec.parent_job_id,
    )  # fmt: skip
    session.add(job)
    if checkpoint is not None:
        job.resume_artifact_id, job.resume_epoch = checkpoint.id, checkpoint.epoch
        job.epoch, job.total_epochs = checkpoint.epoch or 0, job.config.get("epochs")
        job.progress = 100.0 * job.epoch / job.total_epochs if job.total_epochs else 0.0
    await session.flush()
    job.best = await history.best(session, job)
    events.emit(session, job, "state", {"state": job.state, "reason": ""})
    action: Action = "job.resumed" if checkpoint is not None else "job.retried" if parent is not None else "job.created"
    record(
        session, user.actor, action, ("job", job.id, job.name), project_id=job.project_id, dataset=dataset.id,
        **({"parent": parent.id} if parent is not None else {}),
    )  # fmt: skip
    after_commit(session, Wake("job", job.id))
    return job


async def cancel_for(session: AsyncSession, user: CurrentUser, job_id: UUID) -> Job:
    """``cancel``, by somebody who may."""
    job = await editable_job(session, user, job_id)
    if await cancel(session, job):
        record(session, user.actor, "job.cancelled", ("job", job_id, job.name), project_id=job.project_id)
    return job


async def cancel(session: AsyncSession, job: Job) -> bool:
    """Ask for it to be cancelled. Asking again, or asking an ended job, changes nothing: False."""
    if job.state in ENDED or job.cancel_requested_at is not None:
        return False
    job.cancel_requested_at = utcnow()
    job.state_reason = "Being cancelled."
    job.next_check_at = utcnow()
    events.emit(session, job, "state", {"state": job.state, "reason": job.state_reason})
    after_commit(session, Wake("job", job.id))
    return True


async def problem_before_queueing(session: AsyncSession, frameworks: Frameworks, job: Job) -> Problem | None:
    """What has become wrong since the job was accepted: the ``validate_dataset`` activity."""
    dataset = await session.get_one(Dataset, job.dataset_id)
    version = await session.get(DatasetVersion, job.dataset_version_id)
    if dataset.deleted_at is not None or version is None:
        return Problem("dataset_gone", f"The data set {dataset.name!r} was deleted.", "Choose another data set.")
    spec = JobSpec(
        dataset_id=job.dataset_id, task_type=job.task_type, framework=job.framework, model_name=job.model_name,
        config=job.config,
    )  # fmt: skip
    if job.task_type not in version.task_types:
        return Problem("dataset_invalid", f"{dataset.name!r} has no annotations for {job.task_type}.")
    if wrong := _check_training(frameworks, spec):
        sentences = "; ".join(f"{e.field}: {e.message}" for e in wrong)
        return Problem("config_invalid", sentences, "Start it again with these fields corrected.")
    return None


async def _check_data(session: AsyncSession, user: CurrentUser, spec: JobSpec) -> list[FieldError]:
    dataset = await session.get(Dataset, spec.dataset_id)
    if dataset is None or dataset.deleted_at is not None or not await may_see(session, user, dataset.project_id):
        return [FieldError("dataset_id", "there is no such data set")]
    if spec.project_id not in (None, dataset.project_id):
        return [FieldError("project_id", "the data set belongs to another project")]
    if dataset.status != "ready" or dataset.current_version_id is None:
        return [FieldError("dataset_id", f"the data set is not ready: its status is {dataset.status}")]
    version = await session.get(DatasetVersion, spec.dataset_version or dataset.current_version_id)
    if version is None or version.dataset_id != dataset.id:
        return [FieldError("dataset_version", "the data set has no such version")]
    for count, use in ((version.train_count, "train"), (version.val_count, "validate")):
        if not count:
            return [FieldError("dataset_id", f"the data set has no image to {use} on: its faults say what to add")]
    if spec.task_type not in version.task_types:
        return [
            FieldError(
                "task_type", f"the data set has annotations for {', '.join(version.task_types) or 'nothing'} only"
            )
        ]
    return []


async def _check_parent(session: AsyncSession, user: CurrentUser, spec: JobSpec) -> list[FieldError]:
    if spec.parent_job_id is None:
        return []
    parent = await session.get(Job, spec.parent_job_id)
    if parent is None or parent.deleted_at is not None or not await may_see(session, user, parent.project_id):
        return [FieldError("parent_job_id", "there is no such job")]
    dataset = await session.get(Dataset, spec.dataset_id)
    if dataset is None or dataset.project_id == parent.project_id:
        return []
    if await may_see(session, user, dataset.project_id):
        return [FieldError("parent_job_id", "the job belongs to another project than the data set")]
    return []


def _check_training(frameworks: Frameworks, spec: JobSpec) -> list[FieldError]:
    found = frameworks.get(spec.framework)
    if found is None:
        return [
            FieldError(
                "framework", f"there is no framework {spec.framework!r}; there are: {', '.join(frameworks.names)}"
            )
        ]
    if found.manifest is None:
        return [FieldError("framework", f"{spec.framework} is not ready: {found.message}")]
    wrong = []
    models = {m.name: m for m in found.manifest.models}
    if spec.task_type not in found.manifest.tasks:
        wrong.append(
            FieldError("task_type", f"{spec.framework} does {', '.join(found.manifest.tasks)}, not {spec.task_type}")
        )
    if spec.model_name not in models:
        wrong.append(
            FieldError("model_name", f"{spec.framework} has no model {spec.model_name!r}: see GET /api/v1/models")
        )
    wrong += [
        FieldError(f"config.{f}".strip("."), message)
        for f, message in validate_config(found.manifest.schema, spec.config)
    ]
    model = models.get(spec.model_name)
    if spec.config.get("pretrained") is True and model is not None and not frameworks.has_weights(model):
        wrong.append(FieldError("config.pretrained", weights_missing(model)))
    return wrong


def weights_missing(model: ModelEntry) -> str:
    if not model.pretrained:
        return f"there are no pretrained weights of {model.name}: train it from scratch"
    return (
        f"the weights of {model.name} are not on this machine and may not be fetched: "
        "set ALLOW_DOWNLOADS=true for the server, or train from scratch"
    )
