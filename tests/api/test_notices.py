"""Who is put into a project, gets another role or has a training stopped by somebody else is told so."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import time_machine
from litestar import Litestar
from sqlalchemy import update

from visionai.app import create_app
from visionai.db import utcnow
from visionai.jobs.tables import Job
from visionai.settings import Settings


@pytest.fixture
def app(tmp_path: Path) -> Litestar:
    """Nothing is reconciled: what a test says of a job stays so."""
    return create_app(Settings(data_dir=tmp_path, jwt_secret="s" * 40), {}, background=False)


def told(who: Any) -> list[tuple[str, ...]]:
    items = who.call("GET", "/api/v1/notices").json()["items"]
    assert all(item["by"] == "admin@example.org" for item in items)
    return [(item["action"], item["project_name"] or "", item["role"] or item["job_name"] or "") for item in items]


def test_what_others_did_is_told_and_what_one_did_oneself_is_not(
    app: Any, client: Any, admin: Any, add_job: Any
) -> None:
    eve = admin.as_user("eve@example.org", "engineer")
    whom = eve.call("GET", "/api/v1/auth/me").json()["user"]["id"]
    cells = admin.call("POST", "/api/v1/projects", json={"name": "cells"}).json()["id"]
    members = f"/api/v1/projects/{cells}/members"
    admin.call("POST", members, json={"user_id": whom, "role": "editor"})
    admin.call("PATCH", f"{members}/{whom}", json={"role": "owner"})
    admin.call("PATCH", f"/api/v1/users/{whom}", json={"role": "manager"})
    job, other = add_job("running"), add_job("running")

    async def give() -> None:
        async with app.state.parts.db.write() as session:
            await session.execute(update(Job).where(Job.id == job.id).values(created_by=UUID(whom), name="a training"))

    with client.portal() as portal:
        portal.call(give)
    for stopped in (job, other):
        assert admin.call("POST", f"/api/v1/training/jobs/{stopped.id}/cancel").status_code == 202
    eve.call("PATCH", f"{members}/{whom}", json={"role": "reader"})
    stopped, *rest = told(eve)
    assert stopped[0] == "job.cancelled"
    assert stopped[2] == "a training"
    assert rest == [
        ("user.role_changed", "", "manager"), ("member.role_changed", "cells", "owner"),
        ("member.added", "cells", "editor"),
    ]  # fmt: skip
    assert told(admin) == []
    with time_machine.travel(utcnow() + timedelta(days=31)):
        eve = type(eve)(client, login(client, "eve@example.org"))
        assert told(eve) == []


def login(client: Any, email: str) -> str:
    body = {"email": email, "password": "correct horse battery"}
    return str(client.post("/api/v1/auth/login", json=body).json()["access_token"])
