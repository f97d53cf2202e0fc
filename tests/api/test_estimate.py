"""Asking how long a training would take: for whom may start it, with what starts it, and nothing is started."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import select

from visionai.datasets.tables import Dataset, DatasetVersion
from visionai.frameworks import Framework
from visionai.identity.tables import ProjectMember, User
from visionai.jobs.tables import Job
from visionai.trainers.contract import Manifest, ModelEntry, Objective

ROUTE = "/api/v1/training/jobs/estimate"
MANIFEST = Manifest(
    framework="timm", version="1", tasks=["classification"], models=[ModelEntry("m", ["classification"])],
    schema={
        "type": "object", "additionalProperties": False, "required": ["epochs"],
        "properties": {"epochs": {"type": "integer", "minimum": 1}},
    },
    presets={}, primary_metrics={"classification": Objective("val/accuracy", "max")}, capabilities=[],
    catalogue="complete",
)  # fmt: skip


@pytest.fixture
def body(app, client, admin, job_id, monkeypatch) -> dict[str, object]:
    """What starts a training on the admin's data set."""
    monkeypatch.setattr(app.state.parts.frameworks, "get", lambda name: Framework("timm", "ready", "", MANIFEST))

    async def ready() -> str:
        async with app.state.parts.db.write() as session:
            job = await session.get_one(Job, job_id)
            dataset = await session.get_one(Dataset, job.dataset_id)
            dataset.current_version_id = job.dataset_version_id
            version = await session.get_one(DatasetVersion, job.dataset_version_id)
            version.train_count, version.val_count = 8, 2
            return str(dataset.id)

    with client.portal() as portal:
        dataset_id = portal.call(ready)
    given = {"task_type": "classification", "framework": "timm", "model_name": "m", "config": {"epochs": 3}}
    return {"dataset_id": dataset_id, **given}


def jobs(api) -> int:
    return len(api.call("GET", "/api/v1/training/jobs").json()["items"])


def test_it_answers_and_starts_nothing(admin, body):
    before = jobs(admin)
    answer = admin.call("POST", ROUTE, json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"seconds": None, "based_on": None, "starts_in_seconds": 0.0, "will_be_stopped": False}
    assert jobs(admin) == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"config": {"epochs": 0}}, {"config": {}}, {"config": {"epoch": 3}}, {"model_name": "none"}, {"surplus": 1},
        {"dataset_id": str(uuid4())}, {"policy": {"time_limit_seconds": 1}}, {"task_type": "pose", "config": {"x": 1}},
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_as_when_starting_it(admin, body, wrong):
    asked, started = (admin.call("POST", route, json=body | wrong) for route in (ROUTE, "/api/v1/training/jobs"))
    assert asked.status_code == started.status_code == 422
    assert asked.json()["errors"] == started.json()["errors"] != []


def test_who_may_not_start_it_may_not_ask(app, client, admin, body):
    stranger = admin.as_user("eve@example.org", "engineer")
    assert stranger.call("POST", ROUTE, json=body).status_code == 422, "for strangers there is no such data set"
    reader = admin.as_user("bob@example.org", "engineer")

    async def let_in() -> None:
        async with app.state.parts.db.write() as session:
            user = await session.scalar(select(User).where(User.email == "bob@example.org"))
            project = await session.scalar(select(Job.project_id))
            session.add(ProjectMember(project_id=project, user_id=user.id, role="reader"))

    with client.portal() as portal:
        portal.call(let_in)
    assert reader.call("POST", ROUTE, json=body).status_code == 403


def test_the_document_says_that_repeating_needs_no_body_and_where_numbers_begin(client):
    document = client.get("/api/v1/openapi.json").json()
    for what in ("retry", "resume"):
        assert document["paths"][f"/api/v1/training/jobs/{{job_id}}/{what}"]["post"]["requestBody"]["required"] is False
    assert document["paths"]["/api/v1/training/jobs"]["post"]["requestBody"]["required"] is True
    shapes = document["components"]["schemas"]
    for name, field in (("Policy", "max_retries"), ("PolicyChange", "max_retries"), ("Heartbeat", "seq")):
        assert shapes[name]["properties"][field]["minimum"] == 0, (name, field)
    (epoch,) = [
        each
        for each in document["paths"]["/api/v1/training/jobs/{job_id}/validation"]["get"]["parameters"]
        if each["name"] == "epoch"
    ]
    assert epoch["schema"]["minimum"] == 0
