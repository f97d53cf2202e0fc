"""Personal API tokens."""

from typing import Any
from uuid import UUID

from litestar import Response, Router, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from visionai.api import identity_shapes as shapes
from visionai.api.problems import responses
from visionai.api.shapes import Page
from visionai.db import Database
from visionai.identity import api_tokens
from visionai.identity.access import CurrentUser
from visionai.identity.tables import ApiToken


@get("/tokens", opt={"session": True}, responses=responses(403), summary="One's API tokens, newest first")
async def list_tokens(user: NamedDependency[CurrentUser], db: NamedDependency[Database]) -> Page[shapes.ApiToken]:
    async with db.read() as session:
        return Page([shapes.ApiToken(**_fields(t)) for t in await api_tokens.all_of(session, user.id)])


@post(
    "/tokens", opt={"session": True, "audit": "token.created"}, responses=responses(403, 409),
    summary="Make an API token",
)  # fmt: skip
async def add_token(
    data: JSONBody[shapes.NewApiToken], user: NamedDependency[CurrentUser], db: NamedDependency[Database]
) -> Response[shapes.MadeApiToken]:
    """The token itself is in this answer alone, which is why it takes no ``Idempotency-Key``: if the answer got lost,
    delete the token and make another."""
    async with db.write() as session:
        made, token = await api_tokens.new(session, user, data.name, data.scope, data.expires_in_days)
    body = shapes.MadeApiToken(**_fields(made), token=token)
    return Response(body, status_code=201)


@delete(
    "/tokens/{token_id:uuid}", opt={"session": True, "audit": "token.deleted"}, responses=responses(403, 404),
    summary="Delete an API token",
)  # fmt: skip
async def remove_token(
    token_id: FromPath[UUID], user: NamedDependency[CurrentUser], db: NamedDependency[Database]
) -> None:
    """It stops working at once."""
    async with db.write() as session:
        await api_tokens.remove(session, user, token_id)


def _fields(token: ApiToken) -> dict[str, Any]:
    return {name: getattr(token, name) for name in shapes.ApiToken.__struct_fields__}


router = Router("/api/v1", tags=["tokens"], route_handlers=[list_tokens, add_token, remove_token])
