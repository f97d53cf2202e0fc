"""Group commit: small writes that arrive together share one transaction, and each is answered after its commit.

A durable commit costs a disk sync, however little it holds. While one transaction is being committed the next writes
gather, and all of them go into the next one; so the dearer a sync is, the more writes share it. Order is kept. A write
that comes alone starts at once. After a group of several the next one waits for a fraction of what that took, so that
those who were just answered come along with what they send next; without it they split into halves that take turns,
each at the price of a transaction. (PostgreSQL calls this commit_delay.)

What goes wrong in a write stays with it. A refusal (VisionAIError), which has to come before the write changes
anything, is that caller's answer. Any other error undoes the transaction, and its writes are tried again one by one,
so that one poisoned write fails alone. A database that takes no writes at all (locked, full, away) gives everybody
Unavailable with ``Retry-After``.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar, cast

import msgspec
import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from visionai import failpoints
from visionai.errors import Unavailable, VisionAIError

T = TypeVar("T")
log = structlog.get_logger()

Work = Callable[[AsyncSession], Awaitable[T]]
Prepare = Callable[[AsyncSession, Sequence[Any]], Awaitable[None]]

MOST = 64
WAITING = 1024
RETRY_SECONDS = 1
LINGER = 0.25
LINGER_SECONDS = 0.02


class _Write(msgspec.Struct, eq=False):
    work: Work[Any]
    prepare: Prepare | None
    key: object
    answered: asyncio.Future[None]
    answer: Any = None
    error: Exception | None = None


class GroupCommit:
    """``write`` opens a transaction that commits at its end; ``most`` writes share one, ``waiting`` at most wait."""

    def __init__(
        self,
        write: Callable[[], AbstractAsyncContextManager[AsyncSession]],
        *,
        most: int = MOST,
        waiting: int = WAITING,
    ) -> None:
        self._open, self._most, self._room = write, most, waiting
        self._waiting: deque[_Write] = deque()
        self._flushing: asyncio.Task[None] | None = None

    async def run(self, work: Work[T], *, prepare: Prepare | None = None, key: object = None) -> T:
        """Do ``work`` in a transaction and return what it returned, once that is committed.

        ``prepare`` is called once for all writes of a transaction that name it, with their keys: to read together
        what each would otherwise read for itself. A caller that goes away does not take its write with it.
        Raises Unavailable when too many wait already.
        """
        if len(self._waiting) >= self._room:
            raise Unavailable("The server cannot keep up just now: send it again.", retry_after=RETRY_SECONDS)
        write = _Write(work, prepare, key, asyncio.get_running_loop().create_future())
        self._waiting.append(write)
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush(), name="group commit")
        await asyncio.shield(write.answered)
        if write.error is not None:
            raise write.error
        return cast(T, write.answer)

    async def close(self) -> None:
        """Wait for what is on its way."""
        if self._flushing is not None:
            await self._flushing

    async def _flush(self) -> None:
        clock = asyncio.get_running_loop().time
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
            began = clock()
            await self._settle(batch)
            if len(batch) > 1:
                await asyncio.sleep(min(LINGER * (clock() - began), LINGER_SECONDS))

    async def _settle(self, batch: list[_Write]) -> None:
        try:
            await self._commit(batch)
        except (OperationalError, InterfaceError) as e:
            log.warning("database_takes_no_writes", error=str(e.orig), writes=len(batch))
            busy = Unavailable("The database takes no writes just now: send it again.", retry_after=RETRY_SECONDS)
            for write in batch:
                write.error = busy
        except Exception as e:
            if len(batch) > 1:
                for write in batch:
                    await self._settle([write])
                return
            batch[0].error = e
        for write in batch:
            write.answered.set_result(None)

    async def _commit(self, batch: list[_Write]) -> None:
        async with self._open() as session:
            for prepare in {write.prepare for write in batch if write.prepare is not None}:
                await prepare(session, [write.key for write in batch if write.prepare is prepare])
            for write in batch:
                try:
                    write.answer, write.error = await write.work(session), None
                except VisionAIError as e:
                    write.error = e
            failpoints.reach("group.in_transaction")
        failpoints.reach("group.committed")
