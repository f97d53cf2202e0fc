"""Everybody who may ask, and rows for them to ask about: an owner's project with something of each kind in it."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from jobs_world import MANIFEST
from litestar import Litestar
from litestar.testing import TestClient
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from visionai.chat.tables import Conversation
from visionai.datasets.tables import Dataset, DatasetImage, DatasetUpload, DatasetVersion
from visionai.db import utcnow
from visionai.frameworks import Framework, Frameworks
from visionai.identity import api_tokens, passwords, sessions, tokens
from visionai.identity.access import CurrentUser
from visionai.identity.accounts import new_setup_token
from visionai.identity.projects import add_project
from visionai.identity.sessions import Client
from visionai.identity.tables import ApiToken, Invitation, PasswordReset, Project, ProjectMember, User
from visionai.jobs.tables import Artifact, Attempt, Job, Validation
from visionai.operations.tables import Operation

T = TypeVar("T")

PASSWORD = "correct horse battery"
PEOPLE = {
    "stranger": ("engineer", None), "viewer": ("viewer", "owner"), "reader": ("engineer", "reader"),
    "editor": ("engineer", "editor"), "owner": ("engineer", "owner"), "manager": ("manager", "editor"),
    "admin": ("admin", None),
}  # fmt: skip
"""Each person's role, and the one in the project; None: not a member."""
TOKENS = {"token:read": "read", "token:write": "write"}
"""Of the admin, so that what they are refused is the token's own limits."""
ASKERS = ("nobody", "trainer", *PEOPLE, *TOKENS)
BYTES = b"weights"
UPLOADED = b"PK"
SHA = hashlib.sha256(BYTES).hexdigest()


class Rows(msgspec.Struct):
    """Something of each kind. What is one person's own is ``mine`` for the one who asks, and the owner's where a
    stranger does."""

    project_id: UUID
    dataset_id: UUID
    job_id: UUID
    """It has ended, with a checkpoint to go on from."""
    running_id: UUID
    """Its trainer may report."""
    artifact_id: UUID
    operation_id: UUID
    upload_id: UUID
    """Of ``UPLOADED`` bytes, of which none have come."""
    conversation_id: UUID
    invitation_id: UUID
    invitation: str
    """The token of another one, into another project, for the one who asks."""
    link: str
    """The token of one that makes an account."""
    user_id: UUID
    """Somebody who is looked after, and a member."""
    newcomer_id: UUID
    """Somebody who is in no project."""
    reset: str
    session_id: UUID
    token_id: UUID
    access: str
    """An access token of the one who asks."""
    refresh: str


class Everybody:
    def __init__(self, app: Litestar, client: TestClient[Litestar]) -> None:
        self.app, self.client, self.parts = app, client, app.state.parts
        self.ids: dict[str, UUID] = {}
        self.bearers: dict[str, str] = {}
        self.password_hash = ""
        self.count = 0
        frameworks = Frameworks(self.parts.settings, {})
        frameworks.know(Framework("timm", "ready", "", MANIFEST))
        self.parts.frameworks = frameworks
        self.run(self._people)

    def run(self, function: Callable[..., Awaitable[T]], *arguments: Any) -> T:
        with self.client.portal() as portal:
            return portal.call(function, *arguments)

    def write(self, function: Callable[..., Awaitable[T]], *arguments: Any) -> T:
        async def run() -> T:
            async with self.parts.db.write() as session:
                return await function(session, *arguments)

        return self.run(run)

    def rows(self, asker: str, *, empty: bool = False) -> Rows:
        """Fresh ones; in an ``empty`` project there is nothing."""
        self.count += 1
        return self.write(self._rows, asker, empty)

    async def _people(self) -> None:
        assert await new_setup_token(self.parts.db) is not None
        self.password_hash = await passwords.hashed(PASSWORD)
        async with self.parts.db.write() as session:
            for name, (role, _) in PEOPLE.items():
                self.ids[name] = (await self._person(session, f"{name}@example.org", role)).id
            await add_project(session, self.ids["stranger"], "the stranger's own")
            for name, scope in TOKENS.items():
                self.ids[name] = self.ids["admin"]
                admin = CurrentUser(self.ids["admin"], "admin@example.org", "", "admin")
                _, self.bearers[name] = await api_tokens.new(session, admin, name, scope, None)

    async def _person(self, session: AsyncSession, email: str, role: str) -> User:
        user = User(email=email, password_hash=self.password_hash, role=role, name=email.partition("@")[0])
        session.add(user)
        await session.flush()
        return user

    async def _rows(self, session: AsyncSession, asker: str, empty: bool) -> Rows:
        owner = self.ids["owner"]
        asking = self.ids.get(asker, owner)
        mine = owner if asker == "stranger" else asking
        project = await add_project(session, owner, f"project {self.count}")
        for name, (_, role) in PEOPLE.items():
            if role is not None and name != "owner":
                session.add(ProjectMember(project_id=project.id, user_id=self.ids[name], role=role))
        user = await self._person(session, f"eve{self.count}@example.org", "engineer")
        newcomer = await self._person(session, f"new{self.count}@example.org", "engineer")
        session.add(ProjectMember(project_id=project.id, user_id=user.id, role="reader"))
        reset, link, invitation = (tokens.opaque() for _ in range(3))
        soon = utcnow() + timedelta(hours=1)
        session.add(PasswordReset(user_id=user.id, token_hash=tokens.digest(reset), expires_at=soon))
        elsewhere = await add_project(session, self.ids["admin"], "elsewhere")
        mine_there = await session.scalar(select(User.email).where(User.id == mine))
        open_ = Invitation(
            role="engineer", project_id=project.id, project_role="reader", token_hash=tokens.digest(tokens.opaque()),
            invited_by=owner, expires_at=soon,
        )  # fmt: skip
        there = Invitation(
            email=mine_there, role="engineer", project_id=elsewhere.id, project_role="reader",
            token_hash=tokens.digest(invitation), invited_by=self.ids["admin"], expires_at=soon,
        )  # fmt: skip
        if asking == self.ids["admin"]:  # who is in it already
            session.add(ProjectMember(project_id=elsewhere.id, user_id=owner, role="owner"))
            await session.flush()
            await session.delete(await session.get_one(ProjectMember, (elsewhere.id, asking)))
        new = Invitation(
            role="engineer", token_hash=tokens.digest(link), invited_by=self.ids["admin"], expires_at=soon
        )  # fmt: skip
        session.add_all([open_, there, new])
        signed_in = await sessions.begin(
            session, self.parts.settings, await session.get_one(User, mine), Client("203.0.113.7", "a browser")
        )
        access = tokens.access_token(self.parts.settings, asking, signed_in.session_id)
        if asking != mine:
            own = await sessions.begin(session, self.parts.settings, await session.get_one(User, asking), Client())
            access = tokens.access_token(self.parts.settings, asking, own.session_id)
        token = ApiToken(user_id=mine, name="nightly", scope="read", token_hash=tokens.digest(tokens.opaque()))
        session.add(token)
        await session.flush()
        ids = {} if empty else await things(session, project, owner, mine)
        nothing = dict.fromkeys(
            ("dataset_id", "job_id", "running_id", "artifact_id", "operation_id", "upload_id", "conversation_id"), owner
        )  # fmt: skip
        return Rows(
            project_id=project.id, invitation_id=open_.id, invitation=invitation, link=link, user_id=user.id,
            newcomer_id=newcomer.id, reset=reset, session_id=signed_in.session_id, token_id=token.id, access=access,
            refresh=signed_in.refresh_token, **{**nothing, **ids},
        )  # fmt: skip

    def bearer(self, asker: str, rows: Rows) -> str | None:
        if asker == "nobody":
            return None
        if asker == "trainer":
            return tokens.callback_token(self.parts.settings, rows.running_id, 1)
        return self.bearers.get(asker, rows.access)


async def things(session: AsyncSession, project: Project, owner: UUID, mine: UUID) -> dict[str, UUID]:
    """Of each kind one, the ids by what ``Rows`` calls them."""
    dataset = Dataset(project_id=project.id, created_by=owner, name="digits", status="ready")
    unused = Dataset(project_id=project.id, created_by=owner, name="unused", status="ready")
    session.add_all([dataset, unused])
    await session.flush()
    versions = [_version(d) for d in (dataset, unused)]
    session.add_all(versions)
    await session.flush()
    dataset.current_version_id, unused.current_version_id = (v.id for v in versions)
    session.add(DatasetImage(
        version_id=versions[1].id, n=0, file_name="a.png", sha256=SHA, suffix=".png", width=1, height=1, size=7,
        split="train", label="0", labels=["0"], objects=[],
    ))  # fmt: skip
    ended = _job(dataset, owner, state="completed", ended_at=utcnow(), best={
        "name": "val/accuracy", "value": 0.5, "mode": "max", "epoch": 1})  # fmt: skip
    running = _job(dataset, owner, state="running")
    session.add_all([ended, running])
    await session.flush()
    session.add(Attempt(
        job_id=running.id, number=1, launch_id=f"job-{running.id}-1", host_id=str(running.id), slot=0, config={}
    ))  # fmt: skip
    session.add(Validation(
        job_id=ended.id, attempt=1, epoch=1, time=utcnow(), metrics={}, per_class=[], is_best=True,
        primary_metric={"name": "val/accuracy", "value": 0.5, "mode": "max"},
    ))  # fmt: skip
    checkpoint = Artifact(
        job_id=ended.id, project_id=project.id, attempt=1, kind="checkpoint_last", name="last.pt", size=len(BYTES),
        sha256=SHA, epoch=1, storage_key=f"checkpoints/job-{ended.id}/last", completed_at=utcnow(),
    )  # fmt: skip
    predictions = Artifact(
        job_id=ended.id, project_id=project.id, attempt=1, kind="predictions", name="predictions.jsonl", size=2,
        sha256=SHA, epoch=1, storage_key=f"predictions/job-{ended.id}", completed_at=utcnow(),
    )  # fmt: skip
    coming = Dataset(project_id=project.id, created_by=mine, name="coming", status="uploading")
    session.add(coming)
    await session.flush()
    upload = DatasetUpload(
        dataset_id=coming.id, created_by=mine, size=len(UPLOADED), expires_at=utcnow() + timedelta(hours=1)
    )
    operation = Operation(
        project_id=project.id, created_by=owner, kind="dataset_import", subject_id=dataset.id, status="completed"
    )
    conversation = Conversation(project_id=project.id, user_id=mine)
    session.add_all([checkpoint, predictions, upload, operation, conversation])
    await session.flush()
    return {
        "dataset_id": unused.id, "job_id": ended.id, "running_id": running.id, "artifact_id": checkpoint.id,
        "operation_id": operation.id, "upload_id": upload.id,
        "conversation_id": conversation.id,
    }  # fmt: skip


def _version(dataset: Dataset) -> DatasetVersion:
    return DatasetVersion(
        dataset_id=dataset.id, project_id=dataset.project_id, number=1, content_hash="c", split_hash="s",
        task_types=["classification"], classes=[{"name": "0", "total": 2, "train": 1, "val": 1}], image_count=2,
        train_count=1, val_count=1, size_bytes=2, statistics={}, report={"faults": []}, files=[],
    )  # fmt: skip


def _job(dataset: Dataset, user_id: UUID, **more: Any) -> Job:
    return Job(
        project_id=dataset.project_id, created_by=user_id, name="a training", dataset_id=dataset.id,
        dataset_version_id=dataset.current_version_id, task_type="classification", framework="timm", model_name="tiny",
        config={"epochs": 3}, max_retries=0, trace_id="0" * 32, next_check_at=utcnow() + timedelta(days=1), **more,
    )  # fmt: skip


async def chunks() -> AsyncIterator[bytes]:
    yield BYTES
