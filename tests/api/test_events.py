"""Live events over a real WebSocket of the app: who is let in, and how the connection closes."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from litestar.exceptions import WebSocketDisconnect
from sqlalchemy import select

from visionai.datasets.tables import Dataset, DatasetVersion
from visionai.identity.tables import Project
from visionai.jobs import events
from visionai.jobs.tables import Job


async def make_job(parts: Any) -> UUID:
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
            max_retries=0, trace_id="0" * 32, state="completed",
        )  # fmt: skip
        session.add(job)
        await session.flush()
        events.emit(session, job, "log", {"first_line": 0, "count": 1})
    return job.id


@pytest.fixture
def job_id(app, client, admin) -> UUID:
    with client.portal() as portal:
        return portal.call(make_job, app.state.parts)


def test_the_events_of_an_ended_job_then_the_end(client, admin, job_id):
    ticket = admin.call("POST", "/api/v1/auth/ticket", json={"job_id": str(job_id)}).json()["token"]
    with client.websocket_connect(f"/ws/training/{job_id}?token={ticket}") as socket:
        assert socket.receive_json()["seq"] == 1
        assert socket.receive_json() == {"type": "end", "data": {"state": "completed"}}
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_json()
    assert closed.value.code == 1000


@pytest.mark.parametrize("which", ["no token", "another job"])
def test_a_stranger_is_closed_with_1008(client, admin, job_id, which):
    path = f"/ws/training/{job_id}" if which == "no token" else f"/ws/training/{uuid4()}?token={admin.token}"
    with client.websocket_connect(path) as socket, pytest.raises(WebSocketDisconnect) as closed:
        socket.receive_json()
    assert closed.value.code == 1008


def test_one_connection_too_many_is_closed_with_4429(app, client, admin, job_id):
    parts = app.state.parts
    parts.settings = msgspec.structs.replace(parts.settings, websockets_per_user=0)
    with (
        client.websocket_connect(f"/ws/training/{job_id}?token={admin.token}") as socket,
        pytest.raises(WebSocketDisconnect) as closed,
    ):
        socket.receive_json()
    assert closed.value.code == 4429
