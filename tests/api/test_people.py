"""Looking after people: who may change whom, and that it takes effect at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import time_machine
from litestar.exceptions import WebSocketDisconnect

from visionai.errors import Conflict
from visionai.identity import people
from visionai.identity.access import CurrentUser

PASSWORD = "correct horse battery"
NEW = "a walrus in galoshes"
API = "/api/v1"


def user_id(who):
    return who.call("GET", f"{API}/auth/me").json()["user"]["id"]


def change(who, whom, **fields):
    return who.call("PATCH", f"{API}/users/{user_id(whom)}", json=fields)


@pytest.fixture
def manager(admin):
    return admin.as_user("max@example.org", "manager")


@pytest.fixture
def engineer(admin):
    return admin.as_user("eve@example.org", "engineer")


def test_users_come_in_pages_for_admins_and_managers(admin, manager, engineer):
    first = manager.call("GET", f"{API}/users", params={"limit": 2}).json()
    rest = admin.call("GET", f"{API}/users", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [u["email"] for u in first["items"] + rest["items"]] == [
        "admin@example.org", "max@example.org", "eve@example.org",
    ]  # fmt: skip
    assert rest["next_cursor"] is None
    assert engineer.call("GET", f"{API}/users").status_code == 403


def test_an_admin_changes_name_and_role(admin, engineer):
    changed = change(admin, engineer, name="Eve", role="manager").json()
    assert (changed["name"], changed["role"]) == ("Eve", "manager")
    assert engineer.call("GET", f"{API}/users").status_code == 200, "the role holds at once"
    assert change(admin, engineer).json() == changed, "nothing said, nothing changed"


def test_a_manager_changes_engineers_and_viewers_and_makes_nothing_higher_of_them(admin, manager, engineer):
    other = admin.as_user("mia@example.org", "manager")
    assert change(manager, engineer, role="viewer", name="V").status_code == 200
    assert change(manager, engineer, role="engineer").status_code == 200
    assert change(manager, engineer, role="manager").status_code == 403
    assert change(manager, engineer, role="admin").status_code == 403
    for above in (admin, other):
        assert change(manager, above, name="x").status_code == 403
        assert change(manager, above, disabled=True).status_code == 403
        assert manager.call("POST", f"{API}/users/{user_id(above)}/reset").status_code == 403
    new = {"email": "new@example.org", "password": PASSWORD}
    assert manager.call("POST", f"{API}/users", json=new).status_code == 403


def test_others_change_nobody(admin, engineer):
    viewer = admin.as_user("vera@example.org", "viewer")
    assert change(engineer, viewer, name="x").status_code == 403
    assert change(engineer, engineer, role="admin").status_code == 403
    assert engineer.call("POST", f"{API}/users/{user_id(viewer)}/reset").status_code == 403


@pytest.mark.parametrize("fields", [{"role": "viewer"}, {"disabled": True}])
def test_nobody_changes_their_own_role_or_disables_themselves(admin, manager, fields):
    for who in (admin, manager):
        assert change(who, who, **fields).status_code == 403
    assert change(admin, admin, **fields).json()["code"] == "yourself"
    assert change(admin, admin, name="Ada", role="admin", disabled=False).status_code == 200, "nothing of that is new"


def test_of_two_admins_who_take_each_other_away_at_once_one_stays(app, client, admin):
    other = admin.as_user("ada@example.org", "admin")
    ids = [UUID(user_id(who)) for who in (admin, other)]
    both = [CurrentUser(i, "", "", "admin") for i in ids]
    db = app.state.parts.db

    async def take(who, whom, what):
        async with db.write() as session:
            await people.change(session, who, whom, what)

    async def race():
        off, down = people.Change(disabled=True), people.Change(role="viewer")
        return await asyncio.gather(
            take(both[0], ids[1], off), take(both[1], ids[0], down), return_exceptions=True
        )  # fmt: skip

    with client.portal() as portal:
        done, refused = sorted(portal.call(race), key=lambda r: r is not None)
    assert done is None and isinstance(refused, Conflict) and refused.code == "last_admin"


def test_who_is_disabled_is_out_at_once_and_back_with_a_new_sign_in(client, admin, engineer):
    token = engineer.call("POST", f"{API}/tokens", json={"name": "ci"}).json()["token"]
    ci = {"Authorization": f"Bearer {token}"}
    whom = user_id(engineer)
    answer = admin.call("PATCH", f"{API}/users/{whom}", json={"disabled": True})
    assert answer.json()["disabled"] is True
    login = {"email": "eve@example.org", "password": PASSWORD}
    assert engineer.call("GET", f"{API}/auth/me").status_code == 401
    assert client.get(f"{API}/auth/me", headers=ci).json()["code"] == "account_disabled"
    assert client.post(f"{API}/auth/login", json=login).json()["code"] == "account_disabled"
    wrong = client.post(f"{API}/auth/login", json={**login, "password": "wrong"})
    assert wrong.json()["code"] == "wrong_credentials", "that it is disabled is for who knows the password"
    admin.call("PATCH", f"{API}/users/{whom}", json={"disabled": False})
    assert engineer.call("GET", f"{API}/auth/me").json()["code"] == "session_ended"
    assert client.get(f"{API}/auth/me", headers=ci).status_code == 200
    assert client.post(f"{API}/auth/login", json=login).status_code == 200


def test_a_link_sets_a_new_password_once_and_signs_in(client, admin, engineer):
    made = admin.call("POST", f"{API}/users/{user_id(engineer)}/reset")
    assert made.status_code == 201 and made.headers["cache-control"] == "no-store"
    address, _, token = made.json()["url"].partition("#token=")
    assert address.endswith("/reset")
    answer = client.post(f"{API}/auth/reset", json={"token": token, "password": NEW})
    assert answer.status_code == 200, answer.text
    assert answer.json()["user"]["email"] == "eve@example.org"
    assert engineer.call("GET", f"{API}/auth/me").json()["code"] == "session_ended"
    again = client.post(f"{API}/auth/reset", json={"token": token, "password": NEW})
    assert (again.status_code, again.json()["code"]) == (401, "link_invalid")


def link(who, whom_id):
    return who.call("POST", f"{API}/users/{whom_id}/reset").json()["url"].partition("#token=")[2]


@pytest.mark.parametrize("why", ["a newer one", "a day later", "disabled", "promoted", "password changed", "made up"])
def test_a_link_that_is_void(client, admin, engineer, why):
    whom = user_id(engineer)
    token = link(admin, whom)
    later = timedelta(hours=24, seconds=1) if why == "a day later" else timedelta()
    match why:
        case "a newer one":
            link(admin, whom)
        case "disabled":
            change(admin, engineer, disabled=True)
        case "promoted":
            change(admin, engineer, role="admin")
        case "password changed":
            engineer.call("POST", f"{API}/auth/password", json={"current": PASSWORD, "new": NEW})
        case "made up":
            token = "x" * 43
    with time_machine.travel(datetime.now(UTC) + later):
        answer = client.post(f"{API}/auth/reset", json={"token": token, "password": NEW})
    assert (answer.status_code, answer.json()["code"]) == (401, "link_invalid")


def test_a_weak_password_leaves_the_link_as_it_is(client, admin, engineer):
    token = link(admin, user_id(engineer))
    assert client.post(f"{API}/auth/reset", json={"token": token, "password": "1234567890"}).status_code == 422
    assert client.post(f"{API}/auth/reset", json={"token": token, "password": NEW}).status_code == 200


def test_there_is_no_link_for_who_is_disabled_or_not_there(admin, engineer):
    whom = user_id(engineer)
    change(admin, engineer, disabled=True)
    assert admin.call("POST", f"{API}/users/{whom}/reset").json()["code"] == "account_disabled"
    nobody = "01a20ad6-b1b8-710e-af7f-713d5e0cd98b"
    assert admin.call("POST", f"{API}/users/{nobody}/reset").status_code == 404
    assert admin.call("PATCH", f"{API}/users/{nobody}", json={}).status_code == 404


@pytest.mark.parametrize("how", ["disabled", "signed out", "out of the project"])
def test_open_sockets_of_who_may_look_no_longer_are_closed(app, client, admin, engineer, add_job, how):
    running_job = add_job("running")
    path = f"{API}/projects/{running_job.project_id}/members"
    whom = user_id(engineer)
    assert admin.call("POST", path, json={"user_id": whom, "role": "reader"}).status_code == 201
    ticket = engineer.call("POST", f"{API}/auth/ticket", json={"job_id": str(running_job.id)}).json()["token"]
    with client.websocket_connect(f"/ws/training/{running_job.id}?token={ticket}") as socket:
        assert socket.receive_json()["type"] in {"log", "sync"}
        match how:
            case "disabled":
                change(admin, engineer, disabled=True)
            case "signed out":
                engineer.call("POST", f"{API}/auth/logout-everywhere")
            case "out of the project":
                assert admin.call("DELETE", f"{path}/{whom}").status_code == 204
        with client.portal() as portal:
            portal.call(app.state.streams.look)
        with pytest.raises(WebSocketDisconnect) as closed:
            while True:
                socket.receive_json()
    assert closed.value.code == 1008
