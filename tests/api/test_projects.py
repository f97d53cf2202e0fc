"""Projects: who is in them and as what, that one owner always stays, and how an empty one goes."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import delete, update

from visionai.datasets.tables import Dataset
from visionai.db import utcnow
from visionai.errors import Conflict
from visionai.identity import projects
from visionai.identity.access import CurrentUser
from visionai.jobs.tables import Job

API = "/api/v1"
NOBODY = "01a20ad6-b1b8-710e-af7f-713d5e0cd98b"


class Cells:
    """A project of the admin's, with Eve in it."""

    def __init__(self, admin, role="editor"):
        self.admin = admin
        self.eve = admin.as_user("eve@example.org", "engineer")
        self.id = admin.call("POST", f"{API}/projects", json={"name": "cells"}).json()["id"]
        self.path = f"{API}/projects/{self.id}"
        self.eve_id, self.admin_id = (w.call("GET", f"{API}/auth/me").json()["user"]["id"] for w in (self.eve, admin))
        body = {"user_id": self.eve_id, "role": role}
        assert admin.call("POST", f"{self.path}/members", json=body).status_code == 201

    def member(self, who, method, user_id, **more):
        return who.call(method, f"{self.path}/members/{user_id}", **more)

    def roles(self):
        return {m["email"]: m["role"] for m in self.admin.call("GET", f"{self.path}/members").json()["items"]}


@pytest.fixture
def cells(admin):
    return Cells(admin)


def test_an_owner_renames_it(cells):
    assert cells.admin.call("PATCH", cells.path, json={"name": "tissue"}).json()["name"] == "tissue"
    assert cells.eve.call("PATCH", cells.path, json={"name": "mine"}).status_code == 403
    assert cells.admin.call("PATCH", cells.path, json={"name": "a\nb"}).status_code == 422
    stranger = cells.admin.as_user("sam@example.org", "manager")
    assert stranger.call("PATCH", cells.path, json={"name": "mine"}).status_code == 404
    assert stranger.call("DELETE", cells.path).status_code == 404


def test_an_owner_changes_the_role_of_a_member(cells):
    assert cells.member(cells.admin, "PATCH", cells.eve_id, json={"role": "reader"}).json()["role"] == "reader"
    assert cells.member(cells.eve, "PATCH", cells.eve_id, json={"role": "owner"}).status_code == 403
    assert cells.member(cells.admin, "PATCH", NOBODY, json={"role": "owner"}).status_code == 404
    assert cells.roles() == {"admin@example.org": "owner", "eve@example.org": "reader"}


def test_a_member_leaves_and_takes_nobody_along(cells):
    assert cells.member(cells.eve, "DELETE", cells.admin_id).status_code == 403
    assert cells.member(cells.eve, "DELETE", cells.eve_id).status_code == 204
    assert cells.eve.call("GET", f"{cells.path}/members").status_code == 404, "at once"
    assert cells.member(cells.eve, "DELETE", cells.eve_id).status_code == 404


def test_an_owner_takes_a_member_out(cells):
    assert cells.member(cells.admin, "DELETE", cells.eve_id).status_code == 204
    assert cells.member(cells.admin, "DELETE", cells.eve_id).status_code == 404
    assert cells.roles() == {"admin@example.org": "owner"}


def test_the_last_owner_stays_one_until_there_is_another(cells):
    for answer in (
        cells.member(cells.admin, "DELETE", cells.admin_id),
        cells.member(cells.admin, "PATCH", cells.admin_id, json={"role": "editor"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "last_owner")
    assert cells.member(cells.admin, "PATCH", cells.admin_id, json={"role": "owner"}).status_code == 200
    cells.member(cells.admin, "PATCH", cells.eve_id, json={"role": "owner"})
    assert cells.member(cells.eve, "DELETE", cells.admin_id).status_code == 204
    assert cells.member(cells.eve, "DELETE", cells.eve_id).json()["code"] == "last_owner"


def test_of_two_owners_who_leave_at_once_one_stays(app, client, admin):
    cells = Cells(admin, role="owner")

    async def leave(user_id):
        user = CurrentUser(UUID(user_id), "", "", "engineer")
        async with app.state.parts.db.write() as session:
            await projects.remove_member(session, user, UUID(cells.id), user.id)

    async def both():
        return await asyncio.gather(leave(cells.eve_id), leave(cells.admin_id), return_exceptions=True)

    with client.portal() as portal:
        gone, stayed = portal.call(both)
    assert gone is None and isinstance(stayed, Conflict) and stayed.code == "last_owner"


def test_an_empty_project_goes_with_its_conversations_and_invitations(cells):
    said = cells.eve.call("POST", f"{API}/chat/message", json={"content": "hello", "project_id": cells.id})
    assert said.status_code == 200, said.text
    cells.admin.call("POST", f"{API}/invitations", json={"role": "viewer", "project_id": cells.id})
    assert cells.eve.call("DELETE", cells.path).status_code == 403
    assert cells.admin.call("DELETE", cells.path).status_code == 204
    assert cells.admin.call("GET", f"{cells.path}/members").status_code == 404
    assert cells.admin.call("GET", f"{API}/invitations").json()["items"] == []
    assert "cells" not in [p["name"] for p in cells.eve.call("GET", f"{API}/projects").json()["items"]]


def test_one_that_holds_something_says_what_and_one_that_is_being_freed_waits(app, client, admin, add_job):
    job = add_job("completed")
    path = f"{API}/projects/{job.project_id}"
    full = admin.call("DELETE", path)
    assert (full.status_code, full.json()["code"]) == (409, "project_not_empty")
    assert full.json()["detail"] == "The project holds 1 data set and 1 training: delete them first."

    async def change(*statements):
        async with app.state.parts.db.write() as session:
            for statement in statements:
                await session.execute(statement)

    hidden = [update(table).values(deleted_at=utcnow()) for table in (Dataset, Job)]
    with client.portal() as portal:
        portal.call(change, *hidden)
        assert "still being freed" in admin.call("DELETE", path).json()["detail"]
        portal.call(change, delete(Job), update(Dataset).values(freed_at=utcnow()))
    assert admin.call("DELETE", path).status_code == 204
    assert admin.call("GET", f"{API}/projects").json()["items"] == []


def test_the_list_says_how_much_is_in_each(cells, add_job):
    deleted = add_job("completed")
    add_job("failed")
    assert cells.admin.call("DELETE", f"{API}/training/jobs/{deleted.id}").status_code == 204
    counts = {p["name"]: [p[k] for k in ("datasets", "trainings", "members")] for p in listed(cells.admin)}
    assert counts["cells"] == [0, 0, 2]
    assert [2, 1, 1] in counts.values(), "the admin's own, whose deleted training counts no longer"
    assert [p["name"] for p in listed(cells.eve)] == ["eve's project", "cells"], "others' are not listed"


@pytest.mark.parametrize("where", ["projects", "auth/me"])
def test_of_a_viewer_it_says_that_they_read_whatever_the_project_calls_them(cells, where):
    path = f"{API}/users/{cells.eve_id}"
    assert cells.member(cells.admin, "PATCH", cells.eve_id, json={"role": "owner"}).status_code == 200
    assert mine(cells.eve, where) == {"eve's project": "owner", "cells": "owner"}
    assert cells.admin.call("PATCH", path, json={"role": "viewer"}).status_code == 200
    assert mine(cells.eve, where) == {"eve's project": "reader", "cells": "reader"}


def test_an_admins_list_begins_with_the_one_where_things_go_by_default(cells):
    other = cells.admin.as_user("other@example.org", "admin")
    assert next(p["name"] for p in listed(other)) == "other's project"
    assert len(listed(other)) == len(listed(cells.admin)), "and has all"


def listed(who):
    return who.call("GET", f"{API}/projects").json()["items"]


def mine(who, where):
    found = who.call("GET", f"{API}/{where}").json()
    return {project["name"]: project["role"] for project in found.get("items", found.get("projects"))}
