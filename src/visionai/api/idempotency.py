"""``Idempotency-Key``: a creation that is sent again, because its answer got lost, creates nothing more.

The key and the answer are written in the transaction that creates, so there is either both or neither. Keys belong to
a user and are kept for a day. The same key with another request is refused.
"""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from litestar import Request, Response
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.db import Database
from visionai.errors import BadInput, Conflict, FieldError
from visionai.identity.access import CurrentUser
from visionai.identity.tables import IdempotencyKey

T = TypeVar("T")

HEADER = "Idempotency-Key"
ANNOUNCING = ("upload-length", "upload-metadata")


async def create(
    db: Database, request: Request[Any, Any, Any], user: CurrentUser, make: Callable[[AsyncSession], Awaitable[T]],
    location: Callable[[T], str] | None = None,
) -> Response[Any]:  # fmt: skip
    """201 with what ``make`` returns; with a key that was seen before, the first answer again.

    Raises BadInput for a key that is no key or was used for another request, Conflict while the first one is at work.
    """
    key = _key(request)
    try:
        async with db.write() as session:
            if key is not None and (answer := await known(session, request, user)) is not None:
                return answer
            made = await make(session)
            headers = {"Location": location(made)} if location is not None else {}
            if key is not None:
                await remember(session, request, user, 201, msgspec.to_builtins(made), headers)
    except IntegrityError as e:
        if key is None or "idempotency_keys" not in str(e.orig):
            raise
        raise Conflict("The first request with this key is still at work: send it again.", code="in_progress") from e
    return Response(made, status_code=201, headers=headers)


async def known(session: AsyncSession, request: Request[Any, Any, Any], user: CurrentUser) -> Response[Any] | None:
    """The first answer to this request, if it carries a key that was seen before."""
    if (key := _key(request)) is None:
        return None
    row = await session.get(IdempotencyKey, (user.id, key))
    if row is None:
        return None
    if row.request_hash != await _hash(request):
        wrong = FieldError(HEADER, "was used for another request: take a new key for each thing that is to be created")
        raise BadInput([wrong], code="idempotency_key_reused")
    return Response(row.body, status_code=row.status, headers={**row.headers, "Idempotency-Replayed": "true"})


async def remember(
    session: AsyncSession, request: Request[Any, Any, Any], user: CurrentUser, status: int, body: dict[str, Any],
    headers: dict[str, str],
) -> None:  # fmt: skip
    """In the transaction that creates; nothing without a key."""
    if (key := _key(request)) is not None:
        session.add(
            IdempotencyKey(
                user_id=user.id, key=key, request_hash=await _hash(request), status=status, body=body, headers=headers
            )
        )  # fmt: skip
        await session.flush()


def _key(request: Request[Any, Any, Any]) -> str | None:
    key = request.headers.get(HEADER)
    if key is not None and not (0 < len(key) <= 255 and key.isascii() and key.isprintable()):
        raise BadInput.field(HEADER, "must have 1 to 255 printable ASCII characters")
    return key


async def _hash(request: Request[Any, Any, Any]) -> str:
    """Of a streamed upload, whose body is gone, the address and what was announced of it."""
    streamed = any(name in request.headers for name in ANNOUNCING) or request.headers.get(
        "content-type", ""
    ).startswith("multipart/")
    announced = [request.headers[name] for name in ("content-length", *ANNOUNCING) if name in request.headers]
    body = "\n".join(announced).encode() if streamed else await request.body()
    return hashlib.sha256(b"\n".join((request.method.encode(), request.url.path.encode(), body))).hexdigest()
