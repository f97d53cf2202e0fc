"""The audit: in the transaction that changes, never changed afterwards, and read by those whom it concerns."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.exc import DBAPIError

from visionai.identity import audit
from visionai.identity.audit import Actor
from visionai.identity.tables import AuditEntry

PASSWORD = "correct horse battery"
NOBODY = Actor(None, "", "session", "203.0.113.9")


def entries(who: Any, **params: Any) -> list[dict[str, Any]]:
    answer = who.call("GET", "/api/v1/audit", params=params)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def add(app: Any, client: Any, count: int = 1, **more: Any) -> None:
    async def write() -> None:
        async with app.state.parts.db.write() as session:
            for n in range(count):
                target = ("user", None, more.get("name", f"target {n}"))
                audit.record(session, NOBODY, more.get("action", "user.tried"), target, **more.get("detail", {}))

    with client.portal() as portal:
        portal.call(write)


def test_an_entry_says_who_did_what_to_what_and_what_it_was_before(admin: Any) -> None:
    eve = admin.as_user("eve@example.org", "engineer")
    whom = eve.call("GET", "/api/v1/auth/me").json()["user"]["id"]
    admin.call("PATCH", f"/api/v1/users/{whom}", json={"role": "viewer"})
    latest = entries(admin)[0]
    assert (latest["action"], latest["target_type"], latest["target_id"]) == ("user.role_changed", "user", whom)
    assert (latest["actor"], latest["via"], latest["target_name"]) == (
        "admin@example.org",
        "session",
        "eve@example.org",
    )
    assert latest["ip"], "where it came from"
    assert latest["detail"] == {"role": {"old": "engineer", "new": "viewer"}}


def test_what_an_api_token_did_names_the_token(admin: Any) -> None:
    token = admin.call("POST", "/api/v1/tokens", json={"name": "nightly", "scope": "write"}).json()["token"]
    type(admin)(admin.client, token).call("POST", "/api/v1/projects", json={"name": "by night"})
    latest = entries(admin)[0]
    assert (latest["action"], latest["via"], latest["token_name"]) == ("project.created", "token", "nightly")
    assert token not in str(entries(admin))


def test_a_wrong_password_is_recorded_with_the_address_only_if_it_is_an_account(admin: Any) -> None:
    for email in ("admin@example.org", "Hunter2-my-password"):
        answer = admin.client.post("/api/v1/auth/login", json={"email": email, "password": "wrong password"})
        assert answer.status_code == 401
    unknown, known = entries(admin, action="session.refused")
    assert (known["actor"], known["detail"]) == ("admin@example.org", {"why": "wrong_credentials"})
    assert (unknown["actor"], unknown["user_id"], unknown["target_name"]) == ("", None, "")
    assert "unter2" not in str(entries(admin)) and "wrong password" not in str(entries(admin))


def test_who_is_disabled_is_recorded_as_refused(admin: Any) -> None:
    eve = admin.as_user("eve@example.org", "engineer")
    whom = eve.call("GET", "/api/v1/auth/me").json()["user"]["id"]
    admin.call("PATCH", f"/api/v1/users/{whom}", json={"disabled": True})
    admin.client.post("/api/v1/auth/login", json={"email": "eve@example.org", "password": PASSWORD})
    assert entries(admin)[0]["detail"] == {"why": "account_disabled"}
    assert entries(admin)[1]["action"] == "user.disabled"


def test_what_fails_leaves_no_entry(admin: Any) -> None:
    before = len(entries(admin))
    me = admin.call("GET", "/api/v1/auth/me").json()["user"]["id"]
    assert admin.call("PATCH", f"/api/v1/users/{me}", json={"disabled": True}).status_code == 403
    project = admin.call("GET", "/api/v1/projects").json()["items"][0]["id"]
    assert admin.call("DELETE", f"/api/v1/projects/{project}/members/{me}").status_code == 409
    assert len(entries(admin)) == before


def test_a_creation_that_is_repeated_is_recorded_once(admin: Any) -> None:
    headers = {"Authorization": f"Bearer {admin.token}", "Idempotency-Key": "once"}
    for _ in range(2):
        answer = admin.client.post("/api/v1/projects", json={"name": "one"}, headers=headers)
        assert answer.status_code == 201
    assert len(entries(admin, action="project.created")) == 1


@pytest.mark.parametrize(
    "change", [update(AuditEntry).values(actor="somebody else"), delete(AuditEntry), text("DELETE FROM audit_entries")]
)
def test_the_database_refuses_to_change_an_entry(app: Any, admin: Any, change: Any) -> None:
    async def run() -> None:
        async with app.state.parts.db.write() as session:
            await session.execute(change)

    before = entries(admin)
    with admin.client.portal() as portal, pytest.raises(DBAPIError, match="never changed"):
        portal.call(run)
    assert entries(admin) == before


def test_owners_see_their_project_without_addresses_in_the_network(admin: Any) -> None:
    ada, bob = (admin.as_user(f"{name}@example.org", "engineer") for name in ("ada", "bob"))
    project = ada.call("POST", "/api/v1/projects", json={"name": "ada's"}).json()["id"]
    ada.call("PATCH", f"/api/v1/projects/{project}", json={"name": "renamed"})
    bob.call("POST", "/api/v1/projects", json={"name": "bob's"})
    seen = entries(ada)
    assert [e["action"] for e in seen] == ["project.renamed", "project.created"]
    assert {e["project_id"] for e in seen} == {project} and {e["ip"] for e in seen} == {""}
    assert bob.call("GET", "/api/v1/audit", params={"project_id": project}).status_code == 404
    text = ada.call("GET", "/api/v1/audit/export").text
    assert "bob" not in text and "testclient" not in text


def test_a_viewer_or_a_member_who_owns_nothing_sees_none_of_it(admin: Any) -> None:
    vera = admin.as_user("vera@example.org", "viewer")
    assert vera.call("GET", "/api/v1/audit").status_code == 403
    assert vera.call("GET", "/api/v1/audit/export").status_code == 403


def test_a_project_that_is_gone_keeps_its_entries(admin: Any) -> None:
    project = admin.call("POST", "/api/v1/projects", json={"name": "short"}).json()["id"]
    assert admin.call("DELETE", f"/api/v1/projects/{project}").status_code == 204
    actions = [e["action"] for e in entries(admin, project_id=project)]
    assert actions == ["project.deleted", "project.created"]


def test_entries_are_filtered_and_paged(app: Any, admin: Any) -> None:
    add(app, admin.client, 25)
    add(app, admin.client, 1, action="user_%tried")
    assert len(entries(admin, action="user.", limit=1000)) == 26, "one more made the first account"
    assert [e["action"] for e in entries(admin, action="user_")] == ["user_%tried"], "no wildcards"
    first = admin.call("GET", "/api/v1/audit", params={"action": "user.tried", "limit": 20}).json()
    second = admin.call("GET", "/api/v1/audit", params={"action": "user.tried", "cursor": first["next_cursor"]}).json()
    names = [e["target_name"] for e in first["items"] + second["items"]]
    assert names == [f"target {n}" for n in reversed(range(25))] and second["next_cursor"] is None
    moment = first["items"][-1]["time"]
    later, earlier = (entries(admin, limit=1000, **{name: moment}) for name in ("since", "until"))
    assert len(later) + len(earlier) == len(entries(admin, limit=1000))
    me = admin.call("GET", "/api/v1/auth/me").json()["user"]["id"]
    assert {e["user_id"] for e in entries(admin, target_id=me)} == {me}
    assert entries(admin, user_id=UUID(int=1)) == []


def test_a_time_without_its_zone_is_refused(admin: Any) -> None:
    answer = admin.call("GET", "/api/v1/audit", params={"since": "2026-05-04T12:00:00"})
    assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == "since"


def test_the_export_has_all_entries_as_they_are(app: Any, admin: Any) -> None:
    add(app, admin.client, 1201)
    answer = admin.call("GET", "/api/v1/audit/export", params={"format": "ndjson"})
    lines = [msgspec.json.decode(line) for line in answer.text.splitlines()]
    shown = admin.call("GET", "/api/v1/audit", params={"limit": 1000}).json()["items"]
    assert [line["id"] for line in lines[:1000]] == [e["id"] for e in shown]
    assert len({line["id"] for line in lines}) == len(lines) == 1201 + 1
    assert answer.headers["content-disposition"] == 'attachment; filename="audit.ndjson"'


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_of_the_export_is_a_formula(app: Any, admin: Any, name: str) -> None:
    add(app, admin.client, name=name)
    rows = list(csv.DictReader(io.StringIO(admin.call("GET", "/api/v1/audit/export").text, newline="")))
    assert rows[0]["target_name"] == f"'{name}"
    assert rows[0]["detail"] == "{}"


def test_the_detail_is_bounded(app: Any, admin: Any) -> None:
    add(app, admin.client, detail={"much": "x" * 5000})
    assert entries(admin)[0]["detail"] == {"left_out": ["much"]}


def test_a_refresh_token_that_was_stolen_is_recorded(admin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import timedelta

    from visionai.identity import sessions

    body = {"email": "admin@example.org", "password": PASSWORD}
    token = admin.client.post("/api/v1/auth/login", json=body).json()["refresh_token"]
    monkeypatch.setattr(sessions, "GRACE", timedelta(seconds=-1))
    for status in (200, 401):
        answer = admin.client.post("/api/v1/auth/refresh", json={"refresh_token": token})
        assert answer.status_code == status
    assert (entries(admin)[0]["action"], entries(admin)[0]["detail"]) == (
        "session.ended", {"why": "refresh_token_reused"},
    )  # fmt: skip


def test_what_the_chat_starts_or_cancels_is_recorded_as_that(app: Any, admin: Any, add_job: Any) -> None:
    add_job("running")
    answer = admin.call("POST", "/api/v1/chat/message", json={"content": "cancel the training"})
    assert entries(admin, action="job.") == [], "it asks first"
    yes = {"content": "yes", "conversation_id": answer.json()["conversation_id"]}
    assert admin.call("POST", "/api/v1/chat/message", json=yes).json()["action"] == "cancelled"
    assert [e["action"] for e in entries(admin, action="job.")] == ["job.cancelled"]


def test_every_action_that_a_route_records_is_one_that_is_known() -> None:
    """Of which the UI has the words: tsc fails on one that it has none for, and vitest reads the same list."""
    document = (Path(__file__).parents[2] / "docs/authorisation.md").read_text().split("## Routes")[1]
    documented = set(re.findall(r"`([a-z]+\.[a-z_]+)`", document))
    assert documented == set(get_args(audit.Action))


def test_an_entry_says_what_its_project_is_called_now_and_whether_its_target_is_there(admin: Any) -> None:
    made = admin.call("POST", "/api/v1/projects", json={"name": "flowers"}).json()["id"]
    admin.call("PATCH", f"/api/v1/projects/{made}", json={"name": "roses"})
    renamed = entries(admin)[0]
    assert (renamed["target_name"], renamed["project_name"], renamed["target_exists"]) == ("flowers", "roses", True)
    assert admin.call("DELETE", f"/api/v1/projects/{made}").status_code == 204
    deleted, renamed, *_ = entries(admin)
    assert (deleted["action"], deleted["project_name"], deleted["target_exists"]) == ("project.deleted", None, False)
    assert not renamed["target_exists"]


def test_what_changes_nothing_leaves_no_entry(app: Any, admin: Any, add_job: Any) -> None:
    project = admin.call("GET", "/api/v1/projects").json()["items"][0]
    me = admin.call("GET", "/api/v1/auth/me").json()["user"]
    ended = add_job("completed")
    before = len(entries(admin))
    assert admin.call("PATCH", "/api/v1/auth/me", json={"name": me["name"]}).status_code == 200
    assert admin.call("PATCH", f"/api/v1/projects/{project['id']}", json={"name": project["name"]}).status_code == 200
    member = f"/api/v1/projects/{project['id']}/members/{me['id']}"
    assert admin.call("PATCH", member, json={"role": "owner"}).status_code == 200
    assert admin.call("PUT", f"/api/v1/users/{me['id']}/quota", json={}).status_code == 200
    assert admin.call("POST", f"/api/v1/training/jobs/{ended.id}/cancel").status_code == 202
    assert len(entries(admin)) == before


def test_a_change_of_two_kinds_is_found_under_both(admin: Any) -> None:
    eve = admin.as_user("eve@example.org", "engineer")
    eve_id = eve.call("GET", "/api/v1/auth/me").json()["user"]["id"]
    assert admin.call("PATCH", f"/api/v1/users/{eve_id}", json={"role": "viewer", "disabled": True}).status_code == 200
    for action in ("user.role_changed", "user.disabled"):
        assert [e["target_id"] for e in entries(admin, action=action)] == [eve_id]


@pytest.mark.parametrize("when", [{"since": "0001-01-01T00:00:00+14:00"}, {"until": "9999-12-31T23:59:59-14:00"}])
def test_a_time_that_no_calendar_has_is_refused(admin: Any, when: dict[str, str]) -> None:
    for path in ("audit", "audit/export"):
        answer = admin.call("GET", f"/api/v1/{path}", params=when)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, next(iter(when)))
