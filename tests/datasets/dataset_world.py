"""The app with data sets, and people; the import runs in a real child process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import archives
import httpx
from litestar import Litestar
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.datasets.importing import IMPORT
from visionai.identity import sessions, tokens
from visionai.identity.sessions import Client
from visionai.identity.tables import Project, ProjectMember, User
from visionai.operations.kinds import Context
from visionai.operations.reconcile import reconcile_operation
from visionai.operations.tables import Operation

API = "/api/v1/datasets"


class World:
    """An app, and people: ada edits project one, rita reads it, sam edits another."""

    def __init__(self, app: Litestar, client: httpx.AsyncClient) -> None:
        self.app, self.client, self.parts = app, client, app.state.parts
        self.users: dict[str, User] = {}
        self.sessions: dict[str, UUID] = {}
        self.projects: dict[str, Project] = {}

    async def populate(self) -> None:
        async with self.parts.db.write() as session:
            for name, role, project, membership in (
                ("ada", "engineer", "one", "owner"),
                ("rita", "engineer", "one", "reader"),
                ("sam", "engineer", "two", "owner"),
            ):  # fmt: skip
                user = await self.add_user(session, name, role)
                if project not in self.projects:
                    self.projects[project] = Project(name=project, created_by=user.id)
                    session.add(self.projects[project])
                    await session.flush()
                session.add(ProjectMember(project_id=self.projects[project].id, user_id=user.id, role=membership))

    async def add_user(self, session: AsyncSession, name: str, role: str) -> User:
        """Somebody who is signed in."""
        user = self.users[name] = User(email=f"{name}@example.org", password_hash="-", role=role)
        session.add(user)
        await session.flush()
        signed_in = await sessions.begin(session, self.parts.settings, user, Client())
        self.sessions[name] = signed_in.session_id
        return user

    def headers(self, name: str = "ada") -> dict[str, str]:
        token = tokens.access_token(self.parts.settings, self.users[name].id, self.sessions[name])
        return {"Authorization": f"Bearer {token}"}

    async def upload(self, body: bytes, name: str = "photos.zip", who: str = "ada", **fields: str) -> httpx.Response:
        return await self.client.post(
            f"{API}/upload", files={"file": (name, body)}, data=fields, headers=self.headers(who)
        )

    async def get(self, path: str, who: str = "ada", **params: Any) -> httpx.Response:
        return await self.client.get(f"{API}{path}", params=params, headers=self.headers(who), follow_redirects=False)

    async def imported(self, files: dict[str, bytes], tmp_path: Path) -> str:
        answer = await self.upload(archives.write_zip(tmp_path / "in.zip", files).read_bytes())
        assert answer.status_code == 202, answer.text
        await self.finish(answer.json()["operation_id"])
        return str(answer.json()["id"])

    @property
    def context(self) -> Context:
        p = self.parts
        return Context(db=p.db, storage=p.storage, executor=p.executor, settings=p.settings, environ=p.environ,
                       kinds={IMPORT.name: IMPORT})  # fmt: skip

    async def finish(self, operation_id: str) -> Operation:
        async with asyncio.timeout(60):
            while True:
                await reconcile_operation(self.context, UUID(operation_id))
                async with self.parts.db.read() as session:
                    op = await session.get_one(Operation, UUID(operation_id))
                if op.ended_at is not None and op.launch_id is None:
                    return op
                await asyncio.sleep(0.02)

    def stored(self) -> list[str]:
        root = self.parts.storage.root
        return sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())

    async def count(self, table: Any) -> int:
        async with self.parts.db.read() as session:
            return await session.scalar(select(func.count()).select_from(table)) or 0


@asynccontextmanager
async def running(app: Litestar) -> AsyncIterator[None]:
    """The app's lifespan in a task of its own: pytest-asyncio sets up and tears down in different ones."""
    started, stop = asyncio.Event(), asyncio.Event()

    async def run() -> None:
        async with app.lifespan():
            started.set()
            await stop.wait()

    task = asyncio.create_task(run())
    waiting = asyncio.create_task(started.wait())
    await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        waiting.cancel()
        await task
    yield
    stop.set()
    await task
