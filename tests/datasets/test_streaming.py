"""Uploads to a real server process: how much memory they take, what is left when the client goes away, and of
resumable ones when the server is killed."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from visionai.datasets.tables import Dataset
from visionai.db import Database, database_url
from visionai.identity import sessions, tokens
from visionai.identity.sessions import Client
from visionai.identity.tables import Project, ProjectMember, User
from visionai.settings import Settings, prepare

pytestmark = pytest.mark.process
MB = 1 << 20
HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n'
TAIL = b"\r\n--b--\r\n"
SERVER = """
import sys, uvicorn
from pathlib import Path
from visionai.app import create_app
from visionai.settings import Settings, prepare
settings = prepare(Settings(data_dir=Path(sys.argv[1])))
background = sys.argv[3] == "background"
uvicorn.run(create_app(settings, {}, background=background), port=int(sys.argv[2]), log_level="error")
"""


class Server:
    def __init__(self, data_dir: Path, background: str = "", token: str | None = None) -> None:
        self.data_dir = data_dir
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.process = subprocess.Popen([sys.executable, "-c", SERVER, str(data_dir), str(self.port), background])
        deadline = time.monotonic() + 60
        while not self._answers():
            assert time.monotonic() < deadline, "the server does not start"
            time.sleep(0.05)
        self.token = token or asyncio.run(self._member())

    def _answers(self) -> bool:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port)
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            connection.close()
        except OSError:
            return False
        return True

    async def _member(self) -> str:
        db = Database(database_url(None, self.data_dir))
        async with db.write() as session:
            user = User(email="ada@example.org", password_hash="-", role="engineer")
            session.add(user)
            await session.flush()
            project = Project(name="p", created_by=user.id)
            session.add(project)
            await session.flush()
            session.add(ProjectMember(project_id=project.id, user_id=user.id, role="owner"))
            settings = prepare(Settings(data_dir=self.data_dir))
            signed_in = await sessions.begin(session, settings, user, Client())
        await db.close()
        return tokens.access_token(settings, user.id, signed_in.session_id)

    def headers(self, size: int) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.token}", "Content-Type": "multipart/form-data; boundary=b",
            "Content-Length": str(len(HEAD) + size + len(TAIL)),
        }  # fmt: skip

    def upload(self, size: int) -> int:
        """The status. The peak of memory is counted anew."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("POST", "/api/v1/datasets/upload", body=_form(size), headers=self.headers(size))
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status

    def tus(self, method: str, path: str, body: Any = None, **headers: str) -> http.client.HTTPResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if method == "PATCH":
            named["Content-Type"] = "application/offset+octet-stream"
        given = {"Authorization": f"Bearer {self.token}", "Tus-Resumable": "1.0.0", **named}
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port)) as connection:
            connection.request(method, path, body=body, headers=given)
            answer = connection.getresponse()
            answer.read()
        return answer

    def begin(self, size: int) -> str:
        answer = self.tus("POST", "/api/v1/uploads", Upload_Length=str(size), Upload_Metadata="name YQ==")
        assert answer.status == 201
        return answer.headers["Location"]

    def peak(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) << 10

    def stored(self) -> list[Path]:
        return [p for p in (self.data_dir / "storage").rglob("*") if p.is_file()]

    async def datasets(self) -> int:
        db = Database(database_url(None, self.data_dir))
        async with db.read() as session:
            count = await session.scalar(select(func.count()).select_from(Dataset)) or 0
        await db.close()
        return count


def _form(size: int) -> Iterator[bytes]:
    yield HEAD
    yield from _bytes(size)
    yield TAIL


def _bytes(size: int) -> Iterator[bytes]:
    block = os.urandom(MB)
    for _ in range(size // MB):
        yield block


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    server.process.terminate()
    server.process.wait()


def test_memory_does_not_grow_with_the_upload(server: Server) -> None:
    assert server.upload(100 * MB) == 202
    small = server.peak()
    assert server.upload(1024 * MB) == 202
    assert server.peak() - small < 20 * MB


def test_a_client_that_goes_away_leaves_nothing(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.putrequest("POST", "/api/v1/datasets/upload")
    for name, value in server.headers(100 * MB).items():
        connection.putheader(name, value)
    connection.endheaders()
    connection.send(HEAD + os.urandom(5 * MB))
    deadline = time.monotonic() + 30
    while not server.stored():
        assert time.monotonic() < deadline, "nothing arrives"
        time.sleep(0.02)
    assert asyncio.run(server.datasets()) == 1
    connection.close()
    while server.stored() or asyncio.run(server.datasets()):
        assert time.monotonic() < deadline, "something stays behind"
        time.sleep(0.02)


def test_memory_does_not_grow_with_what_a_resumable_upload_sends_at_once(server: Server) -> None:
    def send(size: int) -> int:
        path = server.begin(size)
        Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")
        answer = server.tus("PATCH", path, _bytes(size), Upload_Offset="0", Content_Length=str(size))
        assert (answer.status, answer.headers["Upload-Offset"]) == (204, str(size))
        return server.peak()

    small = send(100 * MB)
    assert send(1024 * MB) - small < 20 * MB


def test_a_killed_server_has_kept_what_it_answered_for_and_goes_on_at_once(tmp_path: Path) -> None:
    data = os.urandom(200 * MB)
    server = Server(tmp_path, "background")
    path = server.begin(len(data))
    assert server.tus("PATCH", path, data[: 3 * MB], Upload_Offset="0").headers["Upload-Offset"] == str(3 * MB)

    def sending() -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            server.tus("PATCH", path, data[3 * MB :], Upload_Offset=str(3 * MB))

    sender = threading.Thread(target=sending)
    sender.start()
    deadline = time.monotonic() + 60
    while (told := int(server.tus("HEAD", path).headers["Upload-Offset"])) == 3 * MB:
        assert time.monotonic() < deadline, "nothing arrives"
    server.process.kill()
    server.process.wait()
    sender.join()

    server = Server(tmp_path, "background", server.token)
    try:
        offset = int(server.tus("HEAD", path).headers["Upload-Offset"])
        assert offset >= told
        (part,) = server.stored()
        assert part.read_bytes()[:offset] == data[:offset]
        if offset < len(data):  # all but the last byte, with which the import would take it away
            answer = server.tus("PATCH", path, data[offset:-1], Upload_Offset=str(offset))
            assert (answer.status, answer.headers["Upload-Offset"]) == (204, str(len(data) - 1))
            assert part.read_bytes() == data[:-1]
    finally:
        server.process.terminate()
        server.process.wait()
