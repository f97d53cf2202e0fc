"""Secrets, sent through every path that takes one: only the answer that hands one out may hold it, and nothing else."""

from __future__ import annotations

import io
import logging
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
import structlog
from everybody import chunks, things
from litestar.testing import TestClient
from sqlalchemy import select

from visionai import observability, server
from visionai.app import create_app
from visionai.db import Database
from visionai.errors import SettingsError
from visionai.identity import tokens
from visionai.identity.accounts import new_setup_token
from visionai.identity.tables import Project
from visionai.settings import Settings, from_environ

JWT_SECRET = "marked-jwt-secret-" + "q" * 30
SMTP_PASSWORD = "marked-smtp-password-zebra"
PASSWORD = "marked-password walrus trombone"
NEXT_PASSWORD = "marked-second-password gravel lantern"


class Answers:
    """Asks, and keeps every answer with its headers."""

    def __init__(self, client: TestClient[Any]) -> None:
        self.client = client
        self.kept: list[tuple[str, str]] = []

    def ask(self, method: str, path: str, by: str | None = None, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {by}"} if by is not None else {}
        self.client.cookies.clear()
        answer = self.client.request(method, path, headers=headers, follow_redirects=False, **more)
        assert answer.status_code != 500
        self.kept.append((f"{method} {path.partition('?')[0]}", f"{answer.text}\n{answer.headers.multi_items()}"))
        return answer

    def post(self, path: str, by: str | None = None, **body: Any) -> Any:
        return self.ask("POST", f"/api/v1{path}", by, json=body)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    with socket.socket() as closed:  # nobody listens there afterwards
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    return Settings(
        data_dir=tmp_path, jwt_secret=JWT_SECRET, log_level="debug", log_format="json", smtp_from="a@example.org",
        smtp_url=f"smtp://me:{SMTP_PASSWORD}@127.0.0.1:{port}",
    )  # fmt: skip


@pytest.fixture
def logged(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """All that the server logs, as it is set up to."""
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    observability.configure(settings.log_format, settings.log_level)
    yield sys.stderr  # type: ignore[misc]
    structlog.configure(**before)
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def answers(settings: Settings, logged: io.StringIO) -> Iterator[Answers]:
    with TestClient(create_app(settings, {}, background=False)) as client:
        yield Answers(client)


def test_a_secret_is_in_the_answer_that_hands_it_out_and_nowhere_else(
    settings: Settings, answers: Answers, logged: io.StringIO
) -> None:
    app = answers.client.app
    with answers.client.portal() as portal:
        setup_token = portal.call(new_setup_token, app.state.parts.db)
    secrets = {JWT_SECRET: None, SMTP_PASSWORD: None, PASSWORD: None, NEXT_PASSWORD: None, setup_token: None}
    """Each with the route that may answer with it."""

    # signing in
    first = answers.post("/auth/setup", token=setup_token, email="a@example.org", password=PASSWORD).json()
    secrets |= dict.fromkeys((first["access_token"], first["refresh_token"]), "POST /api/v1/auth/setup")
    login = answers.post("/auth/login", email="a@example.org", password=PASSWORD).json()
    secrets |= dict.fromkeys((login["access_token"], login["refresh_token"]), "POST /api/v1/auth/login")
    answers.post("/auth/login", email=PASSWORD, password=PASSWORD)
    answers.post("/auth/login", email="a@example.org", password=NEXT_PASSWORD)
    refreshed = answers.post("/auth/refresh", refresh_token=login["refresh_token"]).json()
    secrets |= dict.fromkeys((refreshed["access_token"], refreshed["refresh_token"]), "POST /api/v1/auth/refresh")
    answers.ask("POST", "/api/v1/auth/refresh", json={"refresh_token": refreshed["refresh_token"], "more": 1})
    cookie = answers.post("/auth/login", email="a@example.org", password=PASSWORD, cookie=True)
    secrets |= dict.fromkeys(
        (cookie.cookies["visionai_refresh"], cookie.json()["access_token"]), "POST /api/v1/auth/login"
    )
    me = first["access_token"]

    # what hands out links and tokens
    made = answers.post("/tokens", me, name="nightly", scope="write").json()
    secrets[made["token"]] = "POST /api/v1/tokens"
    invited = answers.post("/invitations", me, role="engineer", email="eve@example.org").json()
    assert invited["mailed"] is False and invited["mail_error"]
    link = invited["url"].partition("token=")[2]
    secrets[link] = "POST /api/v1/invitations"
    answers.post("/auth/invitation", token=link)
    accepted = answers.post("/auth/accept", token=link, password=PASSWORD).json()
    secrets |= dict.fromkeys((accepted["access_token"], accepted["refresh_token"]), "POST /api/v1/auth/accept")
    eve = accepted["user"]["id"]
    reset_link = answers.ask("POST", f"/api/v1/users/{eve}/reset", me).json()["url"].partition("token=")[2]
    secrets[reset_link] = f"POST /api/v1/users/{eve}/reset"
    reset = answers.post("/auth/reset", token=reset_link, password=NEXT_PASSWORD).json()
    secrets |= dict.fromkeys((reset["access_token"], reset["refresh_token"]), "POST /api/v1/auth/reset")
    answers.post("/auth/reset", token=reset_link, password=NEXT_PASSWORD)
    answers.post("/users", me, email="bob@example.org", password=PASSWORD)
    answers.post("/auth/password", me, current=NEXT_PASSWORD, new=PASSWORD)
    answers.post("/auth/password", me, current=PASSWORD, new=NEXT_PASSWORD)

    # where they do not belong
    for token in list(secrets):
        answers.ask("GET", "/api/v1/auth/me", token)
        answers.ask("GET", f"/api/v1/tokens/{tokens.digest(token)}", me, params={"token": token})
        answers.ask("POST", "/api/v1/auth/login", content=f'{{"password": "{token}", ')
        answers.ask("POST", "/api/v1/auth/login", json={"email": "a@example.org", "password": [token]})
        answers.ask("POST", "/api/v1/projects", me, json={"name": "x", "token": token})

    # a trainer, a live connection, a signed address
    trainer_and_socket(answers, secrets, settings, made["token"])

    answers.post("/auth/logout", refresh_token=refreshed["refresh_token"])
    answers.ask("GET", "/api/v1/audit", made["token"], params={"limit": 1000})
    answers.ask("GET", "/api/v1/audit/export", made["token"])
    logs = logged.getvalue()
    assert "mail_not_sent" in logs, "logs were taken"
    stored = {path.name: path.read_bytes() for path in settings.data_dir.rglob("*") if path.is_file()}
    assert any(name.startswith("visionai.sqlite3") for name in stored)
    for secret, handed_out_by in secrets.items():
        assert secret not in logs
        assert not [name for name, content in stored.items() if secret.encode() in content], secret
        holders = [route for route, text in answers.kept if secret in text]
        assert holders == ([handed_out_by] if handed_out_by is not None else []), f"{secret} is in {holders}"


def trainer_and_socket(answers: Answers, secrets: dict[str, str | None], settings: Settings, token: str) -> None:
    with answers.client.portal() as portal:
        job_id = portal.call(running_job, answers.client.app.state.parts.db)
    callback = tokens.callback_token(settings, job_id, 1)
    secrets[callback] = None
    heartbeat = answers.ask("POST", f"/v1/jobs/{job_id}/heartbeat", callback, json={"epoch": 1, "progress": 1})
    assert heartbeat.status_code == 200
    answers.ask("POST", f"/v1/jobs/{job_id}/heartbeat", callback, json={"epoch": "x"})
    ticket = answers.post("/auth/ticket", token, job_id=str(job_id)).json()["token"]
    secrets[ticket] = "POST /api/v1/auth/ticket"
    with answers.client.websocket_connect(f"/ws/training/{job_id}?token={ticket}") as live:
        live.receive_json(timeout=5)
    parts = answers.client.app.state.parts
    with answers.client.portal() as portal:
        portal.call(parts.storage.put, "incoming/x", chunks())
    address = parts.storage.sign("GET", "incoming/x", expires_in=60.0)
    signature = address.partition("signature=")[2].partition("&")[0]
    secrets[signature] = None
    assert answers.ask("GET", address).status_code == 200
    answers.ask("GET", address.replace("incoming/x", "incoming/y"))


async def running_job(db: Database) -> UUID:
    async with db.write() as session:
        project = (await session.scalars(select(Project))).first()
        return (await things(session, project, project.created_by, project.created_by))["running_id"]


def test_the_server_keeps_no_log_of_addresses_which_hold_tickets_and_signatures(settings: Settings) -> None:
    assert server.configuration(lambda: None, settings).access_log is False


def test_a_setting_that_is_wrong_is_named_without_its_password(settings: Settings) -> None:
    with pytest.raises(SettingsError) as error:
        from_environ({"SMTP_URL": f"smtp://me:{SMTP_PASSWORD}@127.0.0.1:x", "SMTP_FROM": "a@example.org"})
    assert SMTP_PASSWORD not in str(error.value)
    assert SMTP_PASSWORD not in str(msgspec.structs.astuple(settings)[0])
