"""Hints: sent in the background, in order and together; a Redis that hangs holds nobody up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from visionai import wakeup
from visionai.redis import EmbeddedRedis, connect
from visionai.wakeup import Courier, Publish


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[Any]:
    embedded = EmbeddedRedis(tmp_path)
    await embedded.start()
    await embedded.ready()
    client = connect(None, embedded)
    yield client
    await client.aclose(close_connection_pool=True)
    await embedded.stop()


class Hangs:
    """A Redis that takes a command and never answers."""

    def __init__(self) -> None:
        self.asked = 0

    def pipeline(self, **_options: Any) -> Hangs:
        return self

    async def __aenter__(self) -> Hangs:
        return self

    async def __aexit__(self, *_error: object) -> None: ...

    def publish(self, _channel: str, _body: bytes) -> None: ...

    async def execute(self) -> None:
        self.asked += 1
        await asyncio.Event().wait()


async def test_what_goes_to_one_channel_is_one_message_in_order(redis: Any) -> None:
    async with redis.pubsub(ignore_subscribe_messages=True) as pubsub:
        await pubsub.subscribe("a")
        await pubsub.get_message(timeout=1)
        courier = Courier(redis)
        courier.send([Publish("a", b"1"), Publish("b", b"0")])
        courier.send([Publish("a", b"2")])
        await courier.close()
        message = await pubsub.get_message(timeout=1)
    assert message["data"] == b"1\n2"


async def test_who_leaves_hints_does_not_wait_for_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wakeup, "DELIVER_SECONDS", 0.01)
    hangs: Any = Hangs()
    courier = Courier(hangs, most=2)
    for _ in range(100):
        courier.send([Publish("a", b"")])
    assert hangs.asked == 0  # nothing was awaited so far
    await asyncio.wait_for(courier.close(), 5)
    assert hangs.asked == 1  # two hints in one delivery, the other 98 given up


async def test_a_closed_courier_takes_nothing(redis: Any) -> None:
    courier = Courier(redis)
    await courier.close()
    before = asyncio.all_tasks()
    courier.send([Publish("a", b"")])
    assert asyncio.all_tasks() == before
