"""Data sets: upload, look at, delete."""

import asyncio
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal
from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, delete, get, post
from litestar.di import NamedDependency
from litestar.openapi.spec import (
    OpenAPIFormat,
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    Reference,
    RequestBody,
    Schema,
)
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncSession

from visionai import names
from visionai.api import idempotency, multipart, shapes
from visionai.api.operations import shape as operation_shape
from visionai.api.parameters import Holds, Limit, Natural, OptionalNatural, PathNatural
from visionai.api.problems import responses
from visionai.api.shapes import Page
from visionai.datasets import queries, resumable
from visionai.datasets.tables import Dataset, DatasetImage, DatasetUpload, DatasetVersion
from visionai.datasets.uploads import FORMATS, Upload, too_large
from visionai.db import Database, utcnow
from visionai.errors import BadInput, Conflict, FieldError
from visionai.identity.access import CurrentUser, default_project, require_project
from visionai.identity.audit import record
from visionai.jobs.queries import uses_dataset
from visionai.jobs.quotas import admit_upload
from visionai.operations import queries as operations
from visionai.parts import Parts
from visionai.storage import keys
from visionai.storage.base import Storage

URL_SECONDS = 3600.0
FORM_BYTES = 1 << 20  # what a form may have around its file
MEDIA_TYPES = {
    ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".jpe": "image/jpeg", ".jfif": "image/jpeg", ".png": "image/png",
    ".apng": "image/png", ".gif": "image/gif", ".webp": "image/webp", ".bmp": "image/bmp", ".dib": "image/bmp",
    ".avif": "image/avif",
}  # fmt: skip

Split = Literal["train", "val"]
ClassName = Annotated[str | None, QueryParameter(name="class", description="Only those of this class.")]


@dataclass
class UploadOperation(Operation):
    """Says in the OpenAPI document what the handler reads from the stream by itself."""

    def __post_init__(self) -> None:
        fields: dict[str, Reference | Schema] = {
            "file": Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY,
                           description="A zip or tar (plain, gz, bz2, xz) with one folder per class."),
            "name": Schema(type=OpenAPIType.STRING, max_length=names.MOST, pattern=names.PLAIN,
                           description="By default the file's name."),
            "format": Schema(type=OpenAPIType.STRING, enum=list(FORMATS), default="auto"),
            "project_id": Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.UUID,
                                 description="By default the first project in which you may edit."),
        }  # fmt: skip
        schema = Schema(type=OpenAPIType.OBJECT, required=["file"], properties=fields)
        self.request_body = RequestBody({"multipart/form-data": OpenAPIMediaType(schema)}, required=True)


@post(
    "/upload", opt={"limit": "upload", "audit": "dataset.created"}, status_code=202, request_max_body_size=None,
    operation_class=UploadOperation,
    responses=responses(403, 404, 409, 413, 507), summary="Upload an archive as a new data set",
)  # fmt: skip
async def upload(
    request: Request[Any, Any, Any], user: NamedDependency[CurrentUser], parts: NamedDependency[Parts]
) -> Response[shapes.UploadAccepted]:
    """The archive is stored as it arrives and imported afterwards; follow the operation. Nothing is kept of an upload
    that breaks off, or of which nothing came for 10 minutes (409 ``upload_abandoned``)."""
    announced = request.headers.get("content-length", "")
    most = parts.settings.upload_max_bytes
    if announced.isdigit() and int(announced) > most + FORM_BYTES:
        raise too_large(most)
    async with parts.db.read() as session:
        if (answer := await idempotency.known(session, request, user)) is not None:
            return answer
    receiving = Upload(parts.db, parts.storage, most)
    fields: dict[str, str] = {}
    file_name: str | None = None
    try:
        async for part in multipart.parts(request.headers.get("content-type", ""), request.stream()):
            if part.name != "file":
                fields[part.name] = await part.text()
            elif file_name is not None:
                raise BadInput.field("file", "send one file at a time")
            else:
                file_name = part.file_name or ""
                await receiving.begin(**await destination(parts.db, user, fields, file_name), admit=admit_upload)
                await receiving.store(part.blocks())
        if file_name is None or receiving.size == 0:
            raise BadInput.field("file", "is missing" if file_name is None else "is empty")
        where = await destination(parts.db, user, fields, file_name)
        async with parts.db.write() as session:
            op = await receiving.finish(session, **where, admit=admit_upload)
            record(
                session, user.actor, "dataset.created", ("dataset", receiving.dataset_id, where["name"]),
                project_id=where["project_id"], size=receiving.size,
            )  # fmt: skip
            accepted = shapes.UploadAccepted(receiving.dataset_id, "processing", op.id)
            headers = {"Location": f"/api/v1/datasets/{receiving.dataset_id}"}
            await idempotency.remember(session, request, user, 202, msgspec.to_builtins(accepted), headers)
    except BaseException:
        if file_name is not None:
            await asyncio.shield(receiving.abandon())
        raise
    return Response(accepted, status_code=202, headers=headers)


@get("/", responses=responses(), summary="Data sets, newest first")
async def list_datasets(
    user: NamedDependency[CurrentUser], db: NamedDependency[Database], project_id: FromQuery[UUID | None] = None,
    q: Holds = None, status: FromQuery[shapes.DatasetStatus | None] = None, cursor: FromQuery[UUID | None] = None,
    limit: Limit = 50,
) -> Page[shapes.Dataset]:  # fmt: skip
    async with db.read() as session:
        found = await queries.list_datasets(
            session, user, project_id=project_id, q=q, status=status, before=cursor, limit=limit + 1
        )
        items = await _shapes(session, found[:limit])
    return Page(items, str(items[-1].id) if len(found) > limit else None)


@get("/{dataset_id:uuid}", responses=responses(404), summary="One data set")
async def get_dataset(
    dataset_id: FromPath[UUID], user: NamedDependency[CurrentUser], db: NamedDependency[Database]
) -> shapes.Dataset:
    async with db.read() as session:
        return (await _shapes(session, [await queries.get_dataset(session, user, dataset_id)]))[0]


@delete(
    "/{dataset_id:uuid}", opt={"audit": "dataset.deleted"}, responses=responses(403, 404, 409),
    summary="Delete a data set",
)  # fmt: skip
async def delete_dataset(
    dataset_id: FromPath[UUID], user: NamedDependency[CurrentUser], db: NamedDependency[Database]
) -> None:
    """Refused while a job that has not ended uses it. Jobs that have ended keep what they were trained on."""
    async with db.write() as session:
        dataset = await queries.get_dataset(session, user, dataset_id, at_least="editor")
        if await uses_dataset(session, dataset_id):
            raise Conflict("A job that has not ended uses it: cancel the job or let it end.", code="dataset_in_use")
        await queries.delete_dataset(session, dataset, utcnow())
        target = ("dataset", dataset_id, dataset.name)
        record(session, user.actor, "dataset.deleted", target, project_id=dataset.project_id)


@get("/{dataset_id:uuid}/versions", responses=responses(404), summary="Its versions, newest first")
async def get_versions(
    dataset_id: FromPath[UUID], user: NamedDependency[CurrentUser], db: NamedDependency[Database]
) -> Page[shapes.DatasetVersion]:
    async with db.read() as session:
        found = await queries.list_versions(session, await queries.get_dataset(session, user, dataset_id))
    return Page([_version(v) for v in found])


@get("/{dataset_id:uuid}/report", responses=responses(404), summary="What was found in it: faults and statistics")
async def get_report(
    dataset_id: FromPath[UUID], user: NamedDependency[CurrentUser], db: NamedDependency[Database]
) -> shapes.DatasetReport:
    """Of the current version; of the import, where that failed. Empty while it runs."""
    async with db.read() as session:
        dataset = await queries.get_dataset(session, user, dataset_id)
        version = (await queries.current_versions(session, [dataset])).get(dataset.id)
        report = version.report if version is not None else dataset.report or {}
        faults = msgspec.convert(report.get("faults", []), list[shapes.DatasetFault])
        if version is not None:
            images = await queries.by_file_name(session, version.id, {name for f in faults for name in f.files})
            for fault in faults:
                fault.images = [images.get(name) for name in fault.files]
    return shapes.DatasetReport(
        version.id if version is not None else None, faults, version.statistics if version is not None else {}
    )


@get("/{dataset_id:uuid}/images", responses=responses(404), summary="Its images")
async def get_images(
    dataset_id: FromPath[UUID], user: NamedDependency[CurrentUser], parts: NamedDependency[Parts],
    class_: ClassName = None, split: FromQuery[Split | None] = None,
    cursor: OptionalNatural = None, offset: Natural = 0, limit: Limit = 100,
) -> shapes.DatasetImagePage:  # fmt: skip
    """``total`` counts all that match. Page on by ``cursor``, or jump by ``offset``."""
    async with parts.db.read() as session:
        dataset = await queries.get_dataset(session, user, dataset_id)
        version = await queries.current_version(session, dataset)
        found, total = await queries.list_images(
            session, version, label=class_, split=split, after=cursor, offset=offset, limit=limit + 1
        )
    items = [_image(dataset, image, parts.storage) for image in found[:limit]]
    return shapes.DatasetImagePage(items, str(items[-1].n) if len(found) > limit else None, total)


@get("/{dataset_id:uuid}/images/{n:int}", responses=responses(404), summary="One image and its neighbours")
async def get_image(
    dataset_id: FromPath[UUID], n: PathNatural, user: NamedDependency[CurrentUser], parts: NamedDependency[Parts],
    class_: ClassName = None, split: FromQuery[Split | None] = None,
) -> shapes.DatasetImageAlone:  # fmt: skip
    """``class`` and ``split`` choose among which images it is counted and has neighbours."""
    async with parts.db.read() as session:
        dataset = await queries.get_dataset(session, user, dataset_id)
        image = await queries.get_image(session, dataset, n)
        version = await queries.current_version(session, dataset)
        place = await queries.place_of(session, version, n, label=class_, split=split)
    alone = msgspec.structs.asdict(_image(dataset, image, parts.storage)) | msgspec.structs.asdict(place)
    return shapes.DatasetImageAlone(**alone)


@get("/{dataset_id:uuid}/images/{n:int}/thumbnail", status_code=302, responses=responses(404), summary="One, small")
async def get_thumbnail(
    dataset_id: FromPath[UUID], n: PathNatural, user: NamedDependency[CurrentUser], parts: NamedDependency[Parts]
) -> Redirect:
    """Leads to a signed address, as ``thumbnail_url`` is one."""
    async with parts.db.read() as session:
        dataset = await queries.get_dataset(session, user, dataset_id)
        image = await queries.get_image(session, dataset, n)
    return Redirect(_image(dataset, image, parts.storage).thumbnail_url)


async def destination(db: Database, user: CurrentUser, fields: dict[str, str], file_name: str) -> dict[str, Any]:
    """Where an upload goes, out of the fields that have come so far. Raises BadInput with all that is wrong."""
    wrong = []
    name = fields.get("name", "").strip() or _default_name(file_name)
    if (fault := names.fault(name)) is not None:
        wrong.append(FieldError("name", fault))
    format_ = fields.get("format") or "auto"
    if format_ not in FORMATS:
        wrong.append(FieldError("format", f"must be one of {', '.join(FORMATS)}: other formats are not imported yet"))
    project_id: UUID | None = None
    if fields.get("project_id"):
        try:
            project_id = UUID(fields["project_id"])
        except ValueError:
            wrong.append(FieldError("project_id", "must be a UUID"))
    if wrong:
        raise BadInput(wrong)
    async with db.read() as session:
        project_id = project_id or await default_project(session, user)
        await require_project(session, user, project_id, at_least="editor")
    return {"project_id": project_id, "user_id": user.id, "name": name, "format_": format_}


def _default_name(file_name: str) -> str:
    """``C:\\pictures\\cats.tar.gz`` gives ``cats``."""
    path = PurePosixPath(file_name.replace("\\", "/"))
    stem = path.stem.removesuffix(".tar") if path.stem.endswith(".tar") else path.stem
    return names.cleaned(stem) or "data set"


async def _shapes(session: AsyncSession, datasets: list[Dataset]) -> list[shapes.Dataset]:
    versions = await queries.current_versions(session, datasets)
    latest = await operations.latest(session, [d.id for d in datasets])
    arriving = await resumable.of_datasets(session, [d.id for d in datasets if d.status == "uploading"])
    return [
        msgspec.convert(
            {name: getattr(d, name) for name in shapes.Dataset.__struct_fields__ if hasattr(d, name)}
            | {"version": _version(versions[d.id]) if d.id in versions else None,
               "operation": operation_shape(latest[d.id]) if d.id in latest else None,
               "upload": _upload(arriving[d.id]) if d.id in arriving else None},
            shapes.Dataset,
        )
        for d in datasets
    ]  # fmt: skip


def _upload(upload: DatasetUpload) -> shapes.DatasetUpload:
    return shapes.DatasetUpload(upload.received, upload.size, upload.expires_at)


def _version(version: DatasetVersion) -> shapes.DatasetVersion:
    known = {name: getattr(version, name) for name in shapes.DatasetVersion.__struct_fields__ if hasattr(version, name)}
    return msgspec.convert(known | {"fault_count": len(version.report["faults"])}, shapes.DatasetVersion)


def _image(dataset: Dataset, image: DatasetImage, storage: Storage) -> shapes.DatasetImage:
    known = {name: getattr(image, name) for name in shapes.DatasetImage.__struct_fields__ if hasattr(image, name)}
    known |= {
        "thumbnail_url": thumbnail_url(dataset, image, storage), "image_url": image_url(dataset, image, storage),
    }  # fmt: skip
    return msgspec.convert(known, shapes.DatasetImage)


def thumbnail_url(dataset: Dataset, image: DatasetImage, storage: Storage) -> str:
    return _url(storage, keys.thumbnail(dataset.id, image.sha256), ".webp")


def image_url(dataset: Dataset, image: DatasetImage, storage: Storage) -> str:
    return _url(storage, keys.blob(dataset.project_id, image.sha256), image.suffix)


def _url(storage: Storage, key: str, suffix: str) -> str:
    media_type = MEDIA_TYPES.get(suffix, "application/octet-stream")
    return f"{storage.sign('GET', key, expires_in=URL_SECONDS)}&type={quote(media_type, safe='')}"


router = Router(
    "/api/v1/datasets", tags=["data sets"],
    route_handlers=[
        upload, list_datasets, get_dataset, delete_dataset, get_versions, get_report, get_images,
        get_image, get_thumbnail,
    ],
)  # fmt: skip
