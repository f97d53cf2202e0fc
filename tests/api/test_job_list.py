"""A list of jobs is narrowed, searched and sorted by the server, and a filter that it does not know is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from sqlalchemy import select

from visionai.datasets.tables import Dataset, DatasetVersion
from visionai.identity.tables import Project, ProjectMember, User
from visionai.jobs.tables import Job

ROUTE = "/api/v1/training/jobs"
NOW = datetime.now(UTC)
BEST: list[dict[str, Any] | None] = [
    {"name": "val/accuracy", "value": 0.5, "mode": "max", "epoch": 1},
    {"name": "val/accuracy", "value": 0.9, "mode": "max", "epoch": 1},
    None,
    {"name": "val/loss", "value": 2.0, "mode": "min", "epoch": 1},
    {"name": "val/loss", "value": 0.1, "mode": "min", "epoch": 1},
]


@pytest.fixture
def bob(admin):
    """An engineer, with a project of his own and no other."""
    return admin.as_user("bob@example.org", "engineer")


@pytest.fixture
def jobs(app, client, admin, bob) -> dict[str, Any]:
    """Five of the admin's, named 0 to 4, and one of Bob's in a project of his."""
    with client.portal() as portal:
        return portal.call(_make, app.state.parts.db)


async def _make(db: Any) -> dict[str, Any]:
    async with db.write() as session:
        users = {u.email: u for u in await session.scalars(select(User))}
        ada, bob = users["admin@example.org"], users["bob@example.org"]
        theirs = Project(name="theirs", created_by=bob.id)
        session.add(theirs)
        await session.flush()
        session.add(ProjectMember(project_id=theirs.id, user_id=bob.id, role="owner"))
        mine = await session.scalar(select(ProjectMember.project_id).where(ProjectMember.user_id == ada.id))
        made = {}
        for project, owner, name in ((mine, ada, "digits"), (theirs.id, bob, "roses")):
            dataset = Dataset(project_id=project, created_by=owner.id, name=name, status="ready")
            session.add(dataset)
            await session.flush()
            version = DatasetVersion(
                dataset_id=dataset.id, project_id=project, number=1, content_hash="c", split_hash="s", image_count=2,
                task_types=["classification"], classes=[], train_count=1, val_count=1, size_bytes=2, statistics={},
                report={"faults": []}, files=[],
            )  # fmt: skip
            session.add(version)
            await session.flush()
            made[name] = (dataset.id, version.id)

        def job(name: str, number: int, owner: User, project: UUID, dataset: str, **more: Any) -> Job:
            of, version_id = made[dataset]
            return Job(
                project_id=project, created_by=owner.id, name=name, dataset_id=of, dataset_version_id=version_id,
                task_type="classification", config={}, trace_id="0" * 32, state="completed", run_seconds=10.0 * number,
                created_at=NOW - timedelta(days=5 - number), **more,
            )  # fmt: skip

        for n, best in enumerate(BEST):
            session.add(
                job(
                    f"Run 10{n}% done", n, ada, mine, "digits", best=best, framework="timm" if n < 3 else "other",
                    model_name=f"resnet{n}",
                )
            )  # fmt: skip
            await session.flush()
        session.add(job("his own", 9, bob, theirs.id, "roses", framework="secret", model_name="hidden", best=BEST[1]))
        await session.flush()
        return {"ada": ada.id, "bob": bob.id, "digits": made["digits"][0], "roses": made["roses"][0]}


def names(who: Any, **query: Any) -> list[str]:
    answer = who.call("GET", f"{ROUTE}?{urlencode(query)}")
    assert answer.status_code == 200, answer.text
    return [job["name"] for job in answer.json()["items"]]


def runs(*numbers: int) -> list[str]:
    return [f"Run 10{n}% done" for n in numbers]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "rUN"}, (4, 3, 2, 1, 0)),
        ({"q": "103%"}, (3,)),
        ({"q": "10_"}, ()),
        ({"framework": "timm"}, (2, 1, 0)),
        ({"framework": "tim"}, ()),
        ({"model_name": "resnet4", "framework": "other"}, (4,)),
        ({"created_after": (NOW - timedelta(days=2)).isoformat(), "q": "run"}, (4, 3)),
        ({"state": "failed"}, ()),
    ],
)
def test_what_is_asked_for_is_found_and_nothing_else(admin, jobs, query, found):
    assert names(admin, **query) == runs(*found)


def test_by_data_set_and_by_person(admin, jobs):
    assert names(admin, dataset_id=jobs["roses"]) == ["his own"]
    assert names(admin, created_by=jobs["ada"]) == runs(4, 3, 2, 1, 0)
    assert names(admin, created_by=jobs["ada"], dataset_id=jobs["roses"]) == []


def test_by_project(bob, admin, jobs):
    projects = {p["name"]: p["id"] for p in admin.call("GET", "/api/v1/projects").json()["items"]}
    theirs = projects.pop("theirs")
    mine = next(found for name, found in projects.items() if name != "bob's project")
    for who in (bob, admin):
        found = who.call("GET", ROUTE, params={"project_id": theirs}).json()["items"]
        assert {job["project_id"] for job in found} == {theirs}
    assert len(found) == 1, "of six"
    assert bob.call("GET", ROUTE, params={"project_id": mine}).json()["items"] == []


@pytest.mark.parametrize(
    ("order", "expected"), [("newest", (4, 3, 2, 1, 0)), ("duration", (4, 3, 2, 1, 0)), ("best", (1, 0, 4, 3, 2))]
)
def test_each_order_is_kept_over_pages_without_doubles_or_gaps(admin, jobs, order, expected):
    seen, cursor = [], None
    while True:
        query = {"sort": order, "limit": 2, "created_by": jobs["ada"], **({"cursor": cursor} if cursor else {})}
        page = admin.call("GET", f"{ROUTE}?{urlencode(query)}").json()
        seen += [job["name"] for job in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == runs(*expected)


def test_nobody_sees_what_is_not_theirs_whatever_the_filter(bob, admin, jobs):
    assert names(bob) == ["his own"]
    assert names(bob, created_by=jobs["ada"]) == []
    foreign = admin.call("GET", f"{ROUTE}?q=run").json()["items"][0]["id"]
    answer = bob.call("GET", f"{ROUTE}?sort=best&cursor={foreign}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "cursor")


def test_choices_are_those_of_the_jobs_one_can_see(bob, admin, jobs):
    mine = bob.call("GET", f"{ROUTE}/choices").json()
    assert mine == {
        "frameworks": ["secret"], "models": ["hidden"], "datasets": [{"id": str(jobs["roses"]), "name": "roses"}],
        "people": [{"id": str(jobs["bob"]), "name": "bob@example.org"}],
    }  # fmt: skip
    every = admin.call("GET", f"{ROUTE}/choices").json()
    assert every["frameworks"] == ["other", "secret", "timm"]
    assert [d["name"] for d in every["datasets"]] == ["digits", "roses"]


def test_unknown_parameters_are_named(admin):
    answer = admin.call("GET", f"{ROUTE}?framwork=timm&user=x&limit=3")
    assert answer.status_code == 422
    assert [e["field"] for e in answer.json()["errors"]] == ["framwork", "user"]
    assert "framework" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"q": ""}, "q"),
        ({"q": "x" * 201}, "q"),
        ({"q": "a\nb"}, "q"),
        ({"framework": "x" * 201}, "framework"),
        ({"model_name": "\u202e"}, "model_name"),
        ({"created_by": "me"}, "created_by"),
        ({"created_after": "2026-01-01T00:00:00"}, "created_after"),
        ({"created_after": "0001-01-01T00:00:00+14:00"}, "created_after"),
        ({"created_after": "9999-12-31T23:59:59-14:00"}, "created_after"),
        ({"sort": "worst"}, "sort"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(admin, query, field):
    answer = admin.call("GET", f"{ROUTE}?{urlencode(query)}")
    assert (answer.status_code, [e["field"] for e in answer.json()["errors"]]) == (422, [field])
