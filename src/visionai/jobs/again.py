"""A job that has ended: the same once more, or further on from where it was, both as a new job; or deleted."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from visionai import names
from visionai.db import utcnow
from visionai.errors import BadInput, Conflict
from visionai.frameworks import Frameworks
from visionai.identity.access import CurrentUser
from visionai.jobs import history
from visionai.jobs.policy import PolicyChange, changed, policy_of
from visionai.jobs.state import ACTIVE, ENDED
from visionai.jobs.submit import PRIORITIES, JobSpec, submit
from visionai.jobs.tables import Artifact, Job

PRIORITY_NAMES = {value: name for name, value in PRIORITIES.items()}


async def retry(
    session: AsyncSession, frameworks: Frameworks, user: CurrentUser, parent: Job, changes: dict[str, Any], *,
    policy: PolicyChange | None = None, trace_id: str | None = None,
) -> Job:  # fmt: skip
    """From the start, on the same version of the data set; with the parent's policy but for what ``policy`` changes.

    Raises Conflict while it has not ended.
    """
    return await _once_more(session, frameworks, user, parent, changes, None, policy, trace_id)


async def resume(
    session: AsyncSession, frameworks: Frameworks, user: CurrentUser, parent: Job, changes: dict[str, Any], *,
    policy: PolicyChange | None = None, trace_id: str | None = None,
) -> Job:  # fmt: skip
    """From its last complete checkpoint; a completed one goes on if ``changes`` ask for more epochs.

    Raises Conflict while it has not ended or where there is nothing to go on from, BadInput if nothing is left to do.
    """
    checkpoint = await history.checkpoint_to_resume(session, parent)
    if parent.state in ENDED and checkpoint is None:
        raise Conflict("It has no checkpoint to go on from: use retry, which begins anew.", code="no_checkpoint")
    found = frameworks.get(parent.framework)
    if found is not None and found.manifest is not None and "resume" not in found.manifest.capabilities:
        raise Conflict(f"{parent.framework} cannot go on from a checkpoint: use retry.", code="cannot_resume")
    epochs = {**parent.config, **changes}.get("epochs")
    if checkpoint is not None and isinstance(epochs, int) and epochs <= (checkpoint.epoch or 0):
        raise BadInput.field("config.epochs", f"{checkpoint.epoch} are done already: ask for more than that")
    return await _once_more(session, frameworks, user, parent, changes, checkpoint, policy, trace_id)


async def delete(session: AsyncSession, job: Job) -> None:
    """Gone for everybody at once; the worker frees what it holds. Raises Conflict while something needs it."""
    if job.state not in ENDED:
        raise Conflict("This job has not ended: cancel it first.", code="job_not_ended")
    child = select(Job.id).where(Job.parent_job_id == job.id, Job.state.in_(ACTIVE), Job.resume_epoch.is_not(None))
    if await session.scalar(child.limit(1)) is not None:
        raise Conflict("A job that goes on from it has not ended: cancel that one first.", code="job_in_use")
    job.deleted_at = utcnow()


async def _once_more(
    session: AsyncSession, frameworks: Frameworks, user: CurrentUser, parent: Job, changes: dict[str, Any],
    checkpoint: Artifact | None, policy: PolicyChange | None, trace_id: str | None,
) -> Job:  # fmt: skip
    if parent.state not in ENDED:
        raise Conflict("This job has not ended: cancel it first, or let it end.", code="job_not_ended")
    spec = JobSpec(
        dataset_id=parent.dataset_id, dataset_version=parent.dataset_version_id, task_type=parent.task_type,
        framework=parent.framework, model_name=parent.model_name, config={**parent.config, **changes},
        name=names.cleaned(parent.name), priority=PRIORITY_NAMES[parent.priority],
        policy=changed(policy_of(parent), policy or PolicyChange()),
    )  # fmt: skip
    return await submit(session, frameworks, user, spec, trace_id=trace_id, parent=parent, checkpoint=checkpoint)
