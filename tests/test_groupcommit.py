"""Writes that share a transaction, on a real SQLite: durable when answered, in order, and each with its own fate."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from visionai import groupcommit
from visionai.db import Database
from visionai.errors import Conflict, Unavailable
from visionai.groupcommit import GroupCommit


class Opened:
    """A database with one table, and a count of its transactions; ``hold`` keeps the next ones from starting."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.transactions = 0
        self.gate = asyncio.Event()
        self.gate.set()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        await self.gate.wait()
        self.transactions += 1
        async with self.db.write() as session:
            yield session

    async def rows(self) -> list[int]:
        async with self.db.read() as session:
            return list(await session.scalars(text("SELECT n FROM t ORDER BY rowid")))


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opened]:
    db = Database(f"sqlite+aiosqlite:///{tmp_path}/db")
    async with db.write() as session:
        await session.execute(text("CREATE TABLE t (n INTEGER UNIQUE)"))
    yield Opened(db)
    await db.close()


def insert(n: int):
    async def work(session: AsyncSession) -> int:
        await session.execute(text("INSERT INTO t VALUES (:n)"), {"n": n})
        return n

    return work


async def test_those_who_are_answered_together_go_on_together(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each sends the next one some time after its answer, as over a network; they do not split into halves."""
    monkeypatch.setattr(groupcommit, "LINGER", 1000.0)
    monkeypatch.setattr(groupcommit, "LINGER_SECONDS", 0.2)
    group = GroupCommit(opened.write)
    opened.gate.clear()

    async def client(number: int) -> None:
        for n in range(3):
            await group.run(insert(10 * number + n))
            await asyncio.sleep(0.001 * number)

    clients = [asyncio.create_task(client(number)) for number in range(4)]
    await asyncio.sleep(0)
    opened.gate.set()
    await asyncio.gather(*clients)
    assert opened.transactions == 3


async def test_what_waits_for_a_commit_shares_the_next_one_in_order(opened: Opened) -> None:
    group = GroupCommit(opened.write)
    opened.gate.clear()
    asked = [asyncio.ensure_future(group.run(insert(n))) for n in range(20)]
    await asyncio.sleep(0)
    opened.gate.set()
    assert await asyncio.gather(*asked) == list(range(20))
    assert await opened.rows() == list(range(20))
    assert opened.transactions <= 2


async def test_no_more_share_one_than_are_allowed(opened: Opened) -> None:
    group = GroupCommit(opened.write, most=4)
    await asyncio.gather(*(group.run(insert(n)) for n in range(20)))
    assert opened.transactions >= 5


async def test_an_answer_means_that_it_is_committed(opened: Opened, tmp_path: Path) -> None:
    await GroupCommit(opened.write).run(insert(1))
    with sqlite3.connect(tmp_path / "db") as other:
        assert other.execute("SELECT n FROM t").fetchall() == [(1,)]
    other.close()


async def test_a_poisoned_write_fails_alone_and_the_order_of_the_others_stays(opened: Opened) -> None:
    async def poisoned(session: AsyncSession) -> int:
        await session.execute(text("INSERT INTO t VALUES (99)"))
        raise RuntimeError("poisoned")

    group = GroupCommit(opened.write)
    works = [insert(1), insert(2), poisoned, insert(2), insert(3)]  # the fourth breaks the constraint
    found = await asyncio.gather(*map(group.run, works), return_exceptions=True)
    assert [type(f).__name__ for f in found] == ["int", "int", "RuntimeError", "IntegrityError", "int"]
    assert await opened.rows() == [1, 2, 3]


async def test_a_refusal_is_its_own_callers_answer_and_costs_the_others_nothing(opened: Opened) -> None:
    async def refused(session: AsyncSession) -> int:
        raise Conflict("no")

    group = GroupCommit(opened.write)
    found = await asyncio.gather(*map(group.run, [insert(1), refused, insert(2)]), return_exceptions=True)
    assert [type(f).__name__ for f in found] == ["int", "Conflict", "int"]
    assert await opened.rows() == [1, 2]
    assert opened.transactions <= 2


async def test_who_hangs_up_does_not_take_the_write_along(opened: Opened) -> None:
    group = GroupCommit(opened.write)
    opened.gate.clear()
    asked = asyncio.ensure_future(group.run(insert(1)))
    await asyncio.sleep(0)
    asked.cancel()
    opened.gate.set()
    with pytest.raises(asyncio.CancelledError):
        await asked
    await group.close()
    assert await opened.rows() == [1]


async def test_a_queue_that_is_full_says_when_to_come_back(opened: Opened) -> None:
    group = GroupCommit(opened.write, waiting=2)
    opened.gate.clear()
    asked = [asyncio.ensure_future(group.run(insert(0)))]
    await asyncio.sleep(0.0)
    await asyncio.sleep(0.0)  # it is on its way now, and no longer waits
    asked += [asyncio.ensure_future(group.run(insert(n))) for n in (1, 2)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable) as refused:
        await group.run(insert(3))
    assert refused.value.retry_after
    opened.gate.set()
    assert await asyncio.gather(*asked) == [0, 1, 2]
    assert await opened.rows() == [0, 1, 2]


async def test_a_database_that_takes_no_writes_gives_503_at_once_to_all(opened: Opened, tmp_path: Path) -> None:
    """Each alone would wait for the lock as long as all together did."""
    async with opened.db.write() as session:
        await session.execute(text("PRAGMA busy_timeout=1"))
    locker = sqlite3.connect(tmp_path / "db")
    locker.execute("BEGIN EXCLUSIVE")
    group = GroupCommit(opened.write)
    found = await asyncio.gather(*(group.run(insert(n)) for n in range(5)), return_exceptions=True)
    assert [type(f) for f in found] == [Unavailable] * 5
    assert opened.transactions <= 2
    locker.rollback()
    locker.close()
    assert await group.run(insert(7)) == 7
    assert await opened.rows() == [7]


async def test_what_several_need_is_read_once(opened: Opened) -> None:
    asked_for: list[list[object]] = []

    async def prepare(session: AsyncSession, keys) -> None:
        asked_for.append(list(keys))

    group = GroupCommit(opened.write)
    await asyncio.gather(*(group.run(insert(n), prepare=prepare, key=n) for n in range(6)))
    assert sorted(key for keys in asked_for for key in keys) == list(range(6))
    assert len(asked_for) <= 2
