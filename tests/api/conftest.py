"""The whole app in this process, with an admin signed in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from visionai.app import create_app
from visionai.identity.accounts import new_setup_token
from visionai.settings import Settings

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
