"""Local storage's signed paths: what a signed URL of an object store is elsewhere."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from litestar import Request, Response, Router, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import File

from visionai.api.parameters import Natural, OptionalNatural
from visionai.api.problems import responses
from visionai.errors import BadInput, NotFound, TooLarge
from visionai.parts import Parts

SIGNED = {"auth": "signed"}
UPLOAD_MAX = 1 << 40
INLINE = {"image/webp", "image/png", "image/jpeg", "image/gif", "image/bmp", "image/avif"}


@get("/{key:path}", opt=SIGNED, responses=responses(403, 404), summary="Read an object by a signed path")
async def read(
    key: FromPath[str], expires: Natural, signature: FromQuery[str], parts: NamedDependency[Parts],
    download: Annotated[str, QueryParameter(max_length=300)] = "",
    media_type: Annotated[str, QueryParameter(name="type")] = "",
) -> File:  # fmt: skip
    key = key.lstrip("/")
    parts.storage.verify("GET", key, expires, signature, download)
    path = parts.storage.path(key)
    if not path.is_file():
        raise NotFound("There is no such object any more.")
    inline = media_type in INLINE and not download
    return File(
        path, filename=download or path.name, content_disposition_type="inline" if inline else "attachment",
        media_type=media_type if inline else "application/octet-stream",
        headers={"Cache-Control": "private, max-age=3600", "Content-Security-Policy": "default-src 'none'; sandbox"},
    )  # fmt: skip


@put("/{key:path}", opt={**SIGNED, "audit": None}, status_code=200, responses=responses(403, 413, 507),
     request_max_body_size=UPLOAD_MAX, summary="Write an object by a signed path")  # fmt: skip
async def write(
    request: Request[Any, Any, Any], key: FromPath[str], expires: Natural, signature: FromQuery[str],
    parts: NamedDependency[Parts], size: OptionalNatural = None,
) -> Response[None]:  # fmt: skip
    key = key.lstrip("/")
    parts.storage.verify("PUT", key, expires, signature, size=size)
    announced = request.headers.get("content-length")
    if announced is None or not announced.isdigit():
        raise BadInput.field("Content-Length", "is required")
    if size is not None and int(announced) != size:
        raise BadInput.field("Content-Length", f"this address takes {size} bytes, as was announced")
    await parts.storage.put(key, _bounded(request.stream(), int(announced)))
    return Response(None)


async def _bounded(chunks: AsyncIterator[bytes], size: int) -> AsyncIterator[bytes]:
    """Raises TooLarge past ``size``, BadInput if fewer bytes came: the connection broke, and nothing is kept."""
    seen = 0
    async for chunk in chunks:
        seen += len(chunk)
        if seen > size:
            raise TooLarge("More bytes came than were announced.")
        yield chunk
    if seen != size:
        raise BadInput.field("Content-Length", f"{size} bytes were announced and {seen} came: send it again")


router = Router("/storage", tags=["storage"], route_handlers=[read, write])
