"""Invitations: who may make them, what their links open, and that mail may fail without harm."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import smtp_stand_in
import time_machine

from visionai.identity import mail

PASSWORD = "correct horse battery"
API = "/api/v1"
NOBODY = "01a20ad6-b1b8-710e-af7f-713d5e0cd98b"


def invite(who, role="engineer", **fields):
    return who.call("POST", f"{API}/invitations", json={"role": role, **fields})


def link(answer):
    assert answer.status_code == 201, answer.text
    address, _, token = answer.json()["url"].partition("#token=")
    assert address.endswith("/invitation") and answer.headers["cache-control"] == "no-store"
    return token


def accept(client, token, **fields):
    return client.post(f"{API}/auth/accept", json={"token": token, "password": PASSWORD, **fields})


def project_of(who):
    return who.call("GET", f"{API}/projects").json()["items"][0]["id"]


@pytest.fixture
def manager(admin):
    return admin.as_user("max@example.org", "manager")


@pytest.fixture
def engineer(admin):
    return admin.as_user("eve@example.org", "engineer")


def test_a_link_says_what_it_is_for_and_makes_one_account(client, admin):
    project = admin.call("POST", f"{API}/projects", json={"name": "cells"}).json()["id"]
    made = invite(admin, "viewer", email="New@example.org", project_id=project, project_role="reader")
    token = link(made)
    assert (made.json()["mailed"], made.json()["mail_error"]) == (None, None), "there is no mail server"
    shown = client.post(f"{API}/auth/invitation", json={"token": token}).json()
    assert shown == {
        "email": "new@example.org", "role": "viewer", "project": "cells", "project_role": "reader",
        "invited_by": "admin@example.org", "expires_at": made.json()["expires_at"],
    }  # fmt: skip
    session = accept(client, token, name="Nora")
    assert session.status_code == 201, session.text
    assert session.json()["user"]["role"] == "viewer"
    headers = {"Authorization": f"Bearer {session.json()['access_token']}"}
    projects = client.get(f"{API}/auth/me", headers=headers).json()["projects"]
    assert ("cells", "reader") in [(p["name"], p["role"]) for p in projects]
    assert accept(client, token, name="Again").json()["code"] == "link_invalid"
    assert admin.call("GET", f"{API}/invitations").json()["items"] == []


def test_one_without_an_address_takes_any_and_one_with_takes_no_other(client, admin):
    token = link(invite(admin))
    assert accept(client, token).json()["errors"][0]["field"] == "email"
    assert accept(client, token, email="any@example.org").json()["user"]["email"] == "any@example.org"
    token = link(invite(admin, email="ada@example.org"))
    assert accept(client, token, email="eve@example.org").json()["errors"][0]["field"] == "email"
    assert accept(client, token, email="ADA@example.org").status_code == 201


def test_admins_invite_anybody_and_managers_engineers_and_viewers(admin, manager):
    for role in ("admin", "manager", "engineer", "viewer"):
        assert invite(admin, role).status_code == 201
        assert invite(manager, role).status_code == (201 if role in {"engineer", "viewer"} else 403)
    assert invite(manager, project_id=project_of(admin)).status_code == 404, "it is not theirs to see"


def test_others_invite_into_projects_that_they_own_alone(admin, engineer):
    viewer = admin.as_user("vera@example.org", "viewer")
    own = project_of(engineer)
    assert invite(engineer).status_code == 403
    for role in ("viewer", "engineer"):
        assert invite(engineer, role, project_id=own).status_code == 201
    for role in ("manager", "admin"):
        assert invite(engineer, role, project_id=own).status_code == 403
    assert invite(engineer, project_id=project_of(admin)).status_code == 404
    assert invite(engineer, project_id=NOBODY).status_code == 404
    assert invite(viewer, project_id=project_of(viewer)).status_code == 403
    path = f"{API}/projects/{project_of(admin)}/members"
    me = engineer.call("GET", f"{API}/auth/me").json()["user"]["id"]
    admin.call("POST", path, json={"user_id": me, "role": "editor"})
    assert invite(engineer, project_id=project_of(admin)).status_code == 403


def test_a_role_in_a_project_needs_a_project(admin):
    assert invite(admin, project_role="reader").json()["errors"][0]["field"] == "project_role"


def test_each_sees_and_takes_back_what_is_theirs_to(admin, manager, engineer):
    by_admin = [invite(admin, role).json()["id"] for role in ("admin", "engineer")]
    by_engineer = invite(engineer, project_id=project_of(engineer)).json()["id"]

    def seen(who):
        return [i["id"] for i in who.call("GET", f"{API}/invitations").json()["items"]]

    assert seen(admin) == [by_engineer, *reversed(by_admin)]
    assert seen(manager) == [by_engineer, by_admin[1]]
    assert seen(engineer) == [by_engineer]
    assert manager.call("DELETE", f"{API}/invitations/{by_admin[0]}").status_code == 404
    assert engineer.call("DELETE", f"{API}/invitations/{by_admin[1]}").status_code == 404
    assert manager.call("DELETE", f"{API}/invitations/{by_engineer}").status_code == 204
    assert seen(engineer) == []


def test_they_come_in_pages_and_without_their_links(admin):
    ids = [invite(admin).json()["id"] for _ in range(3)]
    first = admin.call("GET", f"{API}/invitations", params={"limit": 2}).json()
    rest = admin.call("GET", f"{API}/invitations", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [i["id"] for i in first["items"] + rest["items"]] == ids[::-1]
    assert rest["next_cursor"] is None and "url" not in first["items"][0]


@pytest.mark.parametrize("why", ["taken back", "8 days later", "maker disabled", "maker demoted", "made up"])
def test_a_link_that_is_void(client, admin, manager, why):
    made = invite(manager)
    token = link(made)
    by = manager.call("GET", f"{API}/auth/me").json()["user"]["id"]
    later = timedelta(days=8) if why == "8 days later" else timedelta()
    match why:
        case "taken back":
            manager.call("DELETE", f"{API}/invitations/{made.json()['id']}")
        case "maker disabled":
            admin.call("PATCH", f"{API}/users/{by}", json={"disabled": True})
        case "maker demoted":
            admin.call("PATCH", f"{API}/users/{by}", json={"role": "engineer"})
        case "made up":
            token = "x" * 43
    with time_machine.travel(datetime.now(UTC) + later):
        answers = [
            client.post(f"{API}/auth/invitation", json={"token": token}), accept(client, token, email="n@example.org"),
        ]  # fmt: skip
    assert [(a.status_code, a.json()["code"]) for a in answers] == [(401, "link_invalid")] * 2


def test_who_has_an_account_joins_the_project_signed_in(client, admin, engineer):
    project = admin.call("POST", f"{API}/projects", json={"name": "cells"}).json()["id"]
    token = link(invite(admin, "viewer", email="eve@example.org", project_id=project, project_role="editor"))
    assert accept(client, token).json()["code"] == "account_exists"
    other = admin.as_user("mia@example.org", "engineer")
    assert other.call("POST", f"{API}/invitations/accept", json={"token": token}).status_code == 403
    joined = engineer.call("POST", f"{API}/invitations/accept", json={"token": token})
    assert (joined.status_code, joined.json()["name"], joined.json()["role"]) == (200, "cells", "editor")
    assert engineer.call("GET", f"{API}/auth/me").json()["user"]["role"] == "engineer", "their role is as it was"
    assert engineer.call("POST", f"{API}/invitations/accept", json={"token": token}).json()["code"] == "link_invalid"


def test_who_is_in_already_and_an_invitation_into_nothing(admin, engineer):
    token = link(invite(engineer, project_id=project_of(engineer)))
    assert engineer.call("POST", f"{API}/invitations/accept", json={"token": token}).json()["code"] == "member_exists"
    token = link(invite(admin))
    assert engineer.call("POST", f"{API}/invitations/accept", json={"token": token}).json()["code"] == "account_exists"


@pytest.mark.parametrize("email", ["a,b@example.org", "<a@example.org>", "a@x.org\nBcc: b@x.org", "a@b@c", "a b@x.org"])
def test_what_is_no_address(admin, email):
    assert invite(admin, email=email).json()["errors"][0]["field"] == "email"


@pytest.fixture
def with_mail(app):
    """Lets the app send by this server, whatever it is."""

    def use(url):
        parts = app.state.parts
        parts.settings = msgspec.structs.replace(parts.settings, smtp_url=url, smtp_from="visionai@example.org")

    return use


def test_it_is_sent_by_mail(admin, with_mail):
    with smtp_stand_in.running("takes") as server:
        with_mail(server.url)
        made = invite(admin, email="nora@example.org")
    assert (made.json()["mailed"], made.json()["mail_error"]) == (True, None)
    ((to, message),) = server.taken
    assert (to, message["From"], message["To"]) == ("nora@example.org", "visionai@example.org", "nora@example.org")
    assert made.json()["url"] in message.get_content()


@pytest.mark.parametrize("manner", ["refuses", "hangs", "wants a password", "is not there"])
def test_mail_that_fails_is_said_and_loses_nothing(client, admin, with_mail, monkeypatch, manner):
    monkeypatch.setattr(mail, "STEP_SECONDS", 0.2)
    with smtp_stand_in.running("takes" if manner == "is not there" else manner) as server:
        url = server.url
        if manner != "is not there":
            with_mail(url)
            made = invite(admin, email="nora@example.org")
    if manner == "is not there":
        with_mail(url)
        made = invite(admin, email="nora@example.org")
    assert made.json()["mailed"] is False
    assert "was not sent" in made.json()["mail_error"] and "p@ss" not in made.text
    assert accept(client, link(made)).status_code == 201


def test_nothing_is_sent_without_an_address(admin, with_mail):
    with smtp_stand_in.running("takes") as server:
        with_mail(server.url)
        assert invite(admin).json()["mailed"] is None
    assert server.taken == []
