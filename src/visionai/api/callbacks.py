"""The trainers' side: ``/v1/jobs/{job_id}/…``, for the bearer of that attempt's token alone."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from visionai.api.deps import parts
from visionai.api.problems import responses
from visionai.identity.tokens import Callback
from visionai.jobs import artifacts, reports
from visionai.jobs.inputs import inputs
from visionai.parts import Parts
from visionai.trainers import contract

AUTH = {"auth": "callback", "audit": None}  # the job's timeline has what they report
ERRORS = responses(403, 404, 409, 413)


class Trainer(msgspec.Struct, frozen=True):
    """The attempt that reports, and what is needed to take its reports in: one dependency, since Litestar starts a
    task for each where there are two, which is a tenth of a heartbeat."""

    who: Callback
    parts: Parts


async def provide_trainer(request: Request[Any, Any, Any]) -> Trainer:
    return Trainer(request.state.callback, parts(request))


@get("/inputs", opt=AUTH, responses=ERRORS, summary="What to fetch, with fresh signed URLs")
async def get_inputs(job_id: FromPath[UUID], trainer: NamedDependency[Trainer]) -> contract.Inputs:
    parts = trainer.parts
    async with parts.db.read() as session:
        return await inputs(session, parts.storage, parts.settings.callback_url, trainer.who)


@post("/heartbeat", opt=AUTH, status_code=200, responses=ERRORS, summary="Alive, and how far")
async def heartbeat(
    job_id: FromPath[UUID], data: JSONBody[contract.Heartbeat], trainer: NamedDependency[Trainer]
) -> contract.HeartbeatAnswer:  # fmt: skip
    answer = await reports.accept(trainer.parts.db, trainer.who, reports.heartbeat(data))
    return msgspec.convert(answer.body, contract.HeartbeatAnswer)


@post("/event", opt=AUTH, status_code=204, responses=ERRORS, summary="Something worth telling once")
async def event(
    job_id: FromPath[UUID], data: JSONBody[contract.Event], trainer: NamedDependency[Trainer]
) -> None:  # fmt: skip
    await reports.accept(trainer.parts.db, trainer.who, reports.event(data))


@post("/validation", opt=AUTH, status_code=200, responses=ERRORS, summary="How good the model is now")
async def validation(
    job_id: FromPath[UUID], data: JSONBody[contract.Validation], trainer: NamedDependency[Trainer]
) -> contract.ValidationAnswer:  # fmt: skip
    answer = await reports.accept(trainer.parts.db, trainer.who, reports.validation(data))
    return msgspec.convert(answer.body, contract.ValidationAnswer)


@post("/logs", opt=AUTH, status_code=204, responses=ERRORS, summary="Lines of the log")
async def logs(
    job_id: FromPath[UUID], data: JSONBody[contract.LogBatch], trainer: NamedDependency[Trainer]
) -> None:  # fmt: skip
    await reports.accept(trainer.parts.db, trainer.who, reports.logs(data))


@post("/artifacts", opt=AUTH, responses=ERRORS, summary="Announce a file, and learn where to put it")
async def announce_artifact(
    job_id: FromPath[UUID], data: JSONBody[contract.ArtifactRequest], trainer: NamedDependency[Trainer]
) -> Response[contract.ArtifactTicket]:  # fmt: skip
    take = artifacts.announce(data, trainer.parts.storage, trainer.parts.settings.callback_url)
    answer = await reports.accept(trainer.parts.db, trainer.who, take)
    return Response(msgspec.convert(answer.body, contract.ArtifactTicket), status_code=201)


@post(
    "/artifacts/{artifact_id:uuid}/complete",
    opt=AUTH,
    status_code=200,
    responses=ERRORS,
    summary="It has been uploaded",
)
async def complete_artifact(
    job_id: FromPath[UUID], artifact_id: FromPath[UUID], trainer: NamedDependency[Trainer]
) -> contract.ArtifactState:  # fmt: skip
    await artifacts.complete(trainer.parts.db, trainer.parts.storage, trainer.who, artifact_id)
    return contract.ArtifactState(str(artifact_id), "complete")


@post("/done", opt=AUTH, status_code=204, responses=ERRORS, summary="The last report of an attempt")
async def done(
    job_id: FromPath[UUID], data: JSONBody[contract.Done], trainer: NamedDependency[Trainer]
) -> None:  # fmt: skip
    await reports.accept(trainer.parts.db, trainer.who, reports.done(data))


router = Router(
    "/v1/jobs/{job_id:uuid}", tags=["trainers"], request_max_body_size=contract.MAX_BODY,
    dependencies={"trainer": provide_trainer},
    route_handlers=[
        get_inputs, heartbeat, event, validation, logs, announce_artifact, complete_artifact, done,
    ],
)  # fmt: skip
