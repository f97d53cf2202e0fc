"""Resumable uploads: tus 1.0 (https://tus.io/protocols/resumable-upload), with creation, creation-with-upload,
expiration, checksum and termination. What comes in becomes a data set.

Beyond the protocol every answer about an upload names its data set (``Upload-Dataset-Id``), and the answer to the last
bytes leads to it (``Location``). Errors are problem documents, as everywhere, with the statuses of the protocol.
"""

import base64
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Annotated, Any, TypeAlias
from uuid import UUID

from litestar import HttpMethod, MediaType, Request, Response, Router, delete, head, patch, post, route
from litestar.datastructures import MutableScopeHeaders
from litestar.di import NamedDependency
from litestar.openapi.spec import (
    OpenAPIFormat,
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    RequestBody,
    Schema,
)
from litestar.params import FromPath, HeaderParameter
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.api import idempotency, shapes
from visionai.api.datasets import destination
from visionai.api.parameters import MOST
from visionai.api.problems import responses
from visionai.datasets import resumable
from visionai.datasets.resumable import ALGORITHMS, Checksum, Receiver
from visionai.datasets.tables import DatasetUpload
from visionai.datasets.uploads import too_large
from visionai.db import utcnow
from visionai.errors import (
    BadInput,
    BadRequest,
    PreconditionFailed,
    StorageFull,
    UnsupportedMediaType,
    VisionAIError,
)
from visionai.identity.access import CurrentUser
from visionai.identity.audit import record
from visionai.jobs.quotas import admit_upload
from visionai.parts import Parts
from visionai.settings import Settings

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,expiration,checksum,termination"
BYTES = "application/offset+octet-stream"
METADATA_MOST = 4096
PATH = "/api/v1/uploads"

Length: TypeAlias = Annotated[int, HeaderParameter(name="Upload-Length", ge=1, le=MOST)]
Offset: TypeAlias = Annotated[int, HeaderParameter(name="Upload-Offset", ge=0, le=MOST)]
OptionalOffset: TypeAlias = Annotated[int | None, HeaderParameter(name="Upload-Offset", ge=0, le=MOST)]
Metadata: TypeAlias = Annotated[
    str,
    HeaderParameter(
        name="Upload-Metadata", max_length=METADATA_MOST,
        description="Pairs of a key and its value in base64, with commas between: `filename` or `name`, and as in "
        "the upload in one request `format` and `project_id`. Other keys are kept and mean nothing.",
    ),
]  # fmt: skip


@dataclass
class BytesOperation(Operation):
    """Says in the OpenAPI document what the handler reads from the stream by itself."""

    def __post_init__(self) -> None:
        schema = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
        self.request_body = RequestBody({BYTES: OpenAPIMediaType(schema)}, required=True)


@route("/", http_method=HttpMethod.OPTIONS, status_code=204, opt={"public": True}, summary="What of tus is spoken here")
async def describe(settings: NamedDependency[Settings]) -> Response[None]:
    headers = {
        "Tus-Extension": EXTENSIONS, "Tus-Max-Size": str(settings.upload_max_bytes),
        "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
    }  # fmt: skip
    return Response(None, headers=headers)


@post(
    "/", opt={"audit": "dataset.created"}, status_code=201, request_max_body_size=None,
    responses=responses(403, 404, 412, 413, 507), summary="Begin an upload that may break off and go on",
)  # fmt: skip
async def begin(
    request: Request[Any, Any, Any], user: NamedDependency[CurrentUser], parts: NamedDependency[Parts],
    upload_length: Length, upload_metadata: Metadata = "",
) -> Response[shapes.UploadBegun]:  # fmt: skip
    """This is tus: each request says `Tus-Resumable: 1.0.0`. The data set is there from now on, as `uploading`, and
    `Location` takes the bytes. The first may come along (`application/offset+octet-stream`): `Upload-Offset` says how
    many were kept."""
    most = parts.settings.upload_max_bytes
    if upload_length > most:
        raise too_large(most)
    if (short := parts.storage.short_of_room()) is not None:
        raise StorageFull(short)
    fields = _metadata(upload_metadata)
    if not fields.get("filename") and not fields.get("name"):
        raise BadInput.field("Upload-Metadata", "must have a filename or a name, its value in base64")
    where = await destination(parts.db, user, fields, fields.get("filename", ""))

    async def make(session: AsyncSession) -> shapes.UploadBegun:
        expires_at = utcnow() + _kept(parts.settings)
        made = await resumable.begin(
            session, **where, size=upload_length, said=upload_metadata, expires_at=expires_at, admit=admit_upload
        )
        target = ("dataset", made.dataset_id, where["name"])
        record(session, user.actor, "dataset.created", target, project_id=where["project_id"], size=made.size)
        return shapes.UploadBegun(made.id, made.dataset_id, made.size, made.expires_at)

    answer = await idempotency.create(parts.db, request, user, make, lambda begun: f"{PATH}/{begun.id}")
    if isinstance(answer.content, shapes.UploadBegun):
        at = await _first_bytes(request, parts, answer.content) if _carries_bytes(request) else None
        answer.headers |= _headers(answer.content.dataset_id, answer.content.expires_at, at)
    return answer


@head("/{upload_id:uuid}", responses=responses(403, 404, 412), summary="How much of an upload is here")
async def look(
    upload_id: FromPath[UUID], user: NamedDependency[CurrentUser], parts: NamedDependency[Parts]
) -> Response[None]:
    """`Upload-Offset` bytes of `Upload-Length`: go on from there. When they are the same it has become a data set."""
    async with parts.db.read() as session:
        upload = await resumable.get(session, user, upload_id, utcnow())
    headers = _of(upload, await resumable.offset(parts.storage, upload)) | {"Upload-Length": str(upload.size)}
    if upload.said:
        headers["Upload-Metadata"] = upload.said
    return Response(None, headers=headers, media_type=MediaType.TEXT)


@patch(
    "/{upload_id:uuid}", opt={"audit": None}, status_code=204, request_max_body_size=None,
    operation_class=BytesOperation,
    responses=responses(400, 403, 404, 408, 409, 412, 413, 415, 423, 460, 507), summary="Send what comes next",
)  # fmt: skip
async def send(
    request: Request[Any, Any, Any], upload_id: FromPath[UUID], user: NamedDependency[CurrentUser],
    parts: NamedDependency[Parts], upload_offset: Offset,
) -> Response[None]:  # fmt: skip
    """What was kept is there for good. With the last bytes the import begins: `Location` is then the data set.
    A connection that breaks keeps what came; without a word for 20 seconds it counts as broken (408)."""
    return await _send(request, parts, user, upload_id, upload_offset)


@post(
    "/{upload_id:uuid}", opt={"audit": "upload.given_up"}, status_code=204, request_max_body_size=None,
    include_in_schema=False,
)  # fmt: skip
async def overridden(
    request: Request[Any, Any, Any], upload_id: FromPath[UUID], user: NamedDependency[CurrentUser],
    parts: NamedDependency[Parts], upload_offset: OptionalOffset = None,
) -> Response[None]:  # fmt: skip
    """For who is let through with neither PATCH nor DELETE, as the protocol has it."""
    match request.headers.get("x-http-method-override", "").upper(), upload_offset:
        case "PATCH", int(at):
            return await _send(request, parts, user, upload_id, at)
        case "PATCH", None:
            raise BadInput.field("Upload-Offset", "is missing")
        case "DELETE", _:
            await _give_up(parts, user, upload_id)
            return Response(None)
        case _:
            raise BadInput.field("X-HTTP-Method-Override", "must be PATCH or DELETE")


@delete(
    "/{upload_id:uuid}", opt={"audit": "upload.given_up"}, responses=responses(403, 404, 409, 412),
    summary="Give an upload up",
)  # fmt: skip
async def give_up(upload_id: FromPath[UUID], user: NamedDependency[CurrentUser], parts: NamedDependency[Parts]) -> None:
    """Nothing of it is kept, its data set neither. One that has arrived whole is a data set: delete that."""
    await _give_up(parts, user, upload_id)


async def _send(
    request: Request[Any, Any, Any], parts: Parts, user: CurrentUser, upload_id: UUID, start: int
) -> Response[None]:
    if not _carries_bytes(request):
        raise UnsupportedMediaType(f"Send the bytes as they are, with Content-Type: {BYTES}.")
    async with parts.db.read() as session:
        upload = await resumable.get(session, user, upload_id, utcnow())
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and start + int(announced) > upload.size:
        raise resumable.too_much()
    upload = await _receive(request, parts, upload_id, start)
    return Response(None, headers=_of(upload, upload.received))


async def _give_up(parts: Parts, user: CurrentUser, upload_id: UUID) -> None:
    async with parts.db.read() as session:
        upload = await resumable.get(session, user, upload_id, utcnow())
    await resumable.give_up(parts.db, parts.storage, user, upload, utcnow())


async def _first_bytes(request: Request[Any, Any, Any], parts: Parts, begun: shapes.UploadBegun) -> int:
    """How many were kept. The upload has begun, whatever becomes of them: what went wrong comes again with the next."""
    with suppress(VisionAIError):
        return (await _receive(request, parts, begun.id, 0)).received
    async with parts.db.read() as session:
        return (await session.get_one(DatasetUpload, begun.id)).received


async def _receive(request: Request[Any, Any, Any], parts: Parts, upload_id: UUID, start: int) -> DatasetUpload:
    receiver = Receiver(parts.db, parts.storage, _kept(parts.settings))
    return await receiver.receive(upload_id, start, request.stream(), _checksum(request))


def _checksum(request: Request[Any, Any, Any]) -> Checksum | None:
    if (given := request.headers.get("upload-checksum")) is None:
        return None
    algorithm, _, digest = given.partition(" ")
    if algorithm not in ALGORITHMS:
        raise BadRequest(f"Upload-Checksum: name one of {', '.join(ALGORITHMS)}, then a blank and the sum in base64.")
    try:
        return Checksum(algorithm, base64.b64decode(digest, validate=True))
    except ValueError:
        raise BadRequest("Upload-Checksum: the sum must be in base64.") from None


def _metadata(header: str) -> dict[str, str]:
    """Raises BadInput."""
    if not (header.isascii() and header.isprintable()):
        raise BadInput.field("Upload-Metadata", "must be pairs of a key and its value in base64, with commas between")
    fields: dict[str, str] = {}
    for pair in filter(None, (p.strip() for p in header.split(","))):
        key, _, value = pair.partition(" ")
        try:
            fields[key] = base64.b64decode(value, validate=True).decode()
        except ValueError:
            raise BadInput.field("Upload-Metadata", f"{key[:100]!a} must have its value in base64, of UTF-8") from None
    return fields


def _carries_bytes(request: Request[Any, Any, Any]) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == BYTES


def _kept(settings: Settings) -> timedelta:
    return timedelta(seconds=settings.upload_kept_seconds)


def _of(upload: DatasetUpload, at: int) -> dict[str, str]:
    whole = at == upload.size
    headers = _headers(upload.dataset_id, None if whole else upload.expires_at, at)
    return headers | {"Location": f"/api/v1/datasets/{upload.dataset_id}"} if whole else headers


def _headers(dataset_id: UUID, expires_at: datetime | None, at: int | None) -> dict[str, str]:
    headers = {"Upload-Dataset-Id": str(dataset_id)}
    if expires_at is not None:
        headers["Upload-Expires"] = format_datetime(expires_at, usegmt=True)
    if at is not None:
        headers["Upload-Offset"] = str(at)
    return headers


async def _same_version(request: Request[Any, Any, Any]) -> None:
    if request.method != "OPTIONS" and request.headers.get("tus-resumable") != VERSION:
        raise PreconditionFailed(f"Send the header Tus-Resumable: {VERSION}; no other version is spoken here.")


def _tus(app: ASGIApp) -> ASGIApp:
    """Errors say it too."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def said(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableScopeHeaders(message)
                headers["Tus-Resumable"] = headers["Tus-Version"] = VERSION
            await send(message)

        await app(scope, receive, said)

    return wrapped


router = Router(
    PATH, tags=["data sets"], route_handlers=[describe, begin, look, send, overridden, give_up],
    before_request=_same_version, middleware=[_tus],
)  # fmt: skip
