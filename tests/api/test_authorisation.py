"""docs/authorisation.md is true: every route, asked by everybody, over HTTP and on real rows."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import argon2
import pytest
from everybody import ASKERS, BYTES, PASSWORD, PEOPLE, SHA, TOKENS, UPLOADED, Everybody, Rows, chunks
from litestar import Litestar
from litestar.exceptions import WebSocketDisconnect
from litestar.testing import TestClient
from sqlalchemy import func, select, true
from test_routes import routes

from visionai.app import create_app
from visionai.db import utcnow
from visionai.identity import passwords
from visionai.identity.tables import AuditEntry
from visionai.settings import Settings

DOCUMENT = (Path(__file__).parents[2] / "docs/authorisation.md").read_text()
NO_LIMITS = {f"rate_limit_{kind}": 0 for kind in ("auth", "read", "write", "upload")}
CHANGE = {"POST", "PUT", "PATCH", "DELETE"}
PAGES = {("GET", "/"), ("GET", "/{path:path}"), ("GET", "/assets/{name:path}")}
"""Whether the UI is built is not asked here."""


def table(heading: str) -> list[list[str]]:
    section = DOCUMENT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip()[1:-1].split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows if not set(row[0].strip()) <= set("-:")]


CLASSES = {name: dict(zip(table("Classes")[0][1:], cells, strict=True)) for name, *cells in table("Classes")[1:]}
ROUTES = {tuple(row[0].strip("`").split(" ", 1)): row[1:] for row in table("Routes")[1:]}


@pytest.fixture
def everybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Everybody]:
    """A thousand transactions and a hundred passwords: in memory where that can be, and hashed for less."""
    monkeypatch.setattr(passwords, "_hasher", argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else tmp_path) as folder:
        settings = Settings(data_dir=Path(folder), jwt_secret="s" * 40, **NO_LIMITS)
        with TestClient(create_app(settings, {}, background=False)) as client:
            yield Everybody(client.app, client)


def path_in_words(path: str) -> str:
    return re.sub(r":\w+}", "}", path)


def test_the_table_has_every_route_and_no_other(app: Litestar) -> None:
    there = {(method, path_in_words(path)) for method, path, _ in routes(app)}
    assert set(ROUTES) == there
    recorded = {
        (method, path_in_words(path)): handler.opt.get("audit", "nothing") for method, path, handler in routes(app)
    }
    for route, (_, documented) in ROUTES.items():
        changes, entry = route[0] in CHANGE, recorded[route]
        if entry is None or not changes:
            assert not documented.startswith("`"), f"{route} is recorded, says the table, and not the route"
            assert not changes or entry is None, f"{route} says nothing of an entry"
            assert not changes or len(documented.split()) > 2, f"{route}: why it is not recorded is missing"
        else:
            assert tuple(re.findall(r"[a-z_]+\.[a-z_]+", documented)) == actions(entry), route
    assert set(CLASSES) == {row[0] for row in ROUTES.values()}, "each class is somebody's, and each is explained"
    assert all(tuple(outcomes) == ASKERS for outcomes in CLASSES.values())


def test_everybody_gets_what_the_table_says(app: Litestar, everybody: Everybody) -> None:
    shared = {asker: everybody.rows(asker) for asker in ASKERS}
    recorded = {(method, path): handler.opt.get("audit") for method, path, handler in routes(app)}
    wrong = []
    for changes, method, path, asker, wanted in sorted(questions(app), key=lambda question: question[0]):
        rows = everybody.rows(asker, empty=(method, path) in EMPTY) if changes else shared[asker]
        before = everybody.run(newest_entry, everybody)
        got = outcome(everybody, method, path, asker, rows)
        if got != wanted:
            wrong.append(f"{method} {path} as {asker}: {got}, and not {wanted}")
        entries = everybody.run(entries_after, everybody, before)
        expected = actions(recorded[method, path]) if changes else ()
        if len(entries) != bool(expected) or not {entry.action for entry in entries} <= set(expected):
            wrong.append(f"{method} {path} as {asker} is recorded as {[entry.action for entry in entries]}")
        wrong += [
            f"{method} {path} as {asker}: {fault}" for entry in entries if (fault := fault_of(entry, everybody, asker))
        ]
    assert not wrong, "\n".join(wrong)


def questions(app: Litestar) -> Iterator[tuple[bool, str, str, str, str]]:
    """Whether it changes something, a route, who asks, and what they get."""
    for method, path, _ in routes(app):
        for asker, wanted in CLASSES[ROUTES[method, path_in_words(path)][0]].items():
            yield method in CHANGE and wanted == "ok", method, path, asker, wanted


def actions(entry: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """What a route says of its entry; of several, each call leaves one."""
    return () if entry is None else (entry,) if isinstance(entry, str) else entry


async def newest_entry(everybody: Everybody) -> UUID | None:
    async with everybody.parts.db.read() as session:
        return await session.scalar(select(func.max(AuditEntry.id)))


async def entries_after(everybody: Everybody, entry_id: UUID | None) -> list[AuditEntry]:
    async with everybody.parts.db.read() as session:
        newer = AuditEntry.id > entry_id if entry_id is not None else true()
        return list(await session.scalars(select(AuditEntry).where(newer)))


def fault_of(entry: AuditEntry, everybody: Everybody, asker: str) -> str | None:
    """Who did it, by what; a link or a refresh token says by itself who uses it."""
    if entry.via == "link" or entry.action in {"session.signed_in", "session.signed_out"}:
        return None if entry.user_id is not None and entry.actor else "nobody is named"
    who = (entry.user_id, entry.actor, entry.via, entry.token_name)
    name = asker if asker in PEOPLE else "admin"
    via, token = ("token", asker) if asker in TOKENS else ("session", None)
    wanted = (everybody.ids[asker], f"{name}@example.org", via, token)
    return None if who == wanted else f"recorded as {who}, and not {wanted}"


def outcome(everybody: Everybody, method: str, path: str, asker: str, rows: Rows) -> str:
    if method == "WS":
        return socket_outcome(everybody, asker, rows)
    address, more = request_for(everybody, method, path, asker, rows)
    headers = more.pop("headers", {})
    headers |= {"Authorization": f"Bearer {bearer}"} if (bearer := everybody.bearer(asker, rows)) else {}
    everybody.client.cookies.clear()
    answer = everybody.client.request(method, address, headers=headers, follow_redirects=False, **more)
    let_in = answer.status_code < 400 or ((method, path) in PAGES and answer.status_code not in {401, 403})
    return "ok" if let_in else str(answer.status_code)


def socket_outcome(everybody: Everybody, asker: str, rows: Rows) -> str:
    """With a ticket where one is to be had, otherwise with what there is."""
    bearer = everybody.bearer(asker, rows) or ""
    headers = {"Authorization": f"Bearer {bearer}"}
    body = {"job_id": str(rows.running_id)}
    answer = everybody.client.post("/api/v1/auth/ticket", json=body, headers=headers)
    token = answer.json()["token"] if answer.status_code == 200 else bearer
    try:
        with everybody.client.websocket_connect(f"/ws/training/{rows.running_id}?token={token}") as socket:
            socket.receive_json(timeout=5)
            return "ok"
    except WebSocketDisconnect as closed:
        return str(closed.code)


def request_for(everybody: Everybody, method: str, path: str, asker: str, rows: Rows) -> tuple[str, dict[str, Any]]:
    """Where to, and with what, so that it succeeds for those who may."""
    ids = {name: str(getattr(rows, name)) for name in Rows.__struct_fields__} | {"n": "0"}
    if path.startswith("/v1/jobs/") or path.endswith("/cancel"):
        ids["job_id"] = str(rows.running_id)
    more = BODIES.get((method, path), lambda *_: {})(everybody, rows, asker)
    address = more.pop("address", path)
    return re.sub(r"{(\w+)(:\w+)?}", lambda found: ids.get(found[1], "x"), address), more


def json(**fields: Any) -> dict[str, Any]:
    return {"json": {name: str(value) if name.endswith("_id") else value for name, value in fields.items()}}


def archive(_: Everybody, rows: Rows, __: str) -> dict[str, Any]:
    return {"files": {"file": ("a.zip", b"PK")}, "data": {"project_id": str(rows.project_id)}}


def own_quota(everybody: Everybody, _: Rows, asker: str) -> dict[str, Any]:
    whose = everybody.ids["owner" if asker == "stranger" else asker if asker in everybody.ids else "owner"]
    return {"address": f"/api/v1/users/{whose}/quota"}


def tus(content: bytes | None = None, **headers: str) -> Callable[..., dict[str, Any]]:
    """Of a resumable upload."""

    def make(_: Everybody, rows: Rows, __: str) -> dict[str, Any]:
        project = base64.b64encode(str(rows.project_id).encode()).decode()
        said = {"tus-resumable": "1.0.0", "upload-metadata": f"filename YS56aXA=,project_id {project}"}
        return {"headers": said | {name.replace("_", "-"): value for name, value in headers.items()}} | (
            {"content": content} if content is not None else {}
        )

    return make


def predicted(everybody: Everybody, rows: Rows, _: str) -> dict[str, Any]:
    everybody.run(everybody.parts.storage.put, f"predictions/job-{rows.job_id}", chunks())
    return {}


def training(everybody: Everybody, rows: Rows, _: str) -> dict[str, Any]:
    return json(dataset_id=rows.dataset_id, task_type="classification", framework="timm", model_name="tiny")


def signed(verb: str) -> Callable[..., dict[str, Any]]:
    def make(everybody: Everybody, rows: Rows, _: str) -> dict[str, Any]:
        key = f"incoming/{rows.token_id}"
        everybody.run(everybody.parts.storage.put, key, chunks())
        return {"address": everybody.parts.storage.sign(verb, key, expires_in=60.0)} | (
            {"content": BYTES} if verb == "PUT" else {}
        )

    return make


def file(kind: str = "report") -> dict[str, Any]:
    return {"kind": kind, "name": "a.bin", "size": len(BYTES), "sha256": SHA}


def uploaded(everybody: Everybody, rows: Rows, asker: str) -> dict[str, Any]:
    """An artifact that was announced and has arrived, by the trainer whoever asks."""
    headers = {"Authorization": f"Bearer {everybody.bearer('trainer', rows)}"}
    base = f"/v1/jobs/{rows.running_id}/artifacts"
    ticket = everybody.client.post(base, json=file(), headers=headers).json()
    address = ticket["uploads"][0]["url"].partition("/storage/")[2]
    everybody.client.put(f"/storage/{address}", content=BYTES)
    return {"address": f"{base}/{ticket['id']}/complete"}


def look_of_late(everybody: Everybody, *_: Any) -> dict[str, Any]:
    """The worker is not run here: as if it just had."""

    async def now() -> None:
        everybody.parts.last_sweep = asyncio.get_running_loop().time()

    everybody.run(now)
    return {}


def metrics_of(**more: Any) -> Callable[..., dict[str, Any]]:
    return lambda *_: json(**more)


V1 = "/api/v1"
JOB = "/v1/jobs/{job_id:uuid}"
EMPTY = {("DELETE", f"{V1}/projects/{{project_id:uuid}}")}
BODIES: dict[tuple[str, str], Callable[[Everybody, Rows, str], dict[str, Any]]] = {
    ("GET", f"{V1}/audit"): lambda _, r, __: {"params": {"project_id": str(r.project_id)}},
    ("GET", f"{V1}/audit/export"): lambda _, r, __: {"params": {"project_id": str(r.project_id)}},
    ("GET", "/readyz"): look_of_late,
    ("POST", f"{V1}/auth/setup"): lambda *_: json(token="x", email="a@b", password=PASSWORD),
    ("POST", f"{V1}/auth/login"): lambda *_: json(email="editor@example.org", password=PASSWORD),
    ("POST", f"{V1}/auth/refresh"): lambda _, r, __: json(refresh_token=r.refresh),
    ("POST", f"{V1}/auth/logout"): lambda _, r, __: json(refresh_token=r.refresh),
    ("POST", f"{V1}/auth/reset"): lambda _, r, __: json(token=r.reset, password=PASSWORD),
    ("POST", f"{V1}/auth/invitation"): lambda _, r, __: json(token=r.link),
    ("POST", f"{V1}/auth/accept"): lambda _, r, __: json(token=r.link, password=PASSWORD, email=f"a{r.token_id}@b.org"),
    ("POST", f"{V1}/auth/password"): lambda *_: json(current=PASSWORD, new=PASSWORD),
    ("PATCH", f"{V1}/auth/me"): lambda *_: json(name="Me"),
    ("POST", f"{V1}/auth/ticket"): lambda _, r, __: json(job_id=r.job_id),
    ("POST", f"{V1}/users"): lambda _, r, __: json(email=f"b{r.token_id}@b.org", password=PASSWORD),
    ("PATCH", f"{V1}/users/{{user_id:uuid}}"): lambda *_: json(role="viewer"),
    ("POST", f"{V1}/invitations"): lambda _, r, __: json(role="engineer", project_id=r.project_id),
    ("POST", f"{V1}/invitations/accept"): lambda _, r, __: json(token=r.invitation),
    ("GET", f"{V1}/users/{{user_id:uuid}}/quota"): own_quota,
    ("PUT", f"{V1}/users/{{user_id:uuid}}/quota"): lambda *_: json(running=1),
    ("PUT", f"{V1}/projects/{{project_id:uuid}}/quota"): lambda *_: json(running=1),
    ("POST", f"{V1}/tokens"): lambda *_: json(name="nightly"),
    ("POST", f"{V1}/projects"): lambda *_: json(name="a new one"),
    ("PATCH", f"{V1}/projects/{{project_id:uuid}}"): lambda *_: json(name="renamed"),
    ("POST", f"{V1}/projects/{{project_id:uuid}}/members"): lambda _, r, __: json(user_id=r.newcomer_id, role="reader"),
    ("PATCH", f"{V1}/projects/{{project_id:uuid}}/members/{{user_id:uuid}}"): lambda *_: json(role="editor"),
    ("POST", f"{V1}/datasets/upload"): archive,
    ("POST", f"{V1}/uploads"): tus(upload_length=str(len(UPLOADED))),
    ("HEAD", f"{V1}/uploads/{{upload_id:uuid}}"): tus(),
    ("PATCH", f"{V1}/uploads/{{upload_id:uuid}}"): tus(
        UPLOADED, upload_offset="0", content_type="application/offset+octet-stream"
    ),
    ("POST", f"{V1}/uploads/{{upload_id:uuid}}"): tus(x_http_method_override="DELETE"),
    ("DELETE", f"{V1}/uploads/{{upload_id:uuid}}"): tus(),
    ("GET", f"{V1}/training/jobs/{{job_id:uuid}}/predictions"): predicted,
    ("POST", f"{V1}/training/jobs"): training,
    ("POST", f"{V1}/training/jobs/estimate"): training,
    ("PATCH", f"{V1}/artifacts/{{artifact_id:uuid}}"): lambda *_: json(pinned=True),
    ("POST", f"{V1}/chat/message"): lambda _, r, __: json(content="hello", project_id=r.project_id),
    ("GET", "/storage/{key:path}"): signed("GET"),
    ("PUT", "/storage/{key:path}"): signed("PUT"),
    ("POST", f"{JOB}/heartbeat"): metrics_of(epoch=1, progress=1.0),
    ("POST", f"{JOB}/event"): metrics_of(type="warning"),
    ("POST", f"{JOB}/validation"): metrics_of(epoch=1, primary_metric={"name": "a", "value": 0.5}),
    ("POST", f"{JOB}/logs"): lambda *_: json(lines=[{"time": utcnow().isoformat(), "level": "info", "text": "a"}]),
    ("POST", f"{JOB}/artifacts"): lambda *_: json(**file()),
    ("POST", f"{JOB}/artifacts/{{artifact_id:uuid}}/complete"): uploaded,
    ("POST", f"{JOB}/done"): metrics_of(status="stopped"),
}
