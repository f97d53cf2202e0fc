"""Training jobs."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.response import Redirect, Stream
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.api import idempotency, shapes
from visionai.api.datasets import image_url, thumbnail_url
from visionai.api.parameters import (
    MOST,
    Holds,
    Limit,
    Natural,
    OptionalName,
    OptionalNatural,
    OptionalTime,
    only_known,
    zoned,
)
from visionai.api.problems import responses
from visionai.api.shapes import Page
from visionai.datasets.tables import Dataset, DatasetImage, DatasetVersion
from visionai.db import Database, utcnow
from visionai.errors import BadInput, Conflict
from visionai.identity.access import CurrentUser
from visionai.identity.audit import Action, record
from visionai.identity.tables import User
from visionai.ids import uuid7
from visionai.jobs import again, artifacts, estimate, events, history, listing, predictions, queries, slots, submit
from visionai.jobs.policy import Policy, in_force, policy_of
from visionai.jobs.queue import Waiting
from visionai.jobs.tables import Artifact, Job, MetricRow
from visionai.parts import Parts
from visionai.settings import Settings
from visionai.storage.base import Storage
from visionai.trainers.contract import Level

URL_SECONDS = 3600.0

States = Annotated[list[shapes.JobStateName] | None, QueryParameter(name="state", description="May be repeated.")]
Order = Annotated[listing.Order, QueryParameter(name="sort")]
FirstLine = Annotated[
    int, QueryParameter(name="from", ge=-MOST, le=MOST, description="First line; negative: so many from the end.")
]
Levels = Annotated[list[Level] | None, QueryParameter(name="level", description="May be repeated.")]
ClassName = Annotated[str | None, QueryParameter(max_length=200, description="Only those of this class.")]


@post("/training/jobs", opt={"audit": "job.created"}, responses=responses(403), summary="Start a training")
async def create(
    request: Request[Any, Any, Any], data: JSONBody[shapes.NewJob], user: NamedDependency[CurrentUser],
    parts: NamedDependency[Parts],
) -> Response[shapes.Job]:  # fmt: skip
    spec = submit.JobSpec(**msgspec.structs.asdict(data))

    async def make(session: AsyncSession) -> shapes.Job:
        trace_id = _trace_id(request.headers.get("traceparent"))
        job = await submit.submit(session, parts.frameworks, user, spec, trace_id=trace_id)
        return await shape(session, parts.settings, job)

    return await idempotency.create(parts.db, request, user, make, _location)


@post("/training/jobs/estimate", opt={"limit": "read", "audit": None}, status_code=200, responses=responses(403),
      summary="About how long a training would take")  # fmt: skip
async def estimate_job(
    data: JSONBody[shapes.NewJob], user: NamedDependency[CurrentUser], parts: NamedDependency[Parts]
) -> shapes.Estimate:
    """From what earlier ones that you can see took: of the same model, else of the same framework. It takes what starts
    a training, and starts none."""
    spec = submit.JobSpec(**msgspec.structs.asdict(data))
    async with parts.db.read() as session:
        project_id = await submit.refuse_wrong(session, parts.frameworks, user, spec)
        found = await estimate.estimate(session, parts.frameworks, user, spec)
        newcomer = Waiting(uuid7(), submit.PRIORITIES[spec.priority], user.id, project_id, utcnow())
        starts = await slots.start_of(session, parts.settings, newcomer)
    limit = spec.policy.time_limit_seconds if spec.policy is not None else None
    return shapes.Estimate(
        found.seconds, found.based_on, max(0.0, (starts - utcnow()).total_seconds()) if starts is not None else None,
        limit is not None and found.seconds is not None and limit < found.seconds.likely,
    )  # fmt: skip


@post("/training/jobs/{job_id:uuid}/retry", opt={"audit": "job.retried"}, status_code=201,
      responses=responses(403, 404, 409), summary="The same once more, as a new job")  # fmt: skip
async def retry(
    request: Request[Any, Any, Any], job_id: FromPath[UUID], user: NamedDependency[CurrentUser],
    parts: NamedDependency[Parts], data: JSONBody[shapes.Again | None] = None,
) -> Response[shapes.Job]:  # fmt: skip
    """Of a job that has ended: from the start, on the same version of its data set, with the changes of ``config``."""
    return await _again(again.retry, request, job_id, data, user, parts)


@post("/training/jobs/{job_id:uuid}/resume", opt={"audit": "job.resumed"}, status_code=201,
      responses=responses(403, 404, 409), summary="Go on from its last checkpoint, as a new job")  # fmt: skip
async def resume(
    request: Request[Any, Any, Any], job_id: FromPath[UUID], user: NamedDependency[CurrentUser],
    parts: NamedDependency[Parts], data: JSONBody[shapes.Again | None] = None,
) -> Response[shapes.Job]:  # fmt: skip
    """Of a job that has ended. A completed one needs more epochs than it had: ``{"config": {"epochs": 20}}``."""
    return await _again(again.resume, request, job_id, data, user, parts)


@delete(
    "/training/jobs/{job_id:uuid}", opt={"audit": "job.deleted"}, responses=responses(403, 404, 409),
    summary="Delete it and its files",
)  # fmt: skip
async def delete_job(job_id: FromPath[UUID], user: NamedDependency[CurrentUser], db: NamedDependency[Database]) -> None:
    """Of a job that has ended. What it holds is freed within seconds."""
    async with db.write() as session:
        job = await queries.editable_job(session, user, job_id)
        await again.delete(session, job)
        record(session, user.actor, "job.deleted", ("job", job_id, job.name), project_id=job.project_id)


@get("/training/jobs", responses=responses(), summary="Jobs, newest first")
async def list_jobs(
    request: Request[Any, Any, Any], user: NamedDependency[CurrentUser], parts: NamedDependency[Parts],
    states: States = None, q: Holds = None, framework: OptionalName = None, model_name: OptionalName = None,
    dataset_id: FromQuery[UUID | None] = None, created_by: FromQuery[UUID | None] = None,
    created_after: OptionalTime = None, project_id: FromQuery[UUID | None] = None, order: Order = "newest",
    cursor: FromQuery[UUID | None] = None, limit: Limit = 50,
) -> Page[shapes.Job]:  # fmt: skip
    """In another order by ``sort``: the best first, of whatever metric each is judged by, or those trained longest.
    A parameter that is unknown is refused, since a list that is not narrowed passes for one that is."""
    only_known(request)
    wanted = listing.Filter(
        list(states or []),
        q,
        framework,
        model_name,
        dataset_id,
        created_by,
        zoned("created_after", created_after),
        project_id,
    )
    async with parts.db.read() as session:
        found = await listing.page(session, user, wanted, order=order, after=cursor, limit=limit)
        await _read_together(session, found)
        items = [await shape(session, parts.settings, job) for job in found[:limit]]
    return Page(items, str(items[-1].id) if len(found) > limit else None)


@get("/training/jobs/choices", responses=responses(), summary="What a list of jobs can be narrowed to")
async def list_choices(user: NamedDependency[CurrentUser], db: NamedDependency[Database]) -> shapes.JobChoices:
    """Of the jobs that you can see: 200 of each kind at most."""
    async with db.read() as session:
        found = await listing.choices(session, user)
    return shapes.JobChoices(
        found.frameworks, found.models, [shapes.DatasetRef(*row) for row in found.datasets],
        [shapes.PersonRef(*row) for row in found.people],
    )  # fmt: skip


@get("/training/jobs/{job_id:uuid}", responses=responses(404), summary="One job")
async def get_job(
    job_id: FromPath[UUID], user: NamedDependency[CurrentUser], parts: NamedDependency[Parts]
) -> shapes.Job:
    async with parts.db.read() as session:
        return await shape(session, parts.settings, await queries.visible_job(session, user, job_id))


@post(
    "/training/jobs/{job_id:uuid}/cancel", opt={"audit": "job.cancelled"}, status_code=202,
    responses=responses(403, 404), summary="Cancel it",
)  # fmt: skip
async def cancel(
    job_id: FromPath[UUID], user: NamedDependency[CurrentUser], parts: NamedDependency[Parts]
) -> shapes.Job:
    async with parts.db.write() as session:
        job = await submit.cancel_for(session, user, job_id)
        await session.flush()
        await session.refresh(job)
        return await shape(session, parts.settings, job)


@get("/training/jobs/{job_id:uuid}/metrics", responses=responses(404), summary="Its metrics, by epoch")
async def get_metrics(
    job_id: FromPath[UUID], user: NamedDependency[CurrentUser], db: NamedDependency[Database],
    kind: FromQuery[str | None] = None, superseded: FromQuery[bool] = False,
) -> Page[shapes.MetricRow]:  # fmt: skip
    """The rows that count: of a resumed job also those of its parent, up to the checkpoint it started from. With
    ``superseded=true`` also what lost attempts had reported and later ones trained again."""
    async with db.read() as session:
        job = await queries.visible_job(session, user, job_id)
        rows = await queries.metrics(session, job, kind, superseded=superseded)
    return Page([_metric_row(row) for row in rows])


@get("/training/jobs/{job_id:uuid}/events", responses=responses(404), summary="Its events after a sequence number")
async def get_events(
    job_id: FromPath[UUID], user: NamedDependency[CurrentUser], db: NamedDependency[Database],
    since: Natural = 0, limit: Limit = 1000,
) -> Page[shapes.JobEvent]:  # fmt: skip
    """A page may have fewer than ``limit``, where they are large; go on with ``next_cursor`` as ``since``."""
    async with db.read() as session:
        await queries.visible_job(session, user, job_id)
        found, more = await events.page(session, job_id, since, limit)
    items = [shapes.JobEvent(e.seq, e.type, e.time, e.data) for e in found]
    return Page(items, str(items[-1].seq) if more else None)


@get("/training/jobs/{job_id:uuid}/timeline", responses=responses(404), summary="What was done for it, and when")
async def get_timeline(
    job_id: FromPath[UUID], user: NamedDependency[CurrentUser], db: NamedDependency[Database]
) -> shapes.Timeline:
    async with db.read() as session:
        await queries.visible_job(session, user, job_id)
        activities, states = await queries.timeline(session, job_id)
    return shapes.Timeline(
        [msgspec.convert(
            {name: getattr(a, name) for name in shapes.Activity.__struct_fields__}, shapes.Activity
        ) for a in activities],
        [shapes.JobEvent(s.seq, s.type, s.time, s.data) for s in states],
    )  # fmt: skip


@get("/training/jobs/{job_id:uuid}/attempts", responses=responses(404), summary="Its trainer processes, one by one")
async def get_attempts(
    job_id: FromPath[UUID], user: NamedDependency[CurrentUser], db: NamedDependency[Database]
) -> Page[shapes.Attempt]:
    async with db.read() as session:
        await queries.visible_job(session, user, job_id)
        found = await queries.attempts(session, job_id)
    return Page([
        msgspec.convert({name: getattr(a, name) for name in shapes.Attempt.__struct_fields__}, shapes.Attempt)
        for a in found
    ])  # fmt: skip


@get("/training/jobs/{job_id:uuid}/logs", responses=responses(404), summary="Lines of its log")
async def get_logs(
    job_id: FromPath[UUID], user: NamedDependency[CurrentUser], db: NamedDependency[Database],
    start: FirstLine = 0, limit: Limit = 1000, q: Annotated[str, QueryParameter(max_length=200)] = "",
    levels: Levels = None,
) -> shapes.LogPage:  # fmt: skip
    """With ``q`` or ``level`` only the lines that have this text, in any case, and one of these levels. A page of a
    search may have fewer than ``limit``, or none: go on with ``next_from`` as ``from``, until that is null."""
    async with db.read() as session:
        job = await queries.visible_job(session, user, job_id)
        first = start if start >= 0 else max(0, job.log_lines + start)
        next_from = None
        if q or levels:
            lines, next_from = await history.search_log(session, job, first, limit, text=q, levels=levels or ())
        else:
            lines = await history.read_log(session, job_id, first, limit)
        total = job.log_lines
    items = [
        shapes.LogLine(n, history.parse_time(line["time"], job.created_at), attempt, line["level"], line["text"])
        for n, attempt, line in lines
    ]
    return shapes.LogPage(items, total, next_from)


@get("/training/jobs/{job_id:uuid}/logs/text", responses=responses(404), media_type="text/plain; charset=utf-8",
     summary="Its whole log, as text")  # fmt: skip
async def get_log_text(
    job_id: FromPath[UUID], user: NamedDependency[CurrentUser], db: NamedDependency[Database]
) -> Stream:
    async with db.read() as session:
        job = await queries.visible_job(session, user, job_id)
    headers = {"Content-Disposition": f'attachment; filename="{artifacts.stem(job)}.log"'}
    return Stream(history.log_pieces(db, job), headers=headers)


@get("/training/jobs/{job_id:uuid}/artifacts", responses=responses(404), summary="Its files, newest first")
async def get_artifacts(
    job_id: FromPath[UUID], user: NamedDependency[CurrentUser], parts: NamedDependency[Parts]
) -> Page[shapes.Artifact]:
    async with parts.db.read() as session:
        job = await queries.visible_job(session, user, job_id)
        return Page([_artifact(a, job, parts.storage) for a in await artifacts.of_job(session, job_id)])


@get("/training/jobs/{job_id:uuid}/validation", responses=responses(404), summary="How good it is: by default, at best")
async def get_validation(
    job_id: FromPath[UUID], user: NamedDependency[CurrentUser], db: NamedDependency[Database],
    epoch: OptionalNatural = None,
) -> shapes.JobValidation:  # fmt: skip
    async with db.read() as session:
        job = await queries.visible_job(session, user, job_id)
        found = await queries.validation(session, job, epoch)
        version = await session.get_one(DatasetVersion, job.dataset_version_id)
    return shapes.JobValidation(
        epoch=found.epoch, attempt=found.attempt, is_best=found.is_best, primary_metric=found.primary_metric,
        metrics=found.metrics, per_class=msgspec.convert(found.per_class, list[shapes.ClassMetric]),
        confusion_matrix=found.confusion_matrix, classes=[c["name"] for c in version.classes],
    )  # fmt: skip


@get("/training/jobs/{job_id:uuid}/predictions", responses=responses(404),
     summary="What it said of each validation image")  # fmt: skip
async def get_predictions(
    job_id: FromPath[UUID], user: NamedDependency[CurrentUser], parts: NamedDependency[Parts],
    epoch: OptionalNatural = None, true: ClassName = None, predicted: ClassName = None, cursor: Natural = 0,
    limit: Limit = 100,
) -> shapes.PredictionPage:  # fmt: skip
    """Of the best epoch, as its ``predictions`` file has them. A page may have fewer than ``limit``, or none, where
    the file is large and few match: go on with ``next_cursor``. 404 where the trainer made none."""
    async with parts.db.read() as session:
        job = await queries.visible_job(session, user, job_id)
        artifact = await predictions.artifact_of(session, job, epoch)
    found = await predictions.read(
        parts.storage, artifact, true=true, predicted=predicted, start=cursor, limit=limit
    )  # fmt: skip
    async with parts.db.read() as session:
        dataset = await session.get_one(Dataset, job.dataset_id)
        images = await predictions.images_of(session, job.dataset_version_id, found.lines)
    known = images if dataset.deleted_at is None else {}
    items = [_prediction(line, dataset, known.get(line.file_name), parts.storage) for line in found.lines]
    return shapes.PredictionPage(items, str(found.next) if found.next is not None else None, artifact.epoch)


@get(
    "/training/policy", responses=responses(), sync_to_thread=False, summary="What holds where a job's policy is silent"
)
def get_policy(parts: NamedDependency[Parts]) -> Policy:
    return in_force(Policy(), parts.settings)


@get("/artifacts/{artifact_id:uuid}/download", responses=responses(404), status_code=302, summary="Download a file")
async def download(
    artifact_id: FromPath[UUID], user: NamedDependency[CurrentUser], parts: NamedDependency[Parts]
) -> Redirect:
    async with parts.db.read() as session:
        artifact = await queries.visible_artifact(session, user, artifact_id)
        job = await session.get_one(Job, artifact.job_id)
    return Redirect(_artifact(artifact, job, parts.storage).download_url)


@patch(
    "/artifacts/{artifact_id:uuid}", opt={"audit": ("artifact.pinned", "artifact.unpinned")},
    responses=responses(403, 404, 409), summary="Pin a file, or let it go",
)  # fmt: skip
async def change_artifact(
    artifact_id: FromPath[UUID], data: JSONBody[shapes.ArtifactChange], user: NamedDependency[CurrentUser],
    parts: NamedDependency[Parts],
) -> shapes.Artifact:  # fmt: skip
    """A pinned one is kept as long as its job, whatever comes after it."""
    async with parts.db.write() as session:
        artifact = await queries.visible_artifact(session, user, artifact_id)
        job = await queries.editable_job(session, user, artifact.job_id)
        if data.pinned and artifact.superseded and not artifact.pinned:
            raise Conflict("A later checkpoint has replaced it, and it is being freed.", code="artifact_superseded")
        artifact.pinned = data.pinned
        action: Action = "artifact.pinned" if data.pinned else "artifact.unpinned"
        target = ("artifact", artifact_id, artifact.name)
        record(session, user.actor, action, target, project_id=job.project_id, job=job.id)
        return _artifact(artifact, job, parts.storage)


async def _again(
    do: Callable[..., Awaitable[Job]], request: Request[Any, Any, Any], job_id: UUID, data: shapes.Again | None,
    user: CurrentUser, parts: Parts,
) -> Response[shapes.Job]:  # fmt: skip
    again_as = data if data is not None else shapes.Again()

    async def make(session: AsyncSession) -> shapes.Job:
        parent = await queries.editable_job(session, user, job_id)
        job = await do(
            session, parts.frameworks, user, parent, again_as.config, policy=again_as.policy,
            trace_id=_trace_id(request.headers.get("traceparent")),
        )  # fmt: skip
        return await shape(session, parts.settings, job)

    return await idempotency.create(parts.db, request, user, make, _location)


def _location(job: shapes.Job) -> str:
    return f"/api/v1/training/jobs/{job.id}"


async def shape(session: AsyncSession, settings: Settings, job: Job) -> shapes.Job:
    await session.flush()
    dataset = await session.get_one(Dataset, job.dataset_id)
    creator = await session.get_one(User, job.created_by)
    queue = await slots.queue(session, settings) if job.state == "queued" else None
    turn = queue.turns.order.index(job.id) + 1 if queue is not None and job.id in queue.turns.order else None
    known = {name: getattr(job, name) for name in shapes.Job.__struct_fields__ if hasattr(job, name)}
    known |= {
        "cancel_requested": job.cancel_requested_at is not None, "dataset_name": dataset.name,
        "dataset_deleted": dataset.deleted_at is not None,
        "priority": again.PRIORITY_NAMES[job.priority], "policy": policy_of(job), "queue_position": turn,
        "expected_start_at": queue.starts.get(job.id) if queue is not None else None,
        "created_by": {"id": creator.id, "name": creator.name or creator.email},
    }  # fmt: skip
    return msgspec.convert(known, shapes.Job)


async def _read_together(session: AsyncSession, jobs: list[Job]) -> None:
    """What ``shape`` asks for of each: two queries instead of two for each data set and person. Held, since a
    session forgets what nobody holds."""
    for table, ids in ((Dataset, {job.dataset_id for job in jobs}), (User, {job.created_by for job in jobs})):
        session.info.setdefault("held", []).extend(await session.scalars(select(table).where(table.id.in_(ids))))


def _artifact(artifact: Artifact, job: Job, storage: Storage) -> shapes.Artifact:
    url = storage.sign(
        "GET", artifact.storage_key, expires_in=URL_SECONDS, file_name=artifacts.download_name(artifact, job)
    )
    return shapes.Artifact(
        artifact.id, artifact.kind, artifact.name, artifact.size, artifact.sha256, artifact.attempt, artifact.epoch,
        artifact.created_at, artifact.pinned, url,
    )  # fmt: skip


def _prediction(
    line: predictions.Line, dataset: Dataset, image: DatasetImage | None, storage: Storage
) -> shapes.Prediction:
    top = [shapes.ClassShare(each.class_, each.confidence) for each in line.top]
    told = shapes.Prediction(line.file_name, line.label, line.predicted, line.confidence, top, *[None] * 5)
    if image is not None:
        told.n, told.width, told.height = image.n, image.width, image.height
        told.thumbnail_url = thumbnail_url(dataset, image, storage)
        told.image_url = image_url(dataset, image, storage)
    return told


def _metric_row(row: MetricRow) -> shapes.MetricRow:
    kind: Any = row.kind
    return shapes.MetricRow(kind, row.epoch, row.last_step, row.time, row.attempt, row.metrics, row.superseded)


def _trace_id(traceparent: str | None) -> str | None:
    """The caller's W3C trace id, so that the job belongs to the caller's trace."""
    if traceparent is None:
        return None
    parts = traceparent.split("-")
    if len(parts) < 4 or len(parts[1]) != 32 or not all(c in "0123456789abcdef" for c in parts[1]):
        raise BadInput.field("traceparent", "is not a W3C trace context")
    return parts[1]


router = Router(
    "/api/v1", tags=["training"],
    route_handlers=[
        create, estimate_job, list_jobs, list_choices, get_job, cancel, retry, resume, delete_job, get_metrics,
        get_events, get_timeline, get_logs, get_artifacts, get_validation, get_policy, get_attempts, get_log_text,
        get_predictions, download, change_artifact,
    ],
)  # fmt: skip
