"""Personal API tokens: what they open, what they never open, and when they end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from litestar.exceptions import WebSocketDisconnect
from litestar.handlers import HTTPRouteHandler
from sqlalchemy import select

from visionai.identity import api_tokens
from visionai.identity.tables import ApiToken

API = "/api/v1"
SOME_ID = "01a20ad6-b1b8-710e-af7f-713d5e0cd98b"

NEEDS_SESSION = {
    ("POST", "/auth/logout-everywhere"), ("GET", "/auth/sessions"), ("DELETE", "/auth/sessions/{id}"),
    ("POST", "/auth/password"), ("PATCH", "/auth/me"),
    ("GET", "/tokens"), ("POST", "/tokens"), ("DELETE", "/tokens/{id}"),
    ("POST", "/users"), ("PATCH", "/users/{id}"), ("POST", "/users/{id}/reset"),
    ("PUT", "/users/{id}/quota"), ("PUT", "/projects/{id}/quota"),
    ("POST", "/projects/{id}/members"), ("PATCH", "/projects/{id}/members/{id}"),
    ("DELETE", "/projects/{id}/members/{id}"),
    ("GET", "/invitations"), ("POST", "/invitations"), ("DELETE", "/invitations/{id}"), ("POST", "/invitations/accept"),
}  # fmt: skip
READS = {("POST", "/auth/ticket")}
"""They change nothing, though they are no GET."""


def make(who, **fields):
    answer = who.call("POST", f"{API}/tokens", json={"name": "ci", **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
def use(client):
    def call(token, method, path, **more):
        return client.request(method, path, headers={"Authorization": f"Bearer {token}"}, **more)

    return call


def guarded(app):
    """Every route that takes a person's token."""
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            open_ = handler.opt.get("public") or "auth" in handler.opt or "openapi" in route.path
            if isinstance(handler, HTTPRouteHandler) and not open_:
                for method in handler.http_methods - {"OPTIONS", "HEAD"}:
                    parts = ["{id}" if ":uuid" in p else p for p in route.path.removeprefix(API).split("/")]
                    yield method, "/".join(parts)


def address(path):
    return API + path.replace("{id}", SOME_ID).replace("{n:int}", "0")


def test_a_token_is_shown_once_and_kept_as_a_hash(app, client, admin):
    made = make(admin)
    assert made["token"].startswith("vai_") and made["scope"] == "read"
    listed = admin.call("GET", f"{API}/tokens").json()["items"]
    assert listed == [{k: v for k, v in made.items() if k != "token"}]

    async def kept():
        async with app.state.parts.db.read() as session:
            return vars((await session.scalars(select(ApiToken))).one())

    with client.portal() as portal:
        assert made["token"] not in str(portal.call(kept))


def test_it_reads_what_its_person_reads(admin, use):
    assert use(make(admin)["token"], "GET", f"{API}/auth/me").json()["user"]["email"] == "admin@example.org"


def test_a_ticket_of_a_token_opens_the_socket_while_the_token_is_there(client, admin, use, add_job):
    made = make(admin)
    job_id = add_job("completed").id
    ticket = use(made["token"], "POST", f"{API}/auth/ticket", json={"job_id": str(job_id)}).json()["token"]
    with client.websocket_connect(f"/ws/training/{job_id}?token={ticket}") as socket:
        assert socket.receive_json()["seq"] == 1
    admin.call("DELETE", f"{API}/tokens/{made['id']}")
    with (
        client.websocket_connect(f"/ws/training/{job_id}?token={ticket}") as socket,
        pytest.raises(WebSocketDisconnect) as closed,
    ):
        socket.receive_json()
    assert closed.value.code == 1008


def test_one_that_reads_changes_nothing_and_one_that_writes_reaches_no_account(app, admin, use):
    read, write = make(admin)["token"], make(admin, scope="write")["token"]
    seen = set()
    for method, path in guarded(app):
        answers = [use(token, method, address(path)) for token in (read, write)]
        codes = [a.json().get("code") if "json" in a.headers["content-type"] else None for a in answers]
        if (method, path) in NEEDS_SESSION:
            assert codes == ["needs_session"] * 2, (method, path)
        elif method != "GET" and (method, path) not in READS:
            assert codes[0] == "needs_write" and codes[1] not in {"needs_write", "needs_session"}, (method, path)
        else:
            assert not {"needs_write", "needs_session"} & set(codes), (method, path)
        seen.add((method, path))
    assert seen >= NEEDS_SESSION | READS


def test_one_that_writes_makes_a_project(admin, use):
    token = make(admin, scope="write")["token"]
    assert use(token, "POST", f"{API}/projects", json={"name": "cells"}).status_code == 201


def test_it_may_no_more_than_its_person(admin, use):
    viewer = admin.as_user("vera@example.org", "viewer")
    token = make(viewer, scope="write")["token"]
    assert use(token, "POST", f"{API}/projects", json={"name": "mine"}).status_code == 403
    assert use(token, "GET", f"{API}/users").status_code == 403


def test_it_ends_when_it_said(admin, use):
    token, lasting = make(admin, expires_in_days=1)["token"], make(admin, expires_in_days=None)
    assert lasting["expires_at"] is None
    with time_machine.travel(datetime.now(UTC) + timedelta(days=1, seconds=1)):
        assert use(token, "GET", f"{API}/auth/me").json()["code"] == "token_expired"
        assert use(lasting["token"], "GET", f"{API}/auth/me").status_code == 200


@pytest.mark.parametrize("fields", [{"expires_in_days": 0}, {"expires_in_days": 366}, {"scope": "all"}, {"name": ""}])
def test_what_no_token_is_made_of(admin, fields):
    answer = admin.call("POST", f"{API}/tokens", json={"name": "ci", **fields})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, next(iter(fields)))


def test_a_deleted_one_opens_nothing_and_nobody_deletes_those_of_others(admin, use):
    made = make(admin)
    eve = admin.as_user("eve@example.org", "engineer")
    assert eve.call("DELETE", f"{API}/tokens/{made['id']}").status_code == 404
    assert eve.call("GET", f"{API}/tokens").json()["items"] == []
    assert admin.call("DELETE", f"{API}/tokens/{made['id']}").status_code == 204
    assert use(made["token"], "GET", f"{API}/auth/me").json()["code"] == "token_invalid"


@pytest.mark.parametrize("token", ["vai_", "vai_x", "vai_" + "x" * 5000])
def test_a_made_up_one_is_refused(client, use, token):
    assert (use(token, "GET", f"{API}/auth/me").status_code) == 401


def test_signing_out_everywhere_and_a_new_password_leave_it(admin, use):
    token = make(admin)["token"]
    admin.call("POST", f"{API}/auth/logout-everywhere")
    assert use(token, "GET", f"{API}/auth/me").status_code == 200


def test_its_last_use_is_written_afterwards_for_all_together(app, client, admin, use):
    token = make(admin)["token"]
    use(token, "GET", f"{API}/auth/me")
    assert admin.call("GET", f"{API}/tokens").json()["items"][0]["last_used_at"] is None
    with client.portal() as portal:
        portal.call(app.state.uses.write)
    used_at = admin.call("GET", f"{API}/tokens").json()["items"][0]["last_used_at"]
    assert datetime.now(UTC) - datetime.fromisoformat(used_at) < timedelta(minutes=1)


def test_a_use_that_could_not_be_written_is_written_the_next_time(app, client, admin, use, monkeypatch):
    use(make(admin)["token"], "GET", f"{API}/auth/me")
    db = app.state.parts.db

    def none(*_, **__):
        raise OSError("too many open files")

    with client.portal() as portal:
        with monkeypatch.context() as broken:
            broken.setattr(db, "write", none)
            portal.call(app.state.uses.write)
        portal.call(app.state.uses.write)
    assert admin.call("GET", f"{API}/tokens").json()["items"][0]["last_used_at"] is not None


def test_nobody_has_tokens_without_end(admin, monkeypatch):
    monkeypatch.setattr(api_tokens, "MOST", 2)
    for _ in range(2):
        make(admin)
    assert admin.call("POST", f"{API}/tokens", json={"name": "ci"}).json()["code"] == "too_many_tokens"
