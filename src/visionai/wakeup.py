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

log = structlog.get_logger()

Kind = Literal["job", "operation"]
Effects = Sequence[object]
QUEUE = "visionai:wakeups"
DELIVER_SECONDS = 1.0


class Wake(msgspec.Struct, frozen=True):
    """Have a worker reconcile this row, now or after ``delay`` seconds."""

    kind: Kind
    id: UUID
    delay: float = 0.0


class Publish(msgspec.Struct, frozen=True):
    """Send ``body`` to whoever follows ``channel`` now."""

    channel: str
    body: bytes


def job_channel(job_id: UUID) -> str:
    return f"visionai:job:{job_id}"


async def deliver(redis: ArqRedis, effects: Effects) -> None:
    """Send what a transaction left to be sent. Never raises, and never takes long: the truth is committed already."""
    wakes = list(dict.fromkeys(e for e in effects if isinstance(e, Wake)))
    try:
        async with asyncio.timeout(DELIVER_SECONDS):
            for wake in wakes:
                await redis.enqueue_job("reconcile", wake.kind, str(wake.id), _defer_by=wake.delay or None)
            publishes = [e for e in effects if isinstance(e, Publish)]
            if publishes:
                async with redis.pipeline(transaction=False) as pipe:
                    for p in publishes:
                        pipe.publish(p.channel, p.body)
                    await pipe.execute()
    except (RedisError, OSError) as e:  # a TimeoutError is an OSError
        log.warning("hints_lost", error=str(e), wakes=len(wakes), next="the sweep does it within seconds")


def serialize(job: dict[str, Any]) -> bytes:
    """arq's default is pickle; JSON cannot run code."""
    return msgspec.json.encode(job)


def deserialize(data: bytes) -> dict[str, Any]:
    return msgspec.json.decode(data, type=dict[str, Any])
