"""A creation that is sent again creates nothing more."""

from __future__ import annotations

import pytest


def post(api, path, body, key="3f1c"):
    return api.client.post(path, json=body, headers={"Authorization": f"Bearer {api.token}", "Idempotency-Key": key})


def test_a_repeat_gets_the_first_answer(admin):
    first = post(admin, "/api/v1/projects", {"name": "bees"})
    again = post(admin, "/api/v1/projects", {"name": "bees"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    names = [p["name"] for p in admin.call("GET", "/api/v1/projects").json()["items"]]
    assert names.count("bees") == 1


def test_another_key_or_none_creates_another(admin):
    ids = {post(admin, "/api/v1/projects", {"name": "bees"}, key=k).json()["id"] for k in ("a", "b")}
    ids |= {admin.call("POST", "/api/v1/projects", json={"name": "bees"}).json()["id"] for _ in range(2)}
    assert len(ids) == 4


def test_the_same_key_for_something_else_is_refused(admin):
    post(admin, "/api/v1/projects", {"name": "bees"})
    answer = post(admin, "/api/v1/projects", {"name": "wasps"})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


def test_what_was_refused_may_be_sent_again_with_the_same_key(admin):
    assert post(admin, "/api/v1/projects", {"name": ""}).status_code == 422
    assert post(admin, "/api/v1/projects", {"name": "bees"}).status_code == 201


def test_keys_are_everybodys_own(admin):
    other = admin.as_user("bob@example.org", "engineer")
    mine, theirs = (post(api, "/api/v1/projects", {"name": "bees"}).json() for api in (admin, other))
    assert mine["id"] != theirs["id"]


@pytest.mark.parametrize("key", ["", "x" * 256, "ä"])
def test_a_key_that_is_no_key_is_refused(admin, key):
    headers = {"Authorization": f"Bearer {admin.token}", "Idempotency-Key": key.encode()}
    answer = admin.client.post("/api/v1/projects", json={"name": "bees"}, headers=headers)
    assert answer.status_code == 422


def test_a_user_and_a_data_set_are_made_once(admin):
    body = {"email": "eve@example.org", "password": "correct horse battery"}
    first, again = (post(admin, "/api/v1/users", body) for _ in range(2))
    assert (first.status_code, again.json()) == (201, first.json())
    headers = {"Authorization": f"Bearer {admin.token}", "Idempotency-Key": "upload"}
    sent = [
        admin.client.post("/api/v1/datasets/upload", files={"file": ("a.zip", b"no archive")}, headers=headers)
        for _ in range(2)
    ]
    assert [a.status_code for a in sent] == [202, 202]
    assert sent[0].json() == sent[1].json()
    assert len(admin.call("GET", "/api/v1/datasets").json()["items"]) == 1
