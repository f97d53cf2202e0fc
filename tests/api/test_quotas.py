"""Quotas: who is over theirs creates nothing more, and is told how much there is and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from everybody import Everybody
from litestar import Litestar
from sqlalchemy import update

from visionai.app import create_app
from visionai.jobs import slots
from visionai.jobs.tables import Job
from visionai.settings import Settings


@pytest.fixture
def app(tmp_path: Path) -> Litestar:
    return create_app(Settings(data_dir=tmp_path, jwt_secret="s" * 40), {}, background=False)


def me(who: Any) -> str:
    return str(who.call("GET", "/api/v1/auth/me").json()["user"]["id"])


def project_of(who: Any) -> str:
    return str(who.call("GET", "/api/v1/projects").json()["items"][0]["id"])


def upload(who: Any, size: int = 10) -> Any:
    return who.call("POST", "/api/v1/datasets/upload", files={"file": ("a.zip", b"x" * size)})


def put(admin: Any, path: str, **quota: int | None) -> Any:
    answer = admin.call("PUT", f"/api/v1/{path}/quota", json=quota)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_without_a_quota_there_is_no_limit_and_the_use_is_told(admin: Any) -> None:
    assert upload(admin, 700).status_code == 202
    quota = admin.call("GET", f"/api/v1/projects/{project_of(admin)}/quota").json()
    used = {"datasets": 1, "storage_bytes": 700, "gpu_seconds": None, "running": 0}
    assert quota == {"datasets": None, "storage_bytes": None, "gpu_seconds": None, "running": None, "used": used}


@pytest.mark.parametrize("whose", ["users", "projects"])
def test_one_data_set_too_many_is_refused_with_the_numbers(admin: Any, whose: str) -> None:
    put(admin, f"{whose}/{me(admin) if whose == 'users' else project_of(admin)}", datasets=1)
    first = upload(admin)
    assert first.status_code == 202
    refused = upload(admin)
    assert (refused.status_code, refused.json()["code"]) == (403, "quota_exceeded")
    assert "1 of 1" in refused.json()["detail"] and "ask an admin" in refused.json()["detail"]
    assert len(admin.call("GET", "/api/v1/datasets").json()["items"]) == 1
    assert admin.call("DELETE", f"/api/v1/datasets/{first.json()['id']}").status_code == 204
    assert upload(admin).status_code == 202, "what was deleted counts no longer"


def test_an_upload_that_passes_the_storage_quota_ends_and_leaves_nothing(admin: Any, app: Litestar) -> None:
    path = f"users/{me(admin)}"
    put(admin, path, storage_bytes=1000)
    assert upload(admin, 600).status_code == 202
    refused = upload(admin, 600)
    assert (refused.status_code, refused.json()["code"]) == (413, "quota_exceeded")
    assert "400 bytes" in refused.json()["detail"]
    used = admin.call("GET", f"/api/v1/{path}/quota").json()["used"]
    assert (used["datasets"], used["storage_bytes"]) == (1, 600)
    stored = [p for p in app.state.parts.storage.root.rglob("*") if p.is_file()]
    assert sum(p.stat().st_size for p in stored) == 600


def begin(who: Any, size: int) -> Any:
    """A resumable upload."""
    headers = {"tus-resumable": "1.0.0", "upload-length": str(size), "upload-metadata": "filename YS56aXA="}
    return who.client.post("/api/v1/uploads", headers=headers | {"Authorization": f"Bearer {who.token}"})


def test_a_resumable_upload_has_its_room_from_its_beginning_and_gives_it_back(admin: Any) -> None:
    path = f"users/{me(admin)}"
    put(admin, path, storage_bytes=1000, datasets=2)
    first = begin(admin, 600)
    assert first.status_code == 201
    assert admin.call("GET", f"/api/v1/{path}/quota").json()["used"]["storage_bytes"] == 600, "none of it has come"
    refused = begin(admin, 401)
    assert (refused.status_code, refused.json()["code"]) == (413, "quota_exceeded")
    assert begin(admin, 399).status_code == 201
    assert (refused := begin(admin, 1)).status_code == 403 and "2 of 2" in refused.json()["detail"]
    headers = {"tus-resumable": "1.0.0", "Authorization": f"Bearer {admin.token}"}
    assert admin.client.delete(first.headers["location"], headers=headers).status_code == 204
    assert begin(admin, 600).status_code == 201


def test_a_project_that_is_named_after_the_file_is_asked_too(admin: Any) -> None:
    full = admin.call("POST", "/api/v1/projects", json={"name": "full"}).json()["id"]
    put(admin, f"projects/{full}", datasets=0)
    parts = [("file", ("a.zip", b"x" * 10)), ("project_id", (None, full))]
    answer = admin.call("POST", "/api/v1/datasets/upload", files=parts)
    assert (answer.status_code, answer.json()["code"]) == (403, "quota_exceeded")
    assert admin.call("GET", "/api/v1/datasets").json()["items"] == []


def test_a_data_set_does_not_count_against_itself(admin: Any) -> None:
    other = admin.call("POST", "/api/v1/projects", json={"name": "other"}).json()["id"]
    put(admin, f"users/{me(admin)}", datasets=1)
    parts = [("file", ("a.zip", b"x" * 10)), ("project_id", (None, other))]
    assert admin.call("POST", "/api/v1/datasets/upload", files=parts).status_code == 202


def test_a_training_is_refused_where_gpu_seconds_or_storage_are_used_up(
    app: Litestar, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody = Everybody(app, client)
    rows, by_admin = everybody.rows("owner"), everybody.rows("admin")
    people = {"owner": rows.access, "admin": by_admin.access}

    def call(who: str, method: str, path: str, body: Any = None) -> Any:
        return client.request(method, f"/api/v1/{path}", json=body, headers={"Authorization": f"Bearer {people[who]}"})

    async def trained(session: Any) -> None:
        await session.execute(update(Job).where(Job.id == rows.running_id).values(run_seconds=100.0))

    everybody.write(trained)
    spec = {
        "dataset_id": str(rows.dataset_id),
        "task_type": "classification",
        "framework": "timm",
        "model_name": "tiny",
    }
    quota = f"projects/{rows.project_id}/quota"
    call("admin", "PUT", quota, {"gpu_seconds": 50})
    assert call("owner", "GET", quota).json()["used"]["gpu_seconds"] is None, "this machine has no GPU"
    assert call("owner", "POST", "training/jobs", spec).status_code == 201
    monkeypatch.setattr(slots, "gpus", lambda: 1)
    assert call("owner", "GET", quota).json()["used"]["gpu_seconds"] == 100
    refused = call("owner", "POST", "training/jobs", spec)
    assert (refused.status_code, refused.json()["code"]) == (403, "quota_exceeded")
    assert "100 of 50" in refused.json()["detail"]
    again = call("owner", "POST", f"training/jobs/{rows.job_id}/retry")
    assert again.json()["code"] == "quota_exceeded", "nor once more"
    call("admin", "PUT", quota, {"storage_bytes": 1})
    assert call("owner", "POST", "training/jobs", spec).json()["code"] == "quota_exceeded"
    call("admin", "PUT", quota, {})
    assert call("owner", "POST", "training/jobs", spec).status_code == 201


def test_a_number_that_cannot_be_one_is_refused(admin: Any) -> None:
    for wrong in ({"datasets": -1}, {"storage_bytes": 2**60}, {"running": "1"}, {"disk": 1}):
        assert admin.call("PUT", f"/api/v1/users/{me(admin)}/quota", json=wrong).status_code == 422


def test_what_is_not_there_has_no_quota(admin: Any) -> None:
    nobody = "01a20ad6-b1b8-710e-af7f-713d5e0cd98b"
    for path in (f"users/{nobody}", f"projects/{nobody}"):
        assert admin.call("GET", f"/api/v1/{path}/quota").status_code == 404
        assert admin.call("PUT", f"/api/v1/{path}/quota", json={}).status_code == 404
