"""What every answer says to a browser, whatever it is an answer to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from everybody import chunks
from litestar.testing import TestClient

from visionai.app import create_app
from visionai.settings import Settings

EACH = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
ASKED = [
    ("GET", "/", 200), ("GET", "/jobs", 200), ("GET", "/no/such.page", 404), ("GET", "/assets/none.js", 404),
    ("GET", "/healthz", 200), ("GET", "/api/v1", 200), ("GET", "/api/v1/openapi.json", 200),
    ("GET", "/api/v1/auth/me", 401), ("PUT", "/healthz", 405), ("POST", "/api/v1/auth/login", 422),
    ("OPTIONS", "/api/v1/uploads", 204), ("GET", "/storage/x", 422), ("POST", "/v1/jobs/x/heartbeat", 404),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "status"), ASKED)
def test_whatever_is_answered_is_what_it_says_it_is_and_is_framed_by_nobody(
    client: Any, method: str, path: str, status: int
) -> None:
    answer = client.request(method, path)
    assert answer.status_code in {status, 503 if status == 200 else status}, "503 where the UI is not built"
    assert {name: answer.headers[name] for name in EACH} == EACH
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert len(answer.headers.get_list("content-security-policy")) == 1
    assert answer.headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in answer.headers, "it came by http"


def test_what_people_are_answered_is_kept_by_no_cache(admin: Any) -> None:
    for path in ("auth/me", "projects", "training/jobs", "datasets", "audit"):
        assert admin.call("GET", f"/api/v1/{path}").headers["cache-control"] == "no-store"


def test_a_stored_object_is_kept_for_an_hour_by_its_reader_alone_and_can_do_nothing(app: Any, client: Any) -> None:
    storage = app.state.parts.storage
    with client.portal() as portal:
        portal.call(storage.put, "incoming/x", chunks())
    answer = client.get(storage.sign("GET", "incoming/x", expires_in=60.0))
    assert answer.headers["cache-control"] == "private, max-age=3600"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert {name: answer.headers[name] for name in EACH} == EACH


def test_who_came_by_https_stays_with_it(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, jwt_secret="s" * 40, public_url="https://vision.example.org")
    with TestClient(create_app(settings, {}, background=False)) as client:
        for path in ("/", "/healthz", "/api/v1/auth/me", "/nothing.txt"):
            assert client.get(path).headers["strict-transport-security"] == "max-age=31536000"
