"""The whole app in this process, with an admin signed in."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient
from sqlalchemy import select

from visionai.app import create_app
from visionai.datasets.tables import Dataset, DatasetVersion
from visionai.db import utcnow
from visionai.identity.accounts import new_setup_token
from visionai.identity.tables import Project
from visionai.jobs import events
from visionai.jobs.tables import Job
from visionai.settings import Settings

sys.path.insert(0, str(Path(__file__).parent))  # smtp_stand_in.py and everybody.py, beside the tests
sys.path.append(str(Path(__file__).parents[1] / "jobs"))  # jobs_world.py

PASSWORD = "correct horse battery"


class Api(msgspec.Struct):
    """Requests as one user; ``as_user`` makes another."""

    client: TestClient[Litestar]
    token: str

    def call(self, method: str, path: str, **more: Any) -> Any:
        return self.client.request(method, path, headers={"Authorization": f"Bearer {self.token}"}, **more)

    def as_user(self, email: str, role: str) -> Api:
        body = {"email": email, "password": PASSWORD, "role": role}
        assert self.call("POST", "/api/v1/users", json=body).status_code == 201
        answer = self.client.post("/api/v1/auth/login", json={"email": email, "password": PASSWORD})
        return Api(self.client, answer.json()["access_token"])


class AddJob(Protocol):
    def __call__(self, state: str) -> Job: ...


@pytest.fixture
def app(tmp_path: Path) -> Litestar:
    return create_app(Settings(data_dir=tmp_path, jwt_secret="s" * 40, storage_type="local"), {})


@pytest.fixture
def client(app: Litestar) -> Iterator[TestClient[Litestar]]:
    with TestClient(app) as client:
        yield client


@pytest.fixture
def setup_token(app: Litestar, client: TestClient[Litestar]) -> str:
    with client.portal() as portal:
        token = portal.call(new_setup_token, app.state.parts.db)
    assert token is not None
    return token


@pytest.fixture
def admin(client: TestClient[Litestar], setup_token: str) -> Api:
    body = {"token": setup_token, "email": "Admin@example.org", "password": PASSWORD}
    answer = client.post("/api/v1/auth/setup", json=body)
    assert answer.status_code == 201, answer.text
    return Api(client, answer.json()["access_token"])


@pytest.fixture
def add_job(app: Litestar, client: TestClient[Litestar], admin: Api) -> AddJob:
    """Makes a job of the admin's project, with one event, that nothing reconciles."""

    def add(state: str) -> Job:
        with client.portal() as portal:
            return portal.call(make_job, app.state.parts, state)

    return add


async def make_job(parts: Any, state: str) -> Job:
    async with parts.db.write() as session:
        project = (await session.scalars(select(Project))).first()
        dataset = Dataset(project_id=project.id, created_by=project.created_by, name="d", status="ready")
        session.add(dataset)
        await session.flush()
        version = DatasetVersion(
            dataset_id=dataset.id, project_id=project.id, number=1, content_hash="c", split_hash="s",
            task_types=["classification"], classes=[], image_count=0, train_count=0, val_count=0, size_bytes=0,
            statistics={}, report={"faults": []}, files=[],
        )  # fmt: skip
        session.add(version)
        await session.flush()
        job = Job(
            project_id=project.id, created_by=project.created_by, name="j", dataset_id=dataset.id,
            dataset_version_id=version.id, task_type="classification", framework="timm", model_name="m", config={},
            max_retries=0, trace_id="0" * 32, state=state,
            next_check_at=utcnow() + timedelta(days=1),
        )  # fmt: skip
        session.add(job)
        await session.flush()
        events.emit(session, job, "log", {"first_line": 0, "count": 1})
    return job


@pytest.fixture
def job_id(add_job: AddJob) -> UUID:
    """Of one that has ended, with one event."""
    return add_job("completed").id
