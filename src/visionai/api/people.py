"""Other people: users, and the links to a new password that are made for them."""

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.api import idempotency
from visionai.api import identity_shapes as shapes
from visionai.api.auth import user_shape
from visionai.api.parameters import Limit
from visionai.api.problems import responses
from visionai.api.shapes import Page
from visionai.db import Database
from visionai.identity import access, accounts, passwords, people
from visionai.identity.access import CurrentUser
from visionai.identity.audit import record
from visionai.settings import Settings

CHANGES = ("user.role_changed", "user.disabled", "user.enabled", "user.renamed")


@get("/users", responses=responses(403), summary="All users (admins and managers)")
async def list_users(
    user: NamedDependency[CurrentUser], db: NamedDependency[Database], cursor: FromQuery[UUID | None] = None,
    limit: Limit = 100,
) -> Page[shapes.User]:  # fmt: skip
    async with db.read() as session:
        found = await people.page(session, user, after=cursor, limit=limit + 1)
    items = [user_shape(u) for u in found[:limit]]
    return Page(items, str(items[-1].id) if len(found) > limit else None)


@post(
    "/users", opt={"session": True, "audit": "user.created"}, responses=responses(403), summary="Make a user (admins)"
)
async def add_user(
    request: Request[Any, Any, Any], data: JSONBody[shapes.NewUser], user: NamedDependency[CurrentUser],
    db: NamedDependency[Database],
) -> Response[shapes.User]:  # fmt: skip
    access.require_admin(user, instead="invite people instead")
    password_hash = await passwords.hashed(data.password, data.email, data.name)

    async def make(session: AsyncSession) -> shapes.User:
        made = await accounts.add_user(session, data.email, password_hash, data.role, data.name)
        record(session, user.actor, "user.created", ("user", made.id, made.email), role=made.role)
        return user_shape(made)

    return await idempotency.create(db, request, user, make)


@patch(
    "/users/{user_id:uuid}", opt={"session": True, "audit": CHANGES}, responses=responses(403, 404, 409),
    summary="Change a user's name or role, disable or enable them",
)  # fmt: skip
async def change_user(
    user_id: FromPath[UUID], data: JSONBody[shapes.UserChange], user: NamedDependency[CurrentUser],
    db: NamedDependency[Database],
) -> shapes.User:  # fmt: skip
    """Admins change everybody; managers engineers and viewers, and make of them nothing else. Nobody changes their own
    role or disables themselves (403 ``yourself``), and the last admin stays one (409 ``last_admin``). Who is disabled
    is out at once; what they have started goes on."""
    change = people.Change(name=data.name, role=data.role, disabled=data.disabled)
    async with db.write() as session:
        return user_shape(await people.change(session, user, user_id, change))


@post(
    "/users/{user_id:uuid}/reset", opt={"session": True, "audit": "user.reset_link_made"},
    responses=responses(403, 404, 409), summary="Make a link with which a user sets a new password",
)  # fmt: skip
async def reset_user(
    user_id: FromPath[UUID], user: NamedDependency[CurrentUser], db: NamedDependency[Database],
    settings: NamedDependency[Settings],
) -> Response[shapes.ResetLink]:  # fmt: skip
    """It works once, for a day; one that was made earlier stops working. Hand it over by a way you trust."""
    async with db.write() as session:
        link = await people.new_reset(session, user, user_id)
    body = shapes.ResetLink(f"{settings.url}/reset#token={link.token}", link.expires_at)
    return Response(body, status_code=201)


router = Router("/api/v1", tags=["people"], route_handlers=[list_users, add_user, change_user, reset_user])
