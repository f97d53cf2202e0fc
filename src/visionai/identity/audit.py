"""What people did, written down in the transaction that does it, and never changed: the database itself refuses to.

Who did it is kept as they were then, so that an entry says the same when they have another name or are gone. An entry
holds no secret: no password, no token, and of an address that somebody tried to sign in with only one that is an
account's.
"""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.identity.tables import AuditEntry

Via = Literal["session", "token", "setup", "link"]
Action = Literal[
    "user.created", "user.renamed", "user.role_changed", "user.disabled", "user.enabled", "user.password_changed",
    "user.password_refused", "user.reset_link_made", "session.signed_in", "session.refused", "session.signed_out",
    "session.ended", "session.all_ended", "token.created", "token.deleted", "invitation.created",
    "invitation.withdrawn", "project.created", "project.renamed", "project.deleted", "member.added",
    "member.role_changed", "member.removed", "quota.changed", "dataset.created", "dataset.deleted", "upload.given_up",
    "job.created", "job.cancelled", "job.retried", "job.resumed", "job.deleted", "artifact.pinned", "artifact.unpinned",
]  # fmt: skip
"""Of what to what. The UI has words for each; none is ever taken out, since what was recorded stays."""

MOST_DETAIL = 4096
"""Bytes of JSON."""


class Actor(msgspec.Struct, frozen=True):
    """Who does something, by what, from where. Nobody has no ``user_id``."""

    user_id: UUID | None
    address: str
    via: Via
    ip: str
    token_name: str | None = None


def record(
    session: AsyncSession, who: Actor, action: Action, target: tuple[str, UUID | None, str], *,
    project_id: UUID | None = None, **detail: Any,
) -> None:  # fmt: skip
    """``action``: what was done to what (``job.created``); ``target``: its kind, its id and its name."""
    kind, target_id, name = target
    session.add(AuditEntry(
        user_id=who.user_id, actor=who.address[:254], via=who.via, token_name=who.token_name, ip=who.ip[:45],
        action=action, project_id=project_id, target_type=kind, target_id=target_id, target_name=name[:254],
        detail=_bounded(detail),
    ))  # fmt: skip


def record_change(
    session: AsyncSession, who: Actor, action: Action, target: tuple[str, UUID | None, str],
    changes: dict[str, Any], *, project_id: UUID | None = None,
) -> None:  # fmt: skip
    """As ``record``, of what ``changed`` found; of nothing there is no entry."""
    if changes:
        record(session, who, action, target, project_id=project_id, **changes)


def changed(**fields: tuple[Any, Any]) -> dict[str, dict[str, Any]]:
    """Of each field that is another now, the old and the new."""
    return {name: {"old": old, "new": new} for name, (old, new) in fields.items() if old != new}


def _bounded(detail: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(detail)
    return plain if len(msgspec.json.encode(plain)) <= MOST_DETAIL else {"left_out": sorted(plain)}
