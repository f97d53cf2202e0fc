"""How the server is: of real parts, one of which is stopped; for admins alone."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from litestar import Litestar

from visionai.app import create_app
from visionai.db import newest_revision, utcnow
from visionai.executors import processes, wrapper
from visionai.executors.base import Handle, Launch
from visionai.executors.subprocess import SubprocessExecutor
from visionai.identity.tables import Project
from visionai.jobs.tables import Attempt, Job
from visionai.operations.tables import Operation
from visionai.settings import Settings


@pytest.fixture
def app(tmp_path: Path) -> Litestar:
    """Nothing is reconciled: what a test says of a job stays so."""
    return create_app(Settings(data_dir=tmp_path, jwt_secret="s" * 40), {}, background=False)


def system(who: Any) -> dict[str, Any]:
    answer = who.call("GET", "/api/v1/system")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_all_is_well_with_a_new_server(app: Any, admin: Any) -> None:
    settings = app.state.parts.settings
    found = system(admin)
    assert {name for name, part in found["parts"].items() if part["ok"]} >= {"database", "redis", "storage"}
    assert all(0 <= part["seconds"] < 2 for part in found["parts"].values())
    assert (found["execution_mode"], found["storage_type"], found["data_dir"]) == (
        "subprocess", "local", str(settings.data_dir),
    )  # fmt: skip
    assert found["database"]["kind"] == "sqlite"
    assert found["database"]["revision"] == newest_revision()
    assert found["database"]["size_bytes"] > 10_000
    assert found["disk"]["refused_below_bytes"] == settings.min_free_bytes
    assert 0 < found["disk"]["free_bytes"] <= found["disk"]["total_bytes"]
    assert found["memory_bytes"] > 10 << 20
    assert not found["parts"]["worker"]["ok"], "none runs here"
    assert (found["jobs"], found["trainers"], found["failures"], found["watchers"]) == ({}, [], [], 0)
    assert found["imports"] == {"running": 0, "waiting": 0, "at_once": settings.imports}
    assert settings.secret not in str(found)


def test_a_part_that_hangs_is_named_and_holds_nobody_up_for_long(app: Any, admin: Any) -> None:
    pid = int((app.state.parts.settings.data_dir / "valkey.pid").read_text().split()[0])
    os.kill(pid, signal.SIGSTOP)
    try:
        parts = system(admin)["parts"]
    finally:
        os.kill(pid, signal.SIGCONT)
    assert not parts["redis"]["ok"]
    assert parts["redis"]["message"]
    assert 0 < parts["redis"]["seconds"] < 3
    assert parts["database"]["ok"]


def test_the_queue_and_what_runs_are_told_with_the_oldest_of_each(
    app: Any, client: Any, admin: Any, add_job: Any
) -> None:
    first, running, deleted = add_job("queued"), add_job("running"), add_job("queued")
    add_job("queued")
    heard = utcnow() - timedelta(minutes=3)

    async def change() -> None:
        async with app.state.parts.db.write() as session:
            (await session.get_one(Job, first.id)).queued_at = utcnow() - timedelta(hours=1)
            (await session.get_one(Job, running.id)).last_heartbeat_at = heard
            (await session.get_one(Job, deleted.id)).deleted_at = utcnow()
            session.add(Attempt(
                job_id=running.id, number=2, launch_id="job-1", host_id=app.state.parts.executor.host_id, slot=0,
                config={},
            ))  # fmt: skip

    with client.portal() as portal:
        portal.call(change)
    found = system(admin)
    assert found["jobs"] == {"queued": 2, "running": 1}
    assert found["oldest_waiting"]["id"] == str(first.id)
    assert found["longest_silent"]["id"] == str(running.id)
    assert found["slots"]["used"] == 1
    (trainer,) = found["trainers"]
    assert (trainer["job_id"], trainer["attempt"], trainer["memory_bytes"]) == (str(running.id), 2, None)


def test_what_failed_in_the_last_day_is_told_with_its_reason(app: Any, client: Any, admin: Any) -> None:
    me = UUID(admin.call("GET", "/api/v1/auth/me").json()["user"]["id"])
    project = UUID(admin.call("GET", "/api/v1/projects").json()["items"][0]["id"])

    def failed(code: str, hours: int) -> Operation:
        error = {"code": code, "message": "It has no images.", "hint": ""}
        ended = utcnow() - timedelta(hours=hours)
        return Operation(
            project_id=project, created_by=me, kind="dataset_import", status="failed", ended_at=ended, error=error
        )

    async def add() -> None:
        async with app.state.parts.db.write() as session:
            assert await session.get(Project, project) is not None
            session.add_all([failed("older", 25), failed("no_images", 1)])

    with client.portal() as portal:
        portal.call(add)
    (told,) = system(admin)["failures"]
    assert told["error"] == {"code": "no_images", "message": "It has no images.", "hint": ""}
    assert told["dataset_id"] is None


@pytest.mark.parametrize("role", ["manager", "engineer", "viewer"])
def test_only_admins_are_told(admin: Any, role: str) -> None:
    answer = admin.as_user(f"{role}@example.org", role).call("GET", "/api/v1/system")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.process
async def test_the_memory_of_a_trainer_is_that_of_all_its_processes(tmp_path: Path) -> None:
    executor = SubprocessExecutor(tmp_path, "here")
    handle = await executor.start(Launch("job-1", ["/bin/sh", "-c", "sleep 60 & wait"], {"PATH": os.environ["PATH"]}))
    try:
        alone = processes.memory(handle.pid)
        assert alone is not None
        assert (processes.memory_of(handle) or 0) > alone
        other = Handle(**{name: getattr(handle, name) for name in Handle.__struct_fields__} | {"start_time": 1})
        assert processes.memory_of(other) is None, "another process has its number now"
    finally:
        await executor.stop(handle, kill=True)


def test_memory_is_not_told_of_who_is_gone() -> None:
    handle = Handle(host_id="here", boot_id=wrapper.boot_id(), run_dir="", pid=2**22, start_time=0)
    assert processes.memory_of(handle) in (None, 0)
