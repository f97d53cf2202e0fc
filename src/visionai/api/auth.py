"""Setting up, signing in and out, and what concerns oneself: sessions, name, password."""

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, delete, get, patch, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from visionai.api import identity_shapes as shapes
from visionai.api.limits import Limits
from visionai.api.problems import responses
from visionai.api.projects import project_shape
from visionai.api.shapes import Page
from visionai.db import Database
from visionai.errors import Unauthorised
from visionai.identity import access, accounts, people, sessions, tokens
from visionai.identity.access import CurrentUser
from visionai.identity.audit import record
from visionai.identity.sessions import Client, SignedIn
from visionai.identity.tables import Session, User
from visionai.jobs.queries import visible_job
from visionai.settings import Settings

COOKIE = "visionai_refresh"
COOKIE_PATH = "/api/v1/auth"


@get("/auth/setup", opt={"public": True}, summary="Whether the first account is still to be made")
async def setup_state(db: NamedDependency[Database]) -> shapes.SetupState:
    async with db.read() as session:
        return shapes.SetupState(await accounts.setup_needed(session))


@post(
    "/auth/setup",
    opt={"public": True, "limit": "auth", "audit": "user.created"},
    responses=responses(409),
    summary="Make the first account, an admin",
)
async def setup(
    data: JSONBody[shapes.Setup], client: NamedDependency[Client], db: NamedDependency[Database],
    settings: NamedDependency[Settings],
) -> Response[shapes.Session]:  # fmt: skip
    signed_in = await accounts.setup(db, settings, client, data.token, data.email, data.password, data.name)
    return session_answer(settings, signed_in, cookie=data.cookie, status=201)


@post(
    "/auth/login", opt={"public": True, "limit": "auth", "audit": "session.signed_in"}, status_code=200,
    responses=responses(), summary="Sign in",
)  # fmt: skip
async def login(
    data: JSONBody[shapes.Login], client: NamedDependency[Client], db: NamedDependency[Database],
    settings: NamedDependency[Settings], limits: NamedDependency[Limits],
) -> Response[shapes.Session]:  # fmt: skip
    """After some wrong passwords from one address for one account the next has to wait, longer each time (429)."""
    with limits.attempt(client.ip, data.email):
        signed_in = await accounts.login(db, settings, client, data.email, data.password)
    return session_answer(settings, signed_in, cookie=data.cookie)


@post(
    "/auth/refresh",
    opt={"public": True, "limit": "auth", "audit": None},
    status_code=200,
    responses=responses(),
    summary="Get the next access token",
)
async def refresh(
    request: Request[Any, Any, Any], data: JSONBody[shapes.Refresh], client: NamedDependency[Client],
    db: NamedDependency[Database], settings: NamedDependency[Settings],
) -> Response[shapes.Session]:  # fmt: skip
    """The refresh token is traded for the next one. Within 10 seconds it may be sent again, by another tab or because
    the answer got lost; later its reuse ends the session."""
    from_cookie = data.refresh_token is None
    token = data.refresh_token or request.cookies.get(COOKIE)
    if not token:
        raise Unauthorised("There is no session to go on with: sign in.", code="session_ended")
    return session_answer(settings, await sessions.refresh(db, settings, token, client), cookie=from_cookie)


@post(
    "/auth/logout", opt={"public": True, "limit": "auth", "audit": "session.signed_out"}, status_code=204,
    responses=responses(), summary="Sign out",
)  # fmt: skip
async def logout(
    request: Request[Any, Any, Any], data: JSONBody[shapes.Refresh], client: NamedDependency[Client],
    db: NamedDependency[Database], settings: NamedDependency[Settings],
) -> Response[None]:  # fmt: skip
    """Its access tokens stop working too."""
    if token := data.refresh_token or request.cookies.get(COOKIE):
        await sessions.logout(db, token, client)
    return Response(None, status_code=204, cookies=[_cookie(settings, "", 0)])


@post(
    "/auth/logout-everywhere", opt={"session": True, "audit": "session.all_ended"}, status_code=204,
    responses=responses(403), summary="End all of one's sessions, this one too",
)  # fmt: skip
async def logout_everywhere(
    user: NamedDependency[CurrentUser], db: NamedDependency[Database], settings: NamedDependency[Settings]
) -> Response[None]:
    """API tokens go on: delete those that are not to."""
    async with db.write() as session:
        await sessions.end_all(session, user.id)
        record(session, user.actor, "session.all_ended", ("user", user.id, user.email))
    return Response(None, status_code=204, cookies=[_cookie(settings, "", 0)])


@get("/auth/sessions", opt={"session": True}, responses=responses(403), summary="Where one is signed in")
async def list_sessions(user: NamedDependency[CurrentUser], db: NamedDependency[Database]) -> Page[shapes.OpenSession]:
    async with db.read() as session:
        return Page([_open_session(s, user) for s in await sessions.all_of(session, user.id)])


@delete(
    "/auth/sessions/{session_id:uuid}", opt={"session": True, "audit": "session.ended"}, responses=responses(403, 404),
    summary="End one of one's sessions",
)  # fmt: skip
async def end_session(
    session_id: FromPath[UUID], user: NamedDependency[CurrentUser], db: NamedDependency[Database]
) -> None:
    """At once: its access tokens and live connections too."""
    async with db.write() as session:
        await sessions.end(session, user.id, session_id)
        record(session, user.actor, "session.ended", ("session", session_id, ""))


@post(
    "/auth/reset", opt={"public": True, "limit": "auth", "audit": "user.password_changed"}, status_code=200,
    responses=responses(), summary="Set a new password with a link, and sign in",
)  # fmt: skip
async def reset(
    data: JSONBody[shapes.Reset], client: NamedDependency[Client], db: NamedDependency[Database],
    settings: NamedDependency[Settings],
) -> Response[shapes.Session]:  # fmt: skip
    """The link works once (then 401 ``link_invalid``). All sessions that there were are ended."""
    signed_in = await people.reset(db, settings, client, data.token, data.password)
    return session_answer(settings, signed_in, cookie=data.cookie)


@post(
    "/auth/password", opt={"session": True, "limit": "auth", "audit": "user.password_changed"}, status_code=204,
    responses=responses(403), summary="Change one's password",
)  # fmt: skip
async def change_password(
    data: JSONBody[shapes.NewPassword], user: NamedDependency[CurrentUser], client: NamedDependency[Client],
    db: NamedDependency[Database], limits: NamedDependency[Limits],
) -> None:  # fmt: skip
    """All other sessions are ended; API tokens go on."""
    with limits.attempt(client.ip, user.email):
        confirmed = await accounts.confirmed(db, user, data.current)
    await accounts.change_password(db, user.actor, confirmed, data.new, but=user.session_id)


@get("/auth/me", responses=responses(), summary="Who is asking, and in which projects")
async def me(user: NamedDependency[CurrentUser], db: NamedDependency[Database]) -> shapes.Me:
    async with db.read() as session:
        row = await session.get_one(User, user.id)
        projects = [project_shape(p, role) for p, role in await access.my_projects(session, user)]
        return shapes.Me(user_shape(row), projects)


@patch(
    "/auth/me", opt={"session": True, "audit": "user.renamed"}, responses=responses(403), summary="Change one's name"
)
async def change_me(
    data: JSONBody[shapes.MeChange], user: NamedDependency[CurrentUser], db: NamedDependency[Database]
) -> shapes.User:
    async with db.write() as session:
        return user_shape(await accounts.rename(session, user, data.name))


@post(
    "/auth/ticket", opt={"reads": True, "audit": None}, status_code=200, responses=responses(404),
    summary="A token for one WebSocket, good for a minute",
)  # fmt: skip
async def ticket(
    data: JSONBody[shapes.NewTicket], user: NamedDependency[CurrentUser], db: NamedDependency[Database],
    settings: NamedDependency[Settings],
) -> shapes.Ticket:  # fmt: skip
    async with db.read() as session:
        await visible_job(session, user, data.job_id)
    assert user.credential is not None, "the guard has seen it"
    return shapes.Ticket(tokens.ticket(settings, user.credential, data.job_id), tokens.TICKET_SECONDS)


def session_answer(
    settings: Settings, signed_in: SignedIn, *, cookie: bool, status: int = 200
) -> Response[shapes.Session]:
    body = shapes.Session(
        access_token=tokens.access_token(settings, signed_in.user.id, signed_in.session_id),
        refresh_token=None if cookie else signed_in.refresh_token, token_type="Bearer",  # noqa: S106
        expires_in=int(settings.access_token_seconds), user=user_shape(signed_in.user),
    )  # fmt: skip
    cookies = [_cookie(settings, signed_in.refresh_token, int(settings.refresh_token_seconds))] if cookie else []
    return Response(body, status_code=status, cookies=cookies)


def user_shape(user: User) -> shapes.User:
    role: Any = user.role
    return shapes.User(user.id, user.email, user.name, role, user.disabled_at is not None, user.created_at)


def _cookie(settings: Settings, value: str, max_age: int) -> Cookie:
    return Cookie(
        COOKIE, value=value, path=COOKIE_PATH, max_age=max_age, httponly=True, samesite="strict",
        secure=settings.url.startswith("https://"),
    )  # fmt: skip


def _open_session(session: Session, user: CurrentUser) -> shapes.OpenSession:
    return shapes.OpenSession(
        id=session.id, created_at=session.created_at, last_used_at=session.last_used_at,
        expires_at=session.expires_at, user_agent=session.user_agent, ip=session.ip,
        current=session.id == user.session_id,
    )  # fmt: skip


router = Router(
    "/api/v1", tags=["identity"],
    route_handlers=[
        setup_state, setup, login, refresh, logout, logout_everywhere, list_sessions, end_session, reset,
        change_password, me, change_me, ticket,
    ],
)  # fmt: skip
