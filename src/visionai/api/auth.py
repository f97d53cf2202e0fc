"""Setting up, signing in and out, users, projects and their members."""

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.api import idempotency, shapes
from visionai.api.problems import responses
from visionai.api.shapes import Page
from visionai.db import Database
from visionai.errors import BadInput, Conflict, Forbidden, Unauthorised
from visionai.identity import access, accounts, tokens
from visionai.identity.access import CurrentUser
from visionai.identity.tables import Project, ProjectMember, User
from visionai.jobs.queries import visible_job
from visionai.settings import Settings

COOKIE = "visionai_refresh"
COOKIE_PATH = "/api/v1/auth"


@get("/auth/setup", opt={"public": True}, summary="Whether the first account is still to be made")
async def setup_state(db: NamedDependency[Database]) -> shapes.SetupState:
    async with db.read() as session:
        return shapes.SetupState(await accounts.setup_needed(session))


@post("/auth/setup", opt={"public": True}, responses=responses(409), summary="Make the first account, an admin")
async def setup(
    data: JSONBody[shapes.Setup], db: NamedDependency[Database], settings: NamedDependency[Settings]
) -> Response[shapes.Session]:
    signed_in = await accounts.setup(db, settings, data.token, data.email, data.password, data.name)
    return _session(settings, signed_in, cookie=data.cookie, status=201)


@post("/auth/login", opt={"public": True}, status_code=200, responses=responses(), summary="Sign in")
async def login(
    data: JSONBody[shapes.Login], db: NamedDependency[Database], settings: NamedDependency[Settings]
) -> Response[shapes.Session]:
    signed_in = await accounts.login(db, settings, data.email, data.password)
    return _session(settings, signed_in, cookie=data.cookie)


@post(
    "/auth/refresh", opt={"public": True}, status_code=200, responses=responses(), summary="Get the next access token"
)
async def refresh(
    request: Request[Any, Any, Any], data: JSONBody[shapes.Refresh], db: NamedDependency[Database],
    settings: NamedDependency[Settings],
) -> Response[shapes.Session]:  # fmt: skip
    from_cookie = data.refresh_token is None
    token = data.refresh_token or request.cookies.get(COOKIE)
    if not token:
        raise Unauthorised("There is no session to go on with: sign in.", code="session_ended")
    return _session(settings, await accounts.refresh(db, settings, token), cookie=from_cookie)


@post("/auth/logout", opt={"public": True}, status_code=204, responses=responses(), summary="Sign out")
async def logout(
    request: Request[Any, Any, Any], data: JSONBody[shapes.Refresh], db: NamedDependency[Database],
    settings: NamedDependency[Settings],
) -> Response[None]:  # fmt: skip
    if token := data.refresh_token or request.cookies.get(COOKIE):
        await accounts.logout(db, token)
    return Response(None, status_code=204, cookies=[_cookie(settings, "", 0)])


@get("/auth/me", responses=responses(), summary="Who is asking, and in which projects")
async def me(user: NamedDependency[CurrentUser], db: NamedDependency[Database]) -> shapes.Me:
    async with db.read() as session:
        row = await session.get_one(User, user.id)
        projects = [_project(p, role) for p, role in await access.my_projects(session, user)]
        return shapes.Me(_user(row), projects)


@post("/auth/ticket", status_code=200, responses=responses(404), summary="A token for one WebSocket, good for a minute")
async def ticket(
    data: JSONBody[shapes.NewTicket], user: NamedDependency[CurrentUser], db: NamedDependency[Database],
    settings: NamedDependency[Settings],
) -> shapes.Ticket:  # fmt: skip
    async with db.read() as session:
        await visible_job(session, user, data.job_id)
    return shapes.Ticket(tokens.ticket(settings, user.id, data.job_id), tokens.TICKET_SECONDS)


@get("/users", responses=responses(403), summary="All users (admins)")
async def list_users(user: NamedDependency[CurrentUser], db: NamedDependency[Database]) -> Page[shapes.User]:
    _admins_only(user)
    async with db.read() as session:
        return Page([_user(u) for u in await session.scalars(select(User).order_by(User.id))])


@post("/users", responses=responses(403), summary="Make a user (admins)")
async def add_user(
    request: Request[Any, Any, Any], data: JSONBody[shapes.NewUser], user: NamedDependency[CurrentUser],
    db: NamedDependency[Database],
) -> Response[shapes.User]:  # fmt: skip
    _admins_only(user)
    password_hash = await accounts.hashed(data.password)

    async def make(session: AsyncSession) -> shapes.User:
        return _user(await accounts.add_user(session, data.email, password_hash, data.role, data.name))

    return await idempotency.create(db, request, user, make)


@get("/projects", responses=responses(), summary="One's projects")
async def list_projects(user: NamedDependency[CurrentUser], db: NamedDependency[Database]) -> Page[shapes.Project]:
    async with db.read() as session:
        return Page([_project(p, role) for p, role in await access.my_projects(session, user)])


@post("/projects", responses=responses(403), summary="Make a project; its maker owns it")
async def add_project(
    request: Request[Any, Any, Any], data: JSONBody[shapes.NewProject], user: NamedDependency[CurrentUser],
    db: NamedDependency[Database],
) -> Response[shapes.Project]:  # fmt: skip
    if user.role == "viewer":
        raise Forbidden("Your role is viewer: ask an admin to make the project for you.")

    async def make(session: AsyncSession) -> shapes.Project:
        return _project(await accounts.add_project(session, user.id, data.name), "owner")

    return await idempotency.create(db, request, user, make)


@get("/projects/{project_id:uuid}/members", responses=responses(404), summary="Who is in a project")
async def list_members(
    project_id: FromPath[UUID], user: NamedDependency[CurrentUser], db: NamedDependency[Database]
) -> Page[shapes.Member]:
    async with db.read() as session:
        await access.require_project(session, user, project_id, at_least="reader")
        rows = await session.execute(
            select(ProjectMember, User).join(User, User.id == ProjectMember.user_id)
            .where(ProjectMember.project_id == project_id).order_by(User.id)
        )  # fmt: skip
        return Page([_member(m, u) for m, u in rows])


@post("/projects/{project_id:uuid}/members", responses=responses(403, 404, 409), summary="Add somebody to a project")
async def add_member(
    project_id: FromPath[UUID], data: JSONBody[shapes.NewMember], user: NamedDependency[CurrentUser],
    db: NamedDependency[Database],
) -> shapes.Member:  # fmt: skip
    async with db.write() as session:
        await access.require_project(session, user, project_id, at_least="owner")
        added = await session.get(User, data.user_id)
        if added is None:
            raise BadInput.field("user_id", "there is no such user")
        if await session.get(ProjectMember, (project_id, data.user_id)) is not None:
            raise Conflict("This user is a member already.", code="member_exists")
        member = ProjectMember(project_id=project_id, user_id=data.user_id, role=data.role)
        session.add(member)
        return _member(member, added)


def _admins_only(user: CurrentUser) -> None:
    if not user.is_admin:
        raise Forbidden("Only an admin can do this.")


def _session(
    settings: Settings, signed_in: accounts.SignedIn, *, cookie: bool, status: int = 200
) -> Response[shapes.Session]:
    body = shapes.Session(
        access_token=tokens.access_token(settings, signed_in.user.id),
        refresh_token=None if cookie else signed_in.refresh_token, token_type="Bearer",  # noqa: S106
        expires_in=int(settings.access_token_seconds), user=_user(signed_in.user),
    )  # fmt: skip
    cookies = [_cookie(settings, signed_in.refresh_token, int(settings.refresh_token_seconds))] if cookie else []
    return Response(body, status_code=status, cookies=cookies, headers={"Cache-Control": "no-store"})


def _cookie(settings: Settings, value: str, max_age: int) -> Cookie:
    return Cookie(
        COOKIE, value=value, path=COOKIE_PATH, max_age=max_age, httponly=True, samesite="strict",
        secure=settings.url.startswith("https://"),
    )  # fmt: skip


def _user(user: User) -> shapes.User:
    role: Any = user.role
    return shapes.User(user.id, user.email, user.name, role, user.disabled_at is not None, user.created_at)


def _project(project: Project, role: shapes.ProjectRole) -> shapes.Project:
    return shapes.Project(project.id, project.name, role, project.created_at)


def _member(member: ProjectMember, user: User) -> shapes.Member:
    role: Any = member.role
    return shapes.Member(user.id, user.email, user.name, role)


router = Router(
    "/api/v1", tags=["identity"],
    route_handlers=[
        setup_state, setup, login, refresh, logout, me, ticket, list_users, add_user, list_projects, add_project,
        list_members, add_member,
    ],
)  # fmt: skip
