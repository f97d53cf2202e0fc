"""Who is asking, and the parts of the app that handlers are given.

Every route is guarded by ``authenticate``: a person's access token or API token, unless its handler says otherwise in
``opt``: ``public=True``, ``auth="callback"`` (an attempt's token), or ``auth="signed" | "ticket"`` where the handler
decides. What keeps accounts safe says ``session=True`` and takes no API token; a POST that changes nothing says
``reads=True`` and takes one of scope ``read`` too.

It is one guard for all of them, since Litestar copies the handler for each guard of each request (0.1 ms).
"""

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.di import Provide
from litestar.handlers.base import BaseRouteHandler

from visionai import names
from visionai.db import Database
from visionai.errors import Forbidden, Unauthorised
from visionai.identity import access, tokens
from visionai.identity.access import CurrentUser
from visionai.identity.api_tokens import Uses
from visionai.identity.sessions import Client
from visionai.identity.tokens import Callback
from visionai.parts import Parts
from visionai.settings import Settings

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def parts(connection: ASGIConnection) -> Parts:  # type: ignore[type-arg]
    found: Parts = connection.app.state.parts
    return found


async def authenticate(connection: ASGIConnection, handler: BaseRouteHandler) -> None:  # type: ignore[type-arg]
    if handler.opt.get("auth") == "callback":
        connection.state.callback = _callback(connection)
    if handler.opt.get("public") or "auth" in handler.opt:
        return
    token = bearer(connection)
    if token.startswith(tokens.API_PREFIX):
        connection.state.user = await _by_api_token(connection, handler, token)
        return
    p = parts(connection)
    shown = tokens.read_access_token(p.settings, token)
    async with p.db.read() as session:
        connection.state.user = await access.current_user(session, shown)


async def _by_api_token(connection: ASGIConnection, handler: BaseRouteHandler, token: str) -> CurrentUser:  # type: ignore[type-arg]
    async with parts(connection).db.read() as session:
        user = await access.api_token_user(session, token)
    if handler.opt.get("session"):
        access.require_session(user)
    if connection.scope.get("method") not in SAFE and not handler.opt.get("reads"):
        access.require_write(user)
    uses: Uses = connection.app.state.uses
    uses.note(user)
    return user


def _callback(connection: ASGIConnection) -> Callback:  # type: ignore[type-arg]
    who = tokens.read_callback_token(parts(connection).settings, bearer(connection))
    if who.job_id != connection.path_params["job_id"]:
        raise Forbidden("This token belongs to another job.")
    return who


def bearer(connection: ASGIConnection) -> str:  # type: ignore[type-arg]
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorised("Send an access token: Authorization: Bearer …")
    return token.strip()


async def provide_user(request: Request[object, object, State]) -> CurrentUser:
    user: CurrentUser = request.state.user
    return user


async def provide_client(request: Request[object, object, State]) -> Client:
    host = request.client.host if request.client is not None else ""
    return Client(host[:45], names.cleaned(request.headers.get("user-agent", "")))


async def provide_db(request: Request[object, object, State]) -> Database:
    return parts(request).db


async def provide_settings(request: Request[object, object, State]) -> Settings:
    return parts(request).settings


async def provide_parts(request: Request[object, object, State]) -> Parts:
    return parts(request)


DEPENDENCIES = {
    "parts": Provide(provide_parts),
    "user": Provide(provide_user),
    "client": Provide(provide_client),
    "db": Provide(provide_db),
    "settings": Provide(provide_settings),
}
