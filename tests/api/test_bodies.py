"""A wrong body is answered with all that is wrong in it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visionai import names
from visionai.api import shapes
from visionai.api.bodies import wrong_fields
from visionai.identity import tokens
from visionai.trainers import contract

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 300) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
JSON_TYPE = {"Content-Type": "application/json; charset=utf-8"}
HEARTBEAT = {"seq": 1, "epoch": 1, "progress": 1.0, "metrics": {"loss": 1.0}, "system": {"cpu": 1.0}}
VALIDATION = {
    "epoch": 1, "primary_metric": {"name": "val/accuracy", "value": 0.5, "mode": "max"}, "metrics": {},
    "per_class": [{"class": "a", "precision": 1.0, "recall": 1.0, "ap": 1.0, "support": 3}],
}  # fmt: skip


def test_every_wrong_and_missing_and_unknown_field_is_named(client):
    answer = client.post("/api/v1/auth/setup", json={"email": "x", "password": 5, "emial": "y"})
    assert answer.status_code == 422
    assert {e["field"] for e in answer.json()["errors"]} == {"token", "email", "password", "emial"}


def test_a_misspelt_optional_field_is_not_ignored(admin):
    body = {"dataset_id": str(uuid4()), "task_type": "classification", "framework": "timm", "model_name": "m"}
    answer = admin.call("POST", "/api/v1/training/jobs", json=body | {"dataset_versoin": str(uuid4())})
    assert answer.status_code == 422
    assert [e["field"] for e in answer.json()["errors"]] == ["dataset_versoin"]
    assert "dataset_version" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("content", [b"{", b"\xff", b'{"a": NaN}'])
def test_what_is_no_json_is_refused_in_words(client, content):
    answer = client.post("/api/v1/auth/login", content=content, headers=JSON_TYPE)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "body"


@pytest.mark.parametrize(
    "wrong",
    [
        {"seq": 1.0}, {"seq": "1"}, {"epoch": "1"}, {"epoch": 1.0}, {"progress": "1"}, {"progress": True},
        {"metrics": {"loss": "1"}}, {"timestamp": 5}, {"eta_seconds": "1e3"},
    ],
    ids=str,
)  # fmt: skip
def test_a_number_of_another_type_is_refused_in_a_body(app, client, wrong):
    job_id = uuid4()
    token = tokens.callback_token(app.state.parts.settings, job_id, 1)
    answer = client.post(
        f"/v1/jobs/{job_id}/heartbeat",
        json={"epoch": 1, "progress": 1, **wrong},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 422, answer.text
    assert [e["field"].partition(".")[0] for e in answer.json()["errors"]] == [*wrong]


UNFIT = ["a\0b", "a\nb", "a\n", "\r", "\x1b[31mred", "a\x7f", "evil\u202egpj.exe", "\u2066x", "a\u200bb", "\u2028"]


@pytest.mark.parametrize("name", UNFIT, ids=ascii)
def test_a_name_that_cannot_be_read_as_it_was_written_is_refused(admin, name):
    job = {"dataset_id": str(uuid4()), "task_type": "classification", "framework": "timm", "model_name": "m"}
    person = {"email": "x@example.org", "password": "correct horse battery"}
    for path, body in (("projects", {}), ("users", person), ("training/jobs", job)):
        answer = admin.call("POST", f"/api/v1/{path}", json=body | {"name": name})
        assert answer.status_code == 422, (path, answer.text)
        assert {"field": "name", "message": names.SAYS} in answer.json()["errors"]
    answer = admin.call("POST", "/api/v1/users", json=person | {"email": f"a{name}@example.org"})
    assert [e["field"] for e in answer.json()["errors"]] == ["email"]


@pytest.mark.parametrize("name", ["세포 사진", "Zellen (Größe 2)", "👩‍🔬 cells", "خلايا", "a　b", "x" * 200])
def test_a_name_may_be_of_any_script(admin, name):
    answer = admin.call("POST", "/api/v1/projects", json={"name": name})
    assert (answer.status_code, answer.json()["name"]) == (201, name)


@given(st.text(max_size=250))
def test_a_cleaned_name_may_be_used(name):
    assert names.fault(names.cleaned(name)) is None
    assert names.fault(name) is not None or names.cleaned(name) == name.strip()


@pytest.mark.parametrize("cookie", ["true", 1])
def test_nor_is_a_text_or_a_number_a_yes(client, admin, cookie):
    body = {"email": "admin@example.org", "password": "correct horse battery", "cookie": cookie}
    answer = client.post("/api/v1/auth/login", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "cookie")


def test_in_a_query_everything_is_text_and_is_read_as_what_it_means(admin):
    assert admin.call("GET", "/api/v1/training/jobs?limit=3").status_code == 200


def test_a_body_that_is_missing_misses_every_field(client):
    answer = client.post("/api/v1/auth/login")
    assert answer.status_code == 422
    assert [e["field"] for e in answer.json()["errors"]] == ["email", "password"]


def test_query_parameters_are_named_too(admin):
    answer = admin.call("GET", "/api/v1/training/jobs?limit=0&cursor=x")
    assert answer.status_code == 422
    assert {e["field"] for e in answer.json()["errors"]} == {"limit", "cursor"}


class Inner(msgspec.Struct):
    n: Annotated[int, msgspec.Meta(ge=0)]


class Outer(msgspec.Struct):
    one: Inner
    many: list[Inner]
    maybe: Inner | None = None
    numbers: dict[str, list[int]] = {}


def test_fields_are_named_by_their_whole_path():
    wrong = wrong_fields(
        Outer, {"one": {"n": -1}, "many": [{"n": 1}, {}], "maybe": {"n": "x"}, "numbers": {"a": [1, "b"]}}
    )
    assert [e.field for e in wrong] == ["one.n", "many.1.n", "maybe.n", "numbers.1"]


@given(data=st.data())
@pytest.mark.parametrize(
    ("kind", "good"),
    [
        (shapes.NewJob, {"dataset_id": str(uuid4()), "task_type": "pose", "framework": "f", "model_name": "m"}),
        (contract.Heartbeat, HEARTBEAT),
        (contract.Validation, VALIDATION),
    ],
)
def test_a_body_is_found_wrong_exactly_if_it_is_refused(kind: Any, good: dict[str, Any], data: st.DataObject):
    """``wrong_fields`` is asked only after a refusal; it must then never come back empty-handed."""
    names = [*(f.encode_name for f in msgspec.structs.fields(kind)), "unknown"]
    body = good | data.draw(st.dictionaries(st.sampled_from(names), JSON, max_size=3))
    for name in data.draw(st.lists(st.sampled_from(names), max_size=2)):
        body.pop(name, None)
    try:
        msgspec.convert(body, kind)
    except msgspec.ValidationError:
        assert wrong_fields(kind, body) != []
    else:
        assert wrong_fields(kind, body) == []


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"email": "\xff", "password": "x"}'])
def test_hostile_json_is_refused_and_not_a_fault_of_the_server(client, content):
    answer = client.post("/api/v1/auth/login", content=content, headers=JSON_TYPE)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body")


def test_a_jobs_policy_is_checked_field_by_field(admin):
    body = {"dataset_id": str(uuid4()), "task_type": "classification", "framework": "timm", "model_name": "m"}
    policy = {"keep_every": 0, "time_limit_seconds": 5, "silence_seconds": 1, "max_retries": -1, "time_limit": 60}
    answer = admin.call("POST", "/api/v1/training/jobs", json=body | {"policy": policy})
    assert answer.status_code == 422
    said = {e["field"]: e["message"] for e in answer.json()["errors"]}
    assert said.keys() == {f"policy.{name}" for name in policy}
    assert said["policy.time_limit_seconds"] == "must be at least 60"


def test_a_value_that_is_none_of_those_there_are_is_told_which_there_are(admin):
    answer = admin.call("POST", "/api/v1/users", json={"email": "a@b.example", "password": "x" * 20, "role": "user"})
    assert answer.json()["errors"] == [
        {"field": "role", "message": "must be one of: admin, manager, engineer, viewer"}
    ]  # fmt: skip
