"""Setting up, signing in, refreshing, signing out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

PASSWORD = "correct horse battery"
SETUP = {"email": "ada@example.org", "password": PASSWORD}
LOGIN = {"email": "admin@example.org", "password": PASSWORD}


def test_the_first_account_is_an_admin_with_a_project_and_the_link_works_once(client, setup_token):
    assert client.get("/api/v1/auth/setup").json() == {"needed": True}
    made = client.post("/api/v1/auth/setup", json={"token": setup_token, **SETUP})
    assert made.status_code == 201
    me = client.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {made.json()['access_token']}"}).json()
    assert me["user"]["role"] == "admin"
    assert [p["role"] for p in me["projects"]] == ["owner"]
    assert client.get("/api/v1/auth/setup").json() == {"needed": False}
    again = client.post("/api/v1/auth/setup", json={"token": setup_token, **SETUP})
    assert (again.status_code, again.json()["code"]) == (409, "setup_done")


def test_a_wrong_set_up_token_makes_nothing(client, setup_token):
    for password in (
        SETUP["password"],
        "password12",
    ):  # without the link nobody has a password judged, which takes long
        body = {**SETUP, "token": "x" + setup_token, "password": password}
        assert client.post("/api/v1/auth/setup", json=body).status_code == 401
    assert client.get("/api/v1/auth/setup").json() == {"needed": True}


@pytest.mark.parametrize(
    "wrong", [{"email": "admin@example.org", "password": "no"}, {"email": "eve@x.org", "password": PASSWORD}]
)
def test_a_wrong_password_and_an_unknown_address_are_answered_alike(client, admin, wrong):
    answer = client.post("/api/v1/auth/login", json=wrong)
    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_credentials")


def refreshed(client, token):
    return client.post("/api/v1/auth/refresh", json={"refresh_token": token})


def test_a_refresh_token_works_once_and_its_reuse_ends_the_session(client, admin):
    first = client.post("/api/v1/auth/login", json=LOGIN).json()["refresh_token"]
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        second = refreshed(client, first).json()
        clock.shift(10.1)
        assert refreshed(client, first).status_code == 401, "it was used"
        assert refreshed(client, second["refresh_token"]).status_code == 401, "its session has ended"
        headers = {"Authorization": f"Bearer {second['access_token']}"}
        assert client.get("/api/v1/auth/me", headers=headers).json()["code"] == "session_ended"


def test_two_tabs_and_a_lost_answer_go_on_in_the_same_session(client, admin):
    first = client.post("/api/v1/auth/login", json=LOGIN).json()["refresh_token"]
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        one = refreshed(client, first).json()["refresh_token"]
        clock.shift(9.9)
        other = refreshed(client, first).json()["refresh_token"]
        clock.shift(60)
        assert refreshed(client, one).status_code == refreshed(client, other).status_code == 200
    assert len(admin.call("GET", "/api/v1/auth/sessions").json()["items"]) == 2, "that of the set-up, and this one"


def test_the_grace_runs_from_the_first_use_and_is_not_prolonged(client, admin):
    first = client.post("/api/v1/auth/login", json=LOGIN).json()["refresh_token"]
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        for seconds in (0, 6):
            clock.shift(seconds)
            assert refreshed(client, first).status_code == 200
        clock.shift(6)
        assert refreshed(client, first).status_code == 401


def test_a_session_that_is_not_used_ends(client, admin):
    first = client.post("/api/v1/auth/login", json=LOGIN).json()["refresh_token"]
    with time_machine.travel(datetime.now(UTC) + timedelta(days=31)):
        assert refreshed(client, first).json()["code"] == "session_ended"


def test_a_browser_gets_the_refresh_token_in_a_cookie_no_script_can_read(client, admin):
    answer = client.post("/api/v1/auth/login", json={**LOGIN, "cookie": True})
    assert answer.json()["refresh_token"] is None
    cookie = answer.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=strict", "path=/api/v1/auth"))
    assert client.post("/api/v1/auth/refresh", json={}).status_code == 200
    assert client.post("/api/v1/auth/logout", json={}).status_code == 204
    assert client.post("/api/v1/auth/refresh", json={}).status_code == 401


@pytest.mark.parametrize("token", ["", "x", "Bearer", "a.b.c"])
def test_a_made_up_token_is_refused(client, token):
    answer = client.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert "www-authenticate" in answer.headers


def test_members_see_the_project_they_were_added_to(admin):
    editor = admin.as_user("ed@example.org", "engineer")
    me = editor.call("GET", "/api/v1/auth/me")
    assert me.status_code == 200, me.text
    user_id = me.json()["user"]["id"]
    project = admin.call("POST", "/api/v1/projects", json={"name": "cells"}).json()
    path = f"/api/v1/projects/{project['id']}/members"
    assert admin.call("POST", path, json={"user_id": user_id, "role": "editor"}).status_code == 201
    assert admin.call("POST", path, json={"user_id": user_id, "role": "editor"}).json()["code"] == "member_exists"
    assert "cells" in [p["name"] for p in editor.call("GET", "/api/v1/projects").json()["items"]]
    assert editor.call("POST", path, json={"user_id": user_id, "role": "owner"}).status_code == 403
