"""Whatever is sent, broken off, repeated or killed, in any order: in the end there are the bytes sent, or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from visionai import failpoints
from visionai.datasets import resumable
from visionai.datasets.resumable import Receiver
from visionai.datasets.tables import Dataset, DatasetUpload
from visionai.db import Database, database_url, migrate, utcnow
from visionai.errors import ClientGone, Conflict, StorageFull, VisionAIError
from visionai.identity.access import CurrentUser
from visionai.identity.tables import Project, User
from visionai.storage.local import LocalStorage

DATA = bytes(range(100, 160))
KEPT = timedelta(days=1)


async def any_size(*_: object) -> None:
    """There are no quotas."""


Ending = st.sampled_from(["whole", "broken", "disk full", "server failed", "server killed"])
Step = st.one_of(
    st.tuples(st.just("send"), st.integers(0, 40), Ending),
    st.tuples(st.just("send at"), st.integers(0, len(DATA)), Ending),
    st.tuples(st.just("restart"), st.just(0), st.just("")),
)


class Machine:
    """One upload and its sender, who knows what he was told and no more."""

    def __init__(self, folder: Path) -> None:
        self.db, self.folder = Database(database_url(None, folder)), folder / "storage"
        self.acknowledged = 0
        self.restarted()

    def restarted(self) -> None:
        self.storage = LocalStorage(self.folder, "secret")
        self.storage.forget_incoming()

    async def begin(self) -> None:
        async with self.db.write() as session:
            user = User(email=f"{uuid4()}@example.org", password_hash="-", role="engineer")
            session.add(user)
            await session.flush()
            project = Project(name="p", created_by=user.id)
            session.add(project)
            await session.flush()
            self.user = CurrentUser(user.id, user.email, "", user.role)
            self.upload = await resumable.begin(
                session, project_id=project.id, user_id=user.id, name="x", format_="auto", size=len(DATA), said="",
                expires_at=utcnow() + KEPT, admit=any_size,
            )  # fmt: skip

    async def row(self) -> DatasetUpload:
        async with self.db.read() as session:
            return await session.get_one(DatasetUpload, self.upload.id)

    async def offset(self) -> int:
        return await resumable.offset(self.storage, await self.row())

    async def send(self, start: int, size: int, ending: str) -> None:
        before = await self.offset()
        if ending == "server failed":
            failpoints.arm("upload.appended=raise")
        elif ending == "disk full":
            self.storage._keep_free = 1 << 60
        try:
            receiver = Receiver(self.db, self.storage, KEPT)
            upload = await receiver.receive(self.upload.id, start, sent(start, size, ending))
        except Conflict:
            assert start != before, "the offset was right and refused"
        except (VisionAIError, failpoints.Failed, StorageFull):
            assert start == before
            self.acknowledged = max(self.acknowledged, await self.offset())
        else:
            assert start == before
            self.acknowledged = upload.received
        finally:
            failpoints.arm("")
            self.storage._keep_free = 0
        if ending == "server killed" and start == before:
            await self.killed(start)

    async def killed(self, start: int) -> None:
        """What had come and was told to nobody is still in the file; the lease is still on the row."""
        if (await self.row()).received < len(DATA):
            part = self.storage._part(resumable._key(self.upload))
            part.parent.mkdir(parents=True, exist_ok=True)
            with part.open("ab") as f:
                f.write(b"never answered for")
            async with self.db.write() as session:
                await session.execute(
                    update(DatasetUpload).values(lease_token=UUID(int=7), lease_expires_at=utcnow() + KEPT)
                )
        await self.restart()

    async def restart(self) -> None:
        self.restarted()
        async with self.db.write() as session:
            await resumable.release_leases(session)

    async def stored(self) -> bytes:
        await self.storage.complete(resumable._key(self.upload))
        return b"".join([chunk async for chunk in self.storage.get(resumable._key(self.upload))])


async def sent(start: int, size: int, ending: str) -> AsyncIterator[bytes]:
    """In small pieces, each of them part of the file as it is at ``start``."""
    piece = DATA[start : start + size]
    for at in range(0, len(piece), 3):
        yield piece[at : at + 3]
    if ending == "broken":
        raise ClientGone("gone")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("machine")
    migrate(database_url(None, folder))
    return folder


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resumable, "STEP_BYTES", 8)
    monkeypatch.setattr(resumable, "BLOCK_BYTES", 4)


@settings(max_examples=40)
@given(steps=st.lists(Step, max_size=12), given_up=st.booleans())
def test_in_the_end_there_are_the_bytes_as_sent_or_nothing(
    folder: Path, steps: list[tuple[str, int, str]], given_up: bool
) -> None:
    async def play() -> None:
        machine = Machine(folder)
        await machine.begin()
        for what, number, ending in steps:
            if what == "restart":
                await machine.restart()
            else:
                at = await machine.offset()
                await machine.send(*((at, number) if what == "send" else (number, 20)), ending)
            assert await machine.offset() >= machine.acknowledged, "something acknowledged was lost"
            assert (await machine.row()).lease_token is None
        if given_up and await machine.offset() < len(DATA):
            await resumable.give_up(machine.db, machine.storage, machine.user, machine.upload, utcnow())
            assert not [path for path in machine.folder.rglob(f"*{machine.upload.dataset_id}*/**/*") if path.is_file()]
            assert await dataset(machine) is None
        else:
            await machine.send(await machine.offset(), len(DATA), "whole")
            assert await machine.stored() == DATA
            found = await dataset(machine)
            assert found is not None
            assert found.status == "processing"
        await machine.db.close()

    async def dataset(machine: Machine) -> Dataset | None:
        async with machine.db.read() as session:
            return await session.get(Dataset, machine.upload.dataset_id)

    asyncio.run(play())
