"""The trainers' side: ``/v1/jobs/{job_id}/…``, for the bearer of that attempt's token alone."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.handlers.base import BaseRouteHandler
from litestar.params import FromPath, JSONBody

from visionai.api.deps import bearer, parts
from visionai.api.problems import responses
from visionai.errors import Forbidden
from visionai.identity import tokens
from visionai.identity.tokens import Callback
from visionai.jobs import artifacts, reports
from visionai.jobs.inputs import inputs
from visionai.parts import Parts
from visionai.trainers import contract

AUTH = {"auth": "callback"}
ERRORS = responses(403, 404, 409, 413)


async def trainers_only(connection: ASGIConnection, handler: BaseRouteHandler) -> None:  # type: ignore[type-arg]
    who = tokens.read_callback_token(parts(connection).settings, bearer(connection))
    if str(who.job_id) != str(connection.path_params["job_id"]):
        raise Forbidden("This token belongs to another job.")
    connection.state.callback = who


async def provide_callback(request: Request[Any, Any, Any]) -> Callback:
    who: Callback = request.state.callback
    return who


Who = Annotated[Callback, "the attempt that reports"]


@get("/inputs", opt=AUTH, responses=ERRORS, summary="What to fetch, with fresh signed URLs")
async def get_inputs(
    job_id: FromPath[UUID], callback: NamedDependency[Callback], parts: NamedDependency[Parts]
) -> contract.Inputs:
    async with parts.db.read() as session:
        return await inputs(session, parts.storage, parts.settings.callback_url, callback)


@post("/heartbeat", opt=AUTH, status_code=200, responses=ERRORS, summary="Alive, and how far")
async def heartbeat(
    job_id: FromPath[UUID], data: JSONBody[contract.Heartbeat], callback: NamedDependency[Callback],
    parts: NamedDependency[Parts],
) -> contract.HeartbeatAnswer:  # fmt: skip
    answer = await reports.accept(parts.db, callback, reports.heartbeat(data))
    return msgspec.convert(answer.body, contract.HeartbeatAnswer)


@post("/event", opt=AUTH, status_code=204, responses=ERRORS, summary="Something worth telling once")
async def event(
    job_id: FromPath[UUID], data: JSONBody[contract.Event], callback: NamedDependency[Callback],
    parts: NamedDependency[Parts],
) -> None:  # fmt: skip
    await reports.accept(parts.db, callback, reports.event(data))


@post("/validation", opt=AUTH, status_code=200, responses=ERRORS, summary="How good the model is now")
async def validation(
    job_id: FromPath[UUID], data: JSONBody[contract.Validation], callback: NamedDependency[Callback],
    parts: NamedDependency[Parts],
) -> contract.ValidationAnswer:  # fmt: skip
    answer = await reports.accept(parts.db, callback, reports.validation(data))
    return msgspec.convert(answer.body, contract.ValidationAnswer)


@post("/logs", opt=AUTH, status_code=204, responses=ERRORS, summary="Lines of the log")
async def logs(
    job_id: FromPath[UUID], data: JSONBody[contract.LogBatch], callback: NamedDependency[Callback],
    parts: NamedDependency[Parts],
) -> None:  # fmt: skip
    await reports.accept(parts.db, callback, reports.logs(data))


@post("/artifacts", opt=AUTH, responses=ERRORS, summary="Announce a file, and learn where to put it")
async def announce_artifact(
    job_id: FromPath[UUID], data: JSONBody[contract.ArtifactRequest], callback: NamedDependency[Callback],
    parts: NamedDependency[Parts],
) -> Response[contract.ArtifactTicket]:  # fmt: skip
    take = artifacts.announce(data, parts.storage, parts.settings.callback_url)
    answer = await reports.accept(parts.db, callback, take)
    return Response(msgspec.convert(answer.body, contract.ArtifactTicket), status_code=201)


@post(
    "/artifacts/{artifact_id:uuid}/complete",
    opt=AUTH,
    status_code=200,
    responses=ERRORS,
    summary="It has been uploaded",
)
async def complete_artifact(
    job_id: FromPath[UUID], artifact_id: FromPath[UUID], callback: NamedDependency[Callback],
    parts: NamedDependency[Parts],
) -> contract.ArtifactState:  # fmt: skip
    await artifacts.complete(parts.db, parts.storage, callback, artifact_id)
    return contract.ArtifactState(str(artifact_id), "complete")


@post("/done", opt=AUTH, status_code=204, responses=ERRORS, summary="The last report of an attempt")
async def done(
    job_id: FromPath[UUID], data: JSONBody[contract.Done], callback: NamedDependency[Callback],
    parts: NamedDependency[Parts],
) -> None:  # fmt: skip
    await reports.accept(parts.db, callback, reports.done(data))


router = Router(
    "/v1/jobs/{job_id:uuid}", tags=["trainers"], guards=[trainers_only], request_max_body_size=contract.MAX_BODY,
    dependencies={"callback": provide_callback},
    route_handlers=[
        get_inputs, heartbeat, event, validation, logs, announce_artifact, complete_artifact, done,
    ],
)  # fmt: skip
