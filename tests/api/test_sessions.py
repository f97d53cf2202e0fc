"""Sessions: seen by their owner, ended one by one or all together, and then over at once."""

from __future__ import annotations

import pytest
from litestar.exceptions import WebSocketDisconnect

from visionai.identity import sessions, tokens

PASSWORD = "correct horse battery"
NEW = "a walrus in galoshes"
API = "/api/v1"


def sign_in(client, email="admin@example.org", password=PASSWORD, **headers):
    return client.post(f"{API}/auth/login", json={"email": email, "password": password}, headers=headers)


def me(client, access_token):
    return client.get(f"{API}/auth/me", headers={"Authorization": f"Bearer {access_token}"})


def test_each_sign_in_is_listed_with_where_it_came_from(client, admin):
    sign_in(client, **{"User-Agent": ("Mozilla/5.0 (\x85X11) " + "x" * 1000).encode("latin-1")})
    latest, first = admin.call("GET", f"{API}/auth/sessions").json()["items"]
    assert latest["user_agent"].startswith("Mozilla/5.0") and len(latest["user_agent"]) <= 200
    assert "\x85" not in latest["user_agent"]
    assert latest["ip"] == "testclient"
    assert (latest["current"], first["current"]) == (False, True)
    assert latest["last_used_at"] >= first["last_used_at"]


def test_an_ended_session_is_over_at_once_and_the_others_go_on(client, admin):
    other = sign_in(client).json()
    session_id = admin.call("GET", f"{API}/auth/sessions").json()["items"][0]["id"]
    assert admin.call("DELETE", f"{API}/auth/sessions/{session_id}").status_code == 204
    assert me(client, other["access_token"]).json()["code"] == "session_ended"
    assert client.post(f"{API}/auth/refresh", json={"refresh_token": other["refresh_token"]}).status_code == 401
    assert admin.call("GET", f"{API}/auth/me").status_code == 200
    assert admin.call("DELETE", f"{API}/auth/sessions/{session_id}").status_code == 404


def test_of_too_many_the_one_used_least_lately_ends(client, admin, monkeypatch):
    monkeypatch.setattr(sessions, "MOST", 3)
    others = [sign_in(client).json()["access_token"] for _ in range(3)]
    assert me(client, admin.token).json()["code"] == "session_ended"
    assert {me(client, token).status_code for token in others} == {200}


def test_nobody_ends_or_sees_the_sessions_of_others(admin):
    eve = admin.as_user("eve@example.org", "engineer")
    session_id = admin.call("GET", f"{API}/auth/sessions").json()["items"][0]["id"]
    assert eve.call("DELETE", f"{API}/auth/sessions/{session_id}").status_code == 404
    assert len(eve.call("GET", f"{API}/auth/sessions").json()["items"]) == 1


def test_signing_out_ends_the_access_token_too(client, admin):
    signed_in = sign_in(client).json()
    client.post(f"{API}/auth/logout", json={"refresh_token": signed_in["refresh_token"]})
    assert me(client, signed_in["access_token"]).json()["code"] == "session_ended"


def test_signing_out_everywhere_ends_all_of_ones_own_and_nobody_elses(client, admin):
    eve = admin.as_user("eve@example.org", "engineer")
    other = sign_in(client).json()["access_token"]
    assert admin.call("POST", f"{API}/auth/logout-everywhere").status_code == 204
    assert me(client, other).status_code == me(client, admin.token).status_code == 401
    assert eve.call("GET", f"{API}/auth/me").status_code == 200


def test_a_new_password_ends_the_other_sessions(client, admin):
    other = sign_in(client).json()["access_token"]
    change = {"current": PASSWORD, "new": NEW}
    assert admin.call("POST", f"{API}/auth/password", json=change).status_code == 204
    assert me(client, other).status_code == 401
    assert admin.call("GET", f"{API}/auth/me").status_code == 200, "the one that changed it goes on"
    assert sign_in(client).status_code == 401
    assert sign_in(client, password=NEW).status_code == 200


def test_a_password_is_changed_by_who_knows_the_present_one(admin):
    answer = admin.call("POST", f"{API}/auth/password", json={"current": "wrong", "new": NEW})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "current")


def test_ones_own_name(admin):
    assert admin.call("PATCH", f"{API}/auth/me", json={"name": "Ada"}).json()["name"] == "Ada"
    assert admin.call("GET", f"{API}/auth/me").json()["user"]["name"] == "Ada"
    assert admin.call("PATCH", f"{API}/auth/me", json={"name": "A\nda"}).status_code == 422
    assert admin.call("PATCH", f"{API}/auth/me", json={"role": "admin"}).status_code == 422


@pytest.mark.parametrize("kind", ["access_token", "ticket"])
def test_a_ticket_of_a_session_that_has_ended_opens_nothing(app, client, admin, kind):
    signed_in = sign_in(client).json()
    settings = app.state.parts.settings
    shown = tokens.read_access_token(settings, signed_in["access_token"])
    job_id = shown.user_id  # any: the ticket is refused before
    token = signed_in["access_token"] if kind == "access_token" else tokens.ticket(settings, shown, job_id)
    client.post(f"{API}/auth/logout", json={"refresh_token": signed_in["refresh_token"]})
    with (
        client.websocket_connect(f"/ws/training/{job_id}?token={token}") as socket,
        pytest.raises(WebSocketDisconnect) as closed,
    ):
        socket.receive_json()
    assert (closed.value.code, closed.value.detail) == (1008, "Your session has ended: sign in again.")


def test_a_token_of_an_older_version_is_refused_as_expired(app, client, admin):
    settings = app.state.parts.settings
    user_id = admin.call("GET", f"{API}/auth/me").json()["user"]["id"]
    old = tokens._sign(settings, "api", {"sub": user_id}, 900)
    assert (me(client, old).status_code, me(client, old).json()["code"]) == (401, "token_expired")
