"""One turn of a conversation: load what the parser may know, parse, carry out what was asked for, write it down."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.chat.parser import parse
from visionai.chat.tables import Conversation, Message
from visionai.chat.types import Best, Choice, Context, DatasetChoice, Draft, FrameworkChoice, JobChoice, Reply
from visionai.datasets.tables import Dataset, DatasetVersion
from visionai.errors import BadInput, NotFound, VisionAIError
from visionai.frameworks import Framework, Frameworks
from visionai.identity.access import CurrentUser, default_project, project_filter, require_own, require_project
from visionai.identity.tables import Project
from visionai.jobs import slots, submit
from visionai.jobs.state import JobState
from visionai.jobs.submit import JobSpec
from visionai.jobs.tables import Job
from visionai.settings import Settings

KNOWN_DATASETS = 500
KNOWN_JOBS = 100


class Turn(msgspec.Struct):
    conversation: Conversation
    answer: Message
    reply: Reply
    job_id: UUID | None


async def say(
    session: AsyncSession, frameworks: Frameworks, user: CurrentUser, content: str, *, conversation_id: UUID | None,
    project_id: UUID | None, settings: Settings | None = None,
) -> Turn:  # fmt: skip
    """``settings``: whose limits the queue has; without them no position in it is told.

    Raises NotFound for somebody else's conversation and for one of a project that the user has left, Forbidden where
    the user may not do what was asked for."""
    conversation = await _open(session, user, conversation_id, project_id)
    session.add(Message(conversation_id=conversation.id, role="user", content=content))
    await session.flush()
    reply = parse(content, await _context(session, frameworks, conversation, settings))
    job_id = UUID(reply.job_id) if reply.job_id is not None else None
    try:
        if reply.action == "start" and reply.draft is not None:
            job_id = await _start(session, frameworks, user, reply.draft)
            reply = msgspec.structs.replace(reply, draft=None, pending=None, choices=[])
        elif reply.action == "cancel" and job_id is not None:
            await submit.cancel_for(session, user, job_id)
    except VisionAIError as e:
        errors = e.errors if isinstance(e, BadInput) else []
        reply = msgspec.structs.replace(reply, action="none", message=e.detail, errors=errors, pending=None)
        job_id = None
    answer = Message(conversation_id=conversation.id, role="assistant", content=reply.message)
    session.add(answer)
    conversation.draft = msgspec.to_builtins(reply.draft) if reply.draft is not None else None
    conversation.pending = reply.pending
    conversation.choices = msgspec.to_builtins(reply.choices)
    conversation.missing_fields = reply.missing_fields
    conversation.language = reply.language
    await session.flush()
    return Turn(conversation, answer, reply, job_id)


async def read(session: AsyncSession, user: CurrentUser, conversation_id: UUID) -> tuple[Conversation, list[Message]]:
    """Raises NotFound for somebody else's, and for one of a project that the user has left."""
    conversation = await session.get(Conversation, conversation_id)
    if conversation is None:
        raise NotFound("There is no such conversation.")
    require_own(user, conversation.user_id, "conversation")
    await require_project(session, user, conversation.project_id, at_least="reader")
    messages = await session.scalars(
        select(Message).where(Message.conversation_id == conversation_id).order_by(Message.id)
    )
    return conversation, list(messages)


async def latest(session: AsyncSession, user: CurrentUser, before: UUID | None, limit: int) -> list[UUID]:
    mine = and_(Conversation.user_id == user.id, project_filter(user, Conversation.project_id))
    query = select(Conversation.id).where(mine).order_by(Conversation.id.desc())
    if before is not None:
        query = query.where(Conversation.id < before)
    return list(await session.scalars(query.limit(limit)))


async def _open(
    session: AsyncSession, user: CurrentUser, conversation_id: UUID | None, project_id: UUID | None
) -> Conversation:
    if conversation_id is not None:
        conversation, _ = await read(session, user, conversation_id)
        return conversation
    if project_id is None:
        project_id = await default_project(session, user)
    await require_project(session, user, project_id, at_least="reader")
    conversation = Conversation(project_id=project_id, user_id=user.id, language="en")
    session.add(conversation)
    await session.flush()
    return conversation


async def _start(session: AsyncSession, frameworks: Frameworks, user: CurrentUser, draft: Draft) -> UUID:
    given: dict[str, Any] = msgspec.to_builtins(draft)
    given.pop("dataset_name", None)
    job = await submit.submit(session, frameworks, user, msgspec.convert(given, JobSpec))
    return job.id


async def _context(
    session: AsyncSession, frameworks: Frameworks, conversation: Conversation, settings: Settings | None
) -> Context:
    project = await session.get_one(Project, conversation.project_id)
    draft = msgspec.convert(conversation.draft, Draft) if conversation.draft is not None else None
    language: Any = conversation.language
    return Context(
        datasets=await _datasets(session, project.id), frameworks=[_framework(f, frameworks) for f in frameworks.all()],
        jobs=await _jobs(session, project.id, settings), draft=draft, pending=conversation.pending,
        choices=msgspec.convert(conversation.choices, list[Choice]), project_name=project.name, language=language,
    )  # fmt: skip


async def _datasets(session: AsyncSession, project_id: UUID) -> list[DatasetChoice]:
    rows = await session.execute(
        select(Dataset, DatasetVersion)
        .outerjoin(DatasetVersion, DatasetVersion.id == Dataset.current_version_id)
        .where(Dataset.project_id == project_id, Dataset.deleted_at.is_(None))
        .order_by(Dataset.id.desc())
        .limit(KNOWN_DATASETS)
    )
    return [
        DatasetChoice(
            id=str(d.id), name=d.name, status=d.status, task_types=list(v.task_types) if v else [],
            class_count=len(v.classes) if v else 0, image_count=v.image_count if v else 0, error=_fault(d.error),
            created=d.created_at.date().isoformat(),
        )
        for d, v in rows
    ]  # fmt: skip


async def _jobs(session: AsyncSession, project_id: UUID, settings: Settings | None) -> list[JobChoice]:
    rows = await session.execute(
        select(Job, Dataset.name)
        .join(Dataset, Dataset.id == Job.dataset_id)
        .where(Job.project_id == project_id, Job.deleted_at.is_(None))
        .order_by(Job.id.desc())
        .limit(KNOWN_JOBS)
    )
    found = [(job, name) for job, name in rows]
    waiting = settings is not None and any(job.state == JobState.QUEUED for job, _ in found)
    order = (await slots.queue(session, settings)).turns.order if settings is not None and waiting else []
    return [_job(job, name, order) for job, name in found]


def _job(job: Job, dataset_name: str, order: list[UUID]) -> JobChoice:
    best = job.best or {}
    return JobChoice(
        str(job.id), job.name, job.state, dataset_name, job.model_name,
        cancelling=job.cancel_requested_at is not None, reason=job.state_reason, error=_fault(job.error),
        epoch=job.epoch, total_epochs=job.total_epochs, progress=job.progress, eta_seconds=job.eta_seconds,
        best=Best(best["name"], best["value"], best["epoch"]) if best.get("value") is not None else None,
        queue_position=order.index(job.id) + 1 if job.id in order else None,
    )  # fmt: skip


def _fault(error: dict[str, Any] | None) -> str:
    """``{code, message, hint}`` in a sentence or two; empty where there is none."""
    return " ".join(part for part in ((error or {}).get("message"), (error or {}).get("hint")) if part)


def _framework(framework: Framework, frameworks: Frameworks) -> FrameworkChoice:
    manifest = framework.manifest
    models = manifest.models if manifest else []
    return FrameworkChoice(
        framework=framework.name, status=framework.status, tasks=list(manifest.tasks) if manifest else [],
        models=[m.name for m in models],
        schema=manifest.schema if manifest else {"properties": {}}, presets=manifest.presets if manifest else {},
        recommended=[m.name for m in models if m.recommended],
        parameters={m.name: m.parameters for m in models if m.parameters is not None},
        without_weights=frozenset(m.name for m in models if not frameworks.has_weights(m)),
    )  # fmt: skip
