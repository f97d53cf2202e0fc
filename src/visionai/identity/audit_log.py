"""Reading what was written down, newest first, and handing it out as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, and_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.db import Database
from visionai.identity.access import CurrentUser, audit_filter
from visionai.identity.tables import AuditEntry

Format = Literal["csv", "ndjson"]

PAGE = 500
COLUMNS = (
    "id", "time", "user_id", "actor", "via", "token_name", "ip", "action", "project_id", "target_type", "target_id",
    "target_name", "detail",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of one."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries; None: all that one may see."""

    user_id: UUID | None = None
    action: str | None = None
    """How it begins: ``job.`` is all that was done to jobs."""
    project_id: UUID | None = None
    target_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


async def allowed(session: AsyncSession, user: CurrentUser, wanted: Wanted) -> ColumnElement[bool]:
    """Raises Forbidden or NotFound for who may see none of it."""
    query: ColumnElement[bool] = await audit_filter(session, user, wanted.project_id)
    for column, value in ((AuditEntry.user_id, wanted.user_id), (AuditEntry.target_id, wanted.target_id)):
        query = and_(query, column == value) if value is not None else query
    if wanted.action is not None:
        query = and_(query, AuditEntry.action.startswith(wanted.action, autoescape=True))
    if wanted.since is not None:
        query = and_(query, AuditEntry.time >= wanted.since)
    return and_(query, AuditEntry.time < wanted.until) if wanted.until is not None else query


async def page(
    session: AsyncSession, allowed: ColumnElement[bool], *, before: UUID | None, limit: int
) -> list[AuditEntry]:  # fmt: skip
    older = AuditEntry.id < before if before is not None else true()
    query = select(AuditEntry).where(allowed, older).order_by(AuditEntry.id.desc()).limit(limit)
    return list(await session.scalars(query))


async def export(
    db: Database, allowed: ColumnElement[bool], format_: Format, *, with_ip: bool
) -> AsyncIterator[bytes]:  # fmt: skip
    """A page at a time, each read on its own: no transaction waits for whoever fetches slowly."""
    if format_ == "csv":
        yield _csv([COLUMNS])
    before: UUID | None = None
    while True:
        async with db.read() as session:
            rows = await page(session, allowed, before=before, limit=PAGE)
        entries = [fields(row, with_ip=with_ip) for row in rows]
        if format_ == "csv":
            yield _csv([[_cell(entry[name]) for name in COLUMNS] for entry in entries])
        else:
            yield b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries)
        if len(rows) < PAGE:
            return
        before = rows[-1].id


def fields(entry: AuditEntry, *, with_ip: bool) -> dict[str, Any]:
    """Where people were is for admins to see."""
    known = {name: getattr(entry, name) for name in COLUMNS}
    return known if with_ip else {**known, "ip": ""}


def _cell(value: Any) -> str:
    """A name may be a formula, and a spreadsheet would carry it out."""
    match value:
        case None:
            text = ""
        case datetime():
            text = value.isoformat()
        case dict():
            text = msgspec.json.encode(value).decode()
        case _:
            text = str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
