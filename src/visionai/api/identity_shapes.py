"""What goes over the wire about people: accounts, sessions, tokens, invitations, projects."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from visionai.api.shapes import Body, PersonRef
from visionai.identity.access import ProjectRole, Role, Scope
from visionai.identity.audit import Action, Via
from visionai.names import UNFIT, Name, OptionalName

_PART = rf"[^@\s,;:<>()\[\]\\\"{UNFIT}]+"
Email = Annotated[
    str, Meta(min_length=3, max_length=254, pattern=rf"^{_PART}@{_PART}(?!\n)$", examples=["ada@example.org"])
]
AnyPassword = Annotated[str, Meta(max_length=1024)]
Password = Annotated[
    str, Meta(min_length=10, max_length=1024, description="At least 10 characters, and not easy to guess.")
]
OneTimeToken = Annotated[str, Meta(max_length=100, description="What follows `#token=` in the link.")]

# --- signing in -----------------------------------------------------------------------------------------------------


class SetupState(msgspec.Struct):
    needed: bool


class Setup(Body):
    token: OneTimeToken
    email: Email
    password: Password
    name: OptionalName = ""
    cookie: bool = False


class Login(Body):
    email: Annotated[str, Meta(max_length=254)]
    password: AnyPassword
    cookie: bool = False
    """Keep the refresh token in an HttpOnly cookie instead of answering with it: for browsers."""


class Refresh(Body):
    refresh_token: Annotated[str, Meta(max_length=100)] | None = None
    """Absent: the cookie's is used."""


class Reset(Body):
    token: OneTimeToken
    password: Password
    cookie: bool = False


class NewPassword(Body):
    current: AnyPassword
    new: Password


class MeChange(Body):
    name: OptionalName


class User(msgspec.Struct):
    id: UUID
    email: str
    name: str
    role: Role
    disabled: bool
    created_at: datetime


class Session(msgspec.Struct):
    access_token: str
    refresh_token: str | None
    token_type: Literal["Bearer"]
    expires_in: int
    user: User


class OpenSession(msgspec.Struct):
    """A sign-in that has not ended: a browser, as a rule."""

    id: UUID
    created_at: datetime
    last_used_at: datetime
    """When it last got an access token."""
    expires_at: datetime
    """When it ends if it is not used."""
    user_agent: str
    ip: str
    current: bool
    """Whether it is the one that asks."""


class NewTicket(Body):
    job_id: UUID


class Ticket(msgspec.Struct):
    """A token for one WebSocket, short-lived because it stands in the URL."""

    token: str
    expires_in: int


# --- people ---------------------------------------------------------------------------------------------------------


class NewUser(Body):
    email: Email
    password: Password
    role: Role = "engineer"
    name: OptionalName = ""


class UserChange(Body):
    """What is left out stays as it is."""

    name: OptionalName | None = None
    role: Role | None = None
    disabled: bool | None = None


class ResetLink(msgspec.Struct):
    url: str
    """Shown this once. It works once."""
    expires_at: datetime


class NewInvitation(Body):
    role: Role
    email: Email | None = None
    """Absent: whoever has the link may use it, once."""
    project_id: UUID | None = None
    project_role: ProjectRole | None = None
    """In the project: ``editor`` if nothing is said."""


class Invitation(msgspec.Struct):
    id: UUID
    email: str | None
    role: Role
    project_id: UUID | None
    project_name: str | None
    project_role: ProjectRole | None
    invited_by: PersonRef
    expires_at: datetime
    created_at: datetime


class MadeInvitation(Invitation):
    url: str
    """Shown this once. It works once."""
    mailed: bool | None
    """None: there is no address, or no mail server."""
    mail_error: str | None
    """Why it was not sent; the invitation is good nevertheless."""


class InvitationToken(Body):
    token: OneTimeToken


class Invitee(msgspec.Struct):
    """What an invitation says to the one who has its link."""

    email: str | None
    role: Role
    project: str | None
    """The project's name."""
    project_role: ProjectRole | None
    invited_by: str
    expires_at: datetime


class Acceptance(Body):
    token: OneTimeToken
    password: Password
    email: Email | None = None
    """Needed where the invitation names none."""
    name: OptionalName = ""
    cookie: bool = False


# --- API tokens -----------------------------------------------------------------------------------------------------


class NewApiToken(Body):
    name: Name
    scope: Scope = "read"
    """``read`` changes nothing; ``write`` may do what its maker may, but for accounts, people and tokens."""
    expires_in_days: Annotated[int, Meta(ge=1, le=365)] | None = 90
    """None: it lasts until it is deleted."""


class ApiToken(msgspec.Struct):
    id: UUID
    name: str
    scope: Scope
    expires_at: datetime | None
    last_used_at: datetime | None
    """To the minute."""
    created_at: datetime


class MadeApiToken(ApiToken):
    token: str
    """Shown this once."""


# --- projects -------------------------------------------------------------------------------------------------------


class Project(msgspec.Struct):
    id: UUID
    name: str
    role: ProjectRole
    """What the asker may do in it: for a viewer never more than a reader."""
    created_at: datetime


class ListedProject(Project):
    datasets: int
    trainings: int
    members: int


class Me(msgspec.Struct):
    user: User
    projects: list[Project]


class NewProject(Body):
    name: Name


class ProjectChange(Body):
    name: Name


class Member(msgspec.Struct):
    user_id: UUID
    email: str
    name: str
    role: ProjectRole


class NewMember(Body):
    user_id: UUID
    role: ProjectRole


class MemberChange(Body):
    role: ProjectRole


# --- notices --------------------------------------------------------------------------------------------------------


class Notice(msgspec.Struct):
    """What somebody else did that concerns the one who asks."""

    id: UUID
    time: datetime
    by: str
    """Their address, as it was."""
    action: Literal["member.added", "member.role_changed", "member.removed", "user.role_changed", "job.cancelled"]
    project_id: UUID | None
    project_name: str | None
    """As it is called now; None where it is gone."""
    job_id: UUID | None
    """Of the training that was stopped."""
    job_name: str | None
    role: Role | ProjectRole | None
    """The new one."""


# --- audit ----------------------------------------------------------------------------------------------------------


class AuditEntry(msgspec.Struct):
    id: UUID
    time: datetime
    user_id: UUID | None
    """None: nobody that is known."""
    actor: str
    """Their address, as it was."""
    via: Via
    token_name: str | None
    """Of the API token, where one was shown."""
    ip: str
    """Empty for who is no admin."""
    action: Action
    project_id: UUID | None
    project_name: str | None
    """As it is called now; None where it is gone."""
    target_type: str
    target_id: UUID | None
    target_name: str
    target_exists: bool
    """Whether it is a data set, training, project or person that is still there."""
    detail: dict[str, Any]
    """Of a change, each field with ``old`` and ``new``."""
