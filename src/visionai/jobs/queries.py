"""Reading jobs: one by id, and what belongs to it. Lists of them: ``listing``."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.errors import NotFound
from visionai.identity.access import CurrentUser, project_filter, require_project
from visionai.jobs import history
from visionai.jobs.state import ACTIVE
from visionai.jobs.tables import ActivityRow, Artifact, Attempt, Job, JobEvent, MetricRow, Validation


async def visible_job(session: AsyncSession, user: CurrentUser, job_id: UUID, *, for_update: bool = False) -> Job:
    """Raises NotFound also for a job of a project that this user is not in."""
    query = select(Job).where(Job.id == job_id, Job.deleted_at.is_(None), project_filter(user, Job.project_id))
    job = await session.scalar(query.with_for_update(of=Job) if for_update else query)
    if job is None:
        raise NotFound("There is no such job.")
    return job


async def editable_job(session: AsyncSession, user: CurrentUser, job_id: UUID) -> Job:
    job = await visible_job(session, user, job_id, for_update=True)
    await require_project(session, user, job.project_id, at_least="editor")
    return job


async def uses_dataset(session: AsyncSession, dataset_id: UUID) -> bool:
    """Whether a job that has not ended needs it."""
    found = await session.scalar(select(Job.id).where(Job.dataset_id == dataset_id, Job.state.in_(ACTIVE)).limit(1))
    return found is not None


async def metrics(session: AsyncSession, job: Job, kind: str | None, *, superseded: bool = False) -> list[MetricRow]:
    """The history that counts, in the order of epochs; of a resumed job, what its parent had reached included.
    With ``superseded`` also the job's rows that a later attempt replaced."""
    counted = history.within(MetricRow, await history.lineage(session, job))
    replaced = and_(MetricRow.job_id == job.id, MetricRow.superseded)
    query = select(MetricRow).where(or_(counted, replaced) if superseded else counted)
    if kind is not None:
        query = query.where(MetricRow.kind == kind)
    return list(await session.scalars(query.order_by(MetricRow.epoch, MetricRow.step, MetricRow.attempt)))


async def timeline(session: AsyncSession, job_id: UUID) -> tuple[list[ActivityRow], list[JobEvent]]:
    activities = await session.scalars(
        select(ActivityRow).where(ActivityRow.job_id == job_id).order_by(ActivityRow.started_at)
    )
    states = await session.scalars(
        select(JobEvent).where(JobEvent.job_id == job_id, JobEvent.type == "state").order_by(JobEvent.seq)
    )
    return list(activities), list(states)


async def attempts(session: AsyncSession, job_id: UUID) -> list[Attempt]:
    """In the order in which they were begun."""
    return list(await session.scalars(select(Attempt).where(Attempt.job_id == job_id).order_by(Attempt.number)))


async def validation(session: AsyncSession, job: Job, epoch: int | None) -> Validation:
    """Of this epoch; by default of the best one. Raises NotFound while there is none."""
    wanted = epoch if epoch is not None else (job.best or {}).get("epoch")
    query = select(Validation).where(history.within(Validation, await history.lineage(session, job)))
    if wanted is not None:
        query = query.where(Validation.epoch == wanted)
    found = await session.scalar(query.order_by(Validation.epoch.desc(), Validation.attempt.desc()).limit(1))
    if found is None:
        raise NotFound("There is no validation yet." if epoch is None else f"There is no validation of epoch {epoch}.")
    return found


async def visible_artifact(session: AsyncSession, user: CurrentUser, artifact_id: UUID) -> Artifact:
    found = await session.scalar(
        select(Artifact)
        .join(Job, Job.id == Artifact.job_id)
        .where(
            Artifact.id == artifact_id, Artifact.completed_at.is_not(None), Job.deleted_at.is_(None),
            project_filter(user, Artifact.project_id),
        )
    )  # fmt: skip
    if found is None:
        raise NotFound("There is no such artifact.")
    return found
