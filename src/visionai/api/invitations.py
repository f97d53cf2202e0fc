"""Invitations: made and taken back by those who may, looked at and accepted by who has the link."""

from typing import Any
from uuid import UUID

from litestar import Response, Router, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from visionai.api import identity_shapes as shapes
from visionai.api.auth import session_answer
from visionai.api.parameters import Limit
from visionai.api.problems import responses
from visionai.api.projects import project_shape
from visionai.api.shapes import Page, PersonRef
from visionai.db import Database
from visionai.identity import invitations, mail
from visionai.identity.access import CurrentUser
from visionai.identity.invitations import Invited
from visionai.identity.sessions import Client
from visionai.settings import Settings


@get("/invitations", opt={"session": True}, responses=responses(403), summary="Open invitations, newest first")
async def list_invitations(
    user: NamedDependency[CurrentUser], db: NamedDependency[Database], cursor: FromQuery[UUID | None] = None,
    limit: Limit = 50,
) -> Page[shapes.Invitation]:  # fmt: skip
    """One's own; for managers also those of engineers and viewers, for admins all."""
    async with db.read() as session:
        found = await invitations.page(session, user, before=cursor, limit=limit + 1)
    items = [shapes.Invitation(**_fields(i)) for i in found[:limit]]
    return Page(items, str(items[-1].id) if len(found) > limit else None)


@post(
    "/invitations", opt={"session": True, "audit": "invitation.created"}, responses=responses(403, 404, 409),
    summary="Invite somebody",
)  # fmt: skip
async def invite(
    data: JSONBody[shapes.NewInvitation], user: NamedDependency[CurrentUser], db: NamedDependency[Database],
    settings: NamedDependency[Settings],
) -> Response[shapes.MadeInvitation]:  # fmt: skip
    """Admins invite anybody, managers engineers and viewers; who owns a project may invite engineers and viewers into
    it. The link is in this answer alone, which is why it takes no ``Idempotency-Key``. It is also sent by mail where
    there is an address and a mail server; whether or not that works, the invitation is good for 7 days."""
    async with db.write() as session:
        made, token = await invitations.new(
            session, user, email=data.email, role=data.role, project_id=data.project_id, project_role=data.project_role
        )  # fmt: skip
    url = f"{settings.url}/invitation#token={token}"
    mailed, error = None, None
    if made.row.email is not None and settings.smtp_url is not None:
        error = await mail.send(settings, made.row.email, "You are invited to VisionAI", _letter(made, url))
        mailed = error is None
    body = shapes.MadeInvitation(**_fields(made), url=url, mailed=mailed, mail_error=error)
    return Response(body, status_code=201)


@delete(
    "/invitations/{invitation_id:uuid}", opt={"session": True, "audit": "invitation.withdrawn"},
    responses=responses(403, 404), summary="Take an invitation back",
)  # fmt: skip
async def take_back(
    invitation_id: FromPath[UUID], user: NamedDependency[CurrentUser], db: NamedDependency[Database]
) -> None:
    async with db.write() as session:
        await invitations.take_back(session, user, invitation_id)


@post(
    "/auth/invitation", opt={"public": True, "limit": "auth", "audit": None}, status_code=200, responses=responses(),
    summary="What the link of an invitation is for",
)  # fmt: skip
async def look(data: JSONBody[shapes.InvitationToken], db: NamedDependency[Database]) -> shapes.Invitee:
    """401 ``link_invalid`` if it was used, taken back, has expired, or its maker may invite so no longer."""
    async with db.read() as session:
        found = await invitations.of_token(session, data.token)
    role: Any = found.row.role
    project_role: Any = found.row.project_role
    return shapes.Invitee(
        email=found.row.email, role=role, project=found.project.name if found.project is not None else None,
        project_role=project_role, invited_by=found.by.name or found.by.email, expires_at=found.row.expires_at,
    )  # fmt: skip


@post(
    "/auth/accept",
    opt={"public": True, "limit": "auth", "audit": "user.created"},
    responses=responses(409),
    summary="Make one's account with an invitation",
)
async def accept(
    data: JSONBody[shapes.Acceptance], client: NamedDependency[Client], db: NamedDependency[Database],
    settings: NamedDependency[Settings],
) -> Response[shapes.Session]:  # fmt: skip
    """Where there is an account with this address (409 ``account_exists``): sign in and ``POST
    /invitations/accept``."""
    signed_in = await invitations.accept(db, settings, client, data.token, data.email, data.name, data.password)
    return session_answer(settings, signed_in, cookie=data.cookie, status=201)


@post(
    "/invitations/accept", opt={"session": True, "audit": "member.added"}, status_code=200,
    responses=responses(403, 409), summary="Join a project with an invitation",
)  # fmt: skip
async def accept_into_project(
    data: JSONBody[shapes.InvitationToken], user: NamedDependency[CurrentUser], db: NamedDependency[Database]
) -> shapes.Project:
    """For those who have an account; its role stays as it is. 409 ``account_exists`` if the invitation is into no
    project."""
    async with db.write() as session:
        project, role = await invitations.accept_into_project(session, user, data.token)
        return project_shape(project, role)


def _letter(invited: Invited, url: str) -> str:
    into = f" into the project “{invited.project.name}”" if invited.project is not None else ""
    return (
        f"{invited.by.name or invited.by.email} invites you{into} on VisionAI.\n\n"
        f"Open this link to accept. It works once, until {invited.row.expires_at:%d %B %Y, %H:%M} UTC:\n\n{url}\n\n"
        "If you do not know who this is, leave it unopened: nothing happens without you.\n"
    )


def _fields(invited: Invited) -> dict[str, Any]:
    row, by, project = invited.row, invited.by, invited.project
    return {
        "id": row.id, "email": row.email, "role": row.role, "project_id": row.project_id,
        "project_name": project.name if project is not None else None, "project_role": row.project_role,
        "invited_by": PersonRef(by.id, by.name or by.email), "expires_at": row.expires_at,
        "created_at": row.created_at,
    }  # fmt: skip


router = Router(
    "/api/v1", tags=["people"],
    route_handlers=[list_invitations, invite, take_back, look, accept, accept_into_project],
)  # fmt: skip
