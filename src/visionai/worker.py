"""The worker: arq for wake-ups, a sweep for what nothing woke. Wiring only; the work is ``reconcile``'s.

arq carries hints: each task is one short reconcile. The sweep is a loop of its own, so that a Redis that is away costs
seconds and no job.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import structlog
from arq.typing import WorkerCoroutine
from arq.worker import Worker, func
from redis.exceptions import RedisError

from visionai import tasks, wakeup
from visionai.datasets import importing as datasets
from visionai.datasets import resumable
from visionai.datasets.garbage import free_deleted
from visionai.datasets.uploads import remove_abandoned
from visionai.db import utcnow
from visionai.errors import said
from visionai.identity.garbage import forget_expired
from visionai.jobs import reconcile as jobs
from visionai.jobs.artifacts import URL_SECONDS
from visionai.jobs.garbage import free_artifacts, free_deleted_jobs
from visionai.operations import queries as operations
from visionai.operations.kinds import Context
from visionai.operations.reconcile import reconcile_operation
from visionai.parts import Parts
from visionai.storage import keys

log = structlog.get_logger()

TASK_SECONDS = 60
TIDY_SECONDS = 10.0
CLOSE_SECONDS = 2.0  # a Redis that hangs does not hold up the end

KINDS = {kind.name: kind for kind in (datasets.IMPORT,)}

Reconcile = Callable[[Parts, UUID], Awaitable[datetime | None]]


async def _operation(parts: Parts, operation_id: UUID) -> datetime | None:
    context = Context(
        db=parts.db, storage=parts.storage, executor=parts.executor, settings=parts.settings,
        environ=parts.environ, kinds=KINDS,
    )  # fmt: skip
    await reconcile_operation(context, operation_id)
    return None  # it leaves a delayed wake-up of its own


RECONCILE: dict[str, Reconcile] = {"job": jobs.reconcile, "operation": _operation}


class Background:
    """Runs the worker beside the app, in its event loop, until it is stopped."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._tasks: list[asyncio.Task[None]] = []
        self._timers: dict[tuple[str, UUID], asyncio.TimerHandle] = {}
        self._at_work: dict[tuple[str, UUID], asyncio.Task[None]] = {}
        self._again: set[tuple[str, UUID]] = set()
        self._stopping = False

    async def start(self) -> None:
        if self._parts.db.embedded:  # nobody else works on it
            async with self._parts.db.write() as session:
                await jobs.release_leases(session)
                await operations.release_leases(session)
                await resumable.release_leases(session)
            await asyncio.to_thread(self._parts.storage.forget_incoming)
        await jobs.remove_left_over_runs(self._parts)
        self._tasks = [
            asyncio.create_task(self._listen(), name="arq"),
            asyncio.create_task(self._sweep(), name="sweep"),
            asyncio.create_task(self._tidy(), name="tidy"),
        ]

    async def stop(self) -> None:
        """Takes no new work, and lets what is at work finish its present step."""
        self._stopping = True
        for timer in self._timers.values():
            timer.cancel()
        await tasks.end(*self._tasks)
        await asyncio.gather(*self._at_work.values(), return_exceptions=True)

    def wake(self, kind: str, row_id: UUID) -> asyncio.Task[None] | None:
        """Reconcile this row now; if that is being done, once more after it."""
        key = (kind, row_id)
        if self._stopping:
            return None
        if key in self._at_work:
            self._again.add(key)
            return self._at_work[key]
        task = asyncio.create_task(self._work(key), name=f"reconcile {kind} {row_id}")
        self._at_work[key] = task
        return task

    async def _work(self, key: tuple[str, UUID]) -> None:
        kind, row_id = key
        try:
            while True:
                self._again.discard(key)
                until = await RECONCILE[kind](self._parts, row_id)
                if key not in self._again or self._stopping:
                    break
            if until is not None:
                self._set_timer(key, until)
        except Exception:
            log.exception("reconcile_failed", kind=kind, id=str(row_id), next="the sweep tries again")
        finally:
            del self._at_work[key]

    def _set_timer(self, key: tuple[str, UUID], until: datetime) -> None:
        if (old := self._timers.pop(key, None)) is not None:
            old.cancel()
        delay = max(0.05, (until - utcnow()).total_seconds())
        if delay > self._parts.settings.sweep_seconds:
            return  # the sweep comes before it
        self._timers[key] = asyncio.get_running_loop().call_later(delay, self._on_timer, key)

    def _on_timer(self, key: tuple[str, UUID]) -> None:
        self._timers.pop(key, None)
        self.wake(*key)

    async def _sweep(self) -> None:
        """Wake everything that is due."""
        while True:
            self._parts.notice_a_break()
            try:
                found = [("job", i) for i in await jobs.sweep(self._parts)]
                async with self._parts.db.read() as session:
                    at_once = self._parts.settings.imports
                    found += [("operation", i) for i in await operations.due(session, utcnow(), at_once=at_once)]
                for kind, row_id in found:
                    self.wake(kind, row_id)
                self._parts.last_sweep = asyncio.get_running_loop().time()
            except Exception:
                log.exception("sweep_failed", next="tried again")
            await asyncio.sleep(self._parts.settings.sweep_seconds)

    async def _tidy(self) -> None:
        """Free what nobody can see any more."""
        db, storage = self._parts.db, self._parts.storage
        while True:
            try:
                await remove_abandoned(db, storage, utcnow())
                await resumable.remove_expired(db, storage, utcnow())
                await forget_expired(db, utcnow())
                await free_artifacts(db, storage)
                await storage.delete_older(keys.INCOMING, 2 * URL_SECONDS)
                await free_deleted_jobs(db, storage)
                await free_deleted(db, storage, utcnow())
            except Exception:
                log.exception("tidy_failed", next="tried again")
            await asyncio.sleep(TIDY_SECONDS)

    async def _listen(self) -> None:
        """Run arq, and run it again if Redis went away."""
        while True:
            worker = self._arq()
            try:
                await worker.async_run()
            except (RedisError, OSError) as e:
                log.warning("redis_away", error=said(e), next="the sweep goes on; trying again")
            finally:
                with contextlib.suppress(RedisError, OSError):
                    async with asyncio.timeout(CLOSE_SECONDS):
                        await worker.close()
            await asyncio.sleep(1.0)

    def _arq(self) -> Worker:
        async def reconcile(_context: dict[Any, Any], /, kind: str, row_id: str) -> None:
            task = self.wake(kind, UUID(row_id))
            if task is not None:
                await asyncio.shield(task)

        task = func(cast(WorkerCoroutine, reconcile), name="reconcile")
        return Worker(
            functions=[task], redis_pool=self._parts.redis, queue_name=wakeup.QUEUE, handle_signals=False,
            poll_delay=0.1, max_jobs=50, job_timeout=TASK_SECONDS, keep_result=0, max_tries=1,
            health_check_interval=3600,
            job_serializer=wakeup.serialize, job_deserializer=wakeup.deserialize,
        )  # fmt: skip
