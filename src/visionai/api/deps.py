"""Who is asking, and the parts of the app that handlers are given.

Every route is guarded by ``authenticate``: a person's access token or API token, unless its handler says otherwise in
``opt``: ``public=True``, ``auth="callback"`` (an attempt's token), or ``auth="signed" | "ticket"`` where the handler
decides. What keeps accounts safe says ``session=True`` and takes no API token; a POST that changes nothing says
``reads=True`` and takes one of scope ``read`` too. ``limit`` names what a route is counted as, where that is neither
reading nor writing. What changes something says in ``audit`` which entry it leaves there, or None.

It is one guard for all of them, since Litestar copies the handler for each guard of each request (0.1 ms).
"""

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.di import Provide
from litestar.handlers.base import BaseRouteHandler

from visionai import names
from visionai.api.limits import Kind, Limits, network
from visionai.db import Database
from visionai.errors import Unauthorised
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
    limits: Limits = connection.app.state.limits
    limit: Kind | None = handler.opt.get("limit")
    if handler.opt.get("public") or "auth" in handler.opt:
        if limit is not None:
            limits.take(limit, network(address(connection)))
        return
    token = bearer(connection)
    if token.startswith(tokens.API_PREFIX):
        user = await _by_api_token(connection, handler, token)
    else:
        p = parts(connection)
        shown = tokens.read_access_token(p.settings, token)
        async with p.db.read() as session:
            user = await access.current_user(session, shown, address(connection))
    limits.take(limit or ("read" if _only_reads(connection, handler) else "write"), str(user.id))
    connection.state.user = user


async def _by_api_token(connection: ASGIConnection, handler: BaseRouteHandler, token: str) -> CurrentUser:  # type: ignore[type-arg]
    async with parts(connection).db.read() as session:
        user = await access.api_token_user(session, token, address(connection))
    if handler.opt.get("session"):
        access.require_session(user)
    if not _only_reads(connection, handler):
        access.require_write(user)
    uses: Uses = connection.app.state.uses
    uses.note(user)
    return user


def _only_reads(connection: ASGIConnection, handler: BaseRouteHandler) -> bool:  # type: ignore[type-arg]
    return connection.scope.get("method") in SAFE or bool(handler.opt.get("reads"))


def _callback(connection: ASGIConnection) -> Callback:  # type: ignore[type-arg]
    who = tokens.read_callback_token(parts(connection).settings, bearer(connection))
    access.require_own_job(who, connection.path_params["job_id"])
    return who


def bearer(connection: ASGIConnection) -> str:  # type: ignore[type-arg]
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorised("Send an access token: Authorization: Bearer …")
    return token.strip()


def address(connection: ASGIConnection) -> str:  # type: ignore[type-arg]
    """Where the request comes from: the peer, or what a trusted proxy says (``server.serve`` sees to that)."""
    return connection.client.host[:45] if connection.client is not None else ""


async def provide_user(request: Request[object, object, State]) -> CurrentUser:
    user: CurrentUser = request.state.user
    return user


async def provide_client(request: Request[object, object, State]) -> Client:
    return Client(address(request), names.cleaned(request.headers.get("user-agent", "")))


async def provide_db(request: Request[object, object, State]) -> Database:
    return parts(request).db


async def provide_settings(request: Request[object, object, State]) -> Settings:
    return parts(request).settings


async def provide_parts(request: Request[object, object, State]) -> Parts:
    return parts(request)


async def provide_limits(request: Request[object, object, State]) -> Limits:
    limits: Limits = request.app.state.limits
    return limits


DEPENDENCIES = {
    "parts": Provide(provide_parts),
    "user": Provide(provide_user),
    "client": Provide(provide_client),
    "limits": Provide(provide_limits),
    "db": Provide(provide_db),
    "settings": Provide(provide_settings),
}
