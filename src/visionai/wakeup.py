"""Hints sent after a commit: wake a reconciler, or tell whoever watches. None of them is the truth.

A lost wake-up costs a few seconds, until the sweep; a lost publish too, until the stream's next ``sync``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

import msgspec
import structlog
from arq.connections import ArqRedis
from redis.exceptions import RedisError

from visionai import tasks
from visionai.errors import said

log = structlog.get_logger()

Kind = Literal["job", "operation"]
Effects = Sequence[object]
QUEUE = "visionai:wakeups"
DELIVER_SECONDS = 1.0
WAITING = 10_000


class Wake(msgspec.Struct, frozen=True):
    """Have a worker reconcile this row, now or after ``delay`` seconds."""

    kind: Kind
    id: UUID
    delay: float = 0.0


class Publish(msgspec.Struct, frozen=True):
    """Send ``body``, JSON, to whoever follows ``channel`` now."""

    channel: str
    body: bytes


def job_channel(job_id: UUID) -> str:
    return f"visionai:job:{job_id}"


class Courier:
    """Sends what transactions left to be sent, in the background: in order, and together what gathered meanwhile.

    Nobody waits for it, so that a Redis that answers late or never holds up no commit and no answer. Past ``most``
    hints the new ones are given up.
    """

    def __init__(self, redis: ArqRedis, *, most: int = WAITING) -> None:
        self._redis, self._most = redis, most
        self._waiting: list[object] = []
        self._sending: asyncio.Task[None] | None = None
        self._closed = False

    def send(self, effects: Effects) -> None:
        if self._closed:
            return
        if len(self._waiting) >= self._most:
            log.warning("hints_lost", error="too many wait already", next="the sweep does it within seconds")
            return
        self._waiting += effects
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send(), name="hints")

    async def close(self) -> None:
        """Wait for what is on its way, some DELIVER_SECONDS at most, and take nothing more."""
        self._closed = True
        if self._sending is not None:
            await asyncio.wait({self._sending}, timeout=3 * DELIVER_SECONDS)
            await tasks.end(self._sending)

    async def _send(self) -> None:
        while self._waiting:
            effects, self._waiting = self._waiting, []
            await deliver(self._redis, effects)


async def deliver(redis: ArqRedis, effects: Effects) -> None:
    """Never raises, and never takes long: the truth is committed already.

    What goes to one channel is one message, a JSON document a line.
    """
    wakes = list(dict.fromkeys(e for e in effects if isinstance(e, Wake)))
    try:
        async with asyncio.timeout(DELIVER_SECONDS):
            for wake in wakes:
                await redis.enqueue_job("reconcile", wake.kind, str(wake.id), _defer_by=wake.delay or None)
            messages: dict[str, list[bytes]] = {}
            for effect in effects:
                if isinstance(effect, Publish):
                    messages.setdefault(effect.channel, []).append(effect.body)
            if messages:
                async with redis.pipeline(transaction=False) as pipe:
                    for channel, bodies in messages.items():
                        pipe.publish(channel, b"\n".join(bodies))
                    await pipe.execute()
    except (RedisError, OSError) as e:  # a TimeoutError is an OSError
        log.warning("hints_lost", error=said(e), wakes=len(wakes), next="the sweep does it within seconds")


def serialize(job: dict[str, Any]) -> bytes:
    """arq's default is pickle; JSON cannot run code."""
    return msgspec.json.encode(job)


def deserialize(data: bytes) -> dict[str, Any]:
    return msgspec.json.decode(data, type=dict[str, Any])
