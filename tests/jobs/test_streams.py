"""A job's events, live: each one once and in order, whatever is lost, slow, hung or gone."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import msgspec
import pytest
from jobs_world import World
from litestar.exceptions import WebSocketDisconnect

from visionai import pubsub, redis
from visionai.api import events as api
from visionai.api.events import Streams, follow
from visionai.identity.tokens import Credential
from visionai.ids import uuid7
from visionai.jobs import events
from visionai.jobs.tables import Job
from visionai.pubsub import Feed, Subscriber
from visionai.redis import EmbeddedRedis, connect
from visionai.wakeup import Courier, Publish


class Browser:
    """A WebSocket that takes everything; ``leave`` closes its side."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.closed: int | None = None
        self.news = asyncio.Event()
        self._left = asyncio.Event()

    async def send_data(self, text: str) -> None:
        self.got.append(msgspec.json.decode(text))
        self.news.set()

    async def receive_data(self, mode: str) -> None:
        await self._left.wait()
        raise WebSocketDisconnect(detail="left")

    async def close(self, code: int, reason: str) -> None:
        self.closed = code

    def leave(self) -> None:
        self._left.set()

    @property
    def numbers(self) -> list[int]:
        return [m["seq"] for m in self.got if "seq" in m]

    async def until(self, number: int) -> None:
        async with asyncio.timeout(20):
            while number not in self.numbers:
                self.news.clear()
                await self.news.wait()


class StopsReading(Browser):
    """Takes so many messages and then no more."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self._after = after

    async def send_data(self, text: str) -> None:
        if len(self.got) == self._after:
            await asyncio.Event().wait()
        await super().send_data(text)


class Live:
    """A world with Redis: ``happen`` makes events, ``watch`` starts a browser."""

    def __init__(self, world: World, job_id: UUID, embedded: EmbeddedRedis) -> None:
        self.world, self.job_id, self.embedded = world, job_id, embedded
        self.streams = Streams(world.parts)
        self.following: list[asyncio.Task[None]] = []

    @property
    def pid(self) -> int:
        assert self.embedded._process is not None
        return self.embedded._process.pid

    async def happen(self, count: int = 1, *, end: bool = False) -> int:
        """The number of the last event."""
        async with self.world.parts.db.write() as session:
            job = await session.get_one(Job, self.job_id)
            for _ in range(count):
                events.emit(session, job, "log", {"first_line": 0, "count": 1})
            if end:
                job.state = "completed"
                events.emit(session, job, "state", {"state": "completed"})
            return job.event_seq

    def watch(self, browser: Browser, since: int = 0) -> asyncio.Task[None]:
        socket: Any = browser
        never = asyncio.get_running_loop().create_future()
        self.following.append(asyncio.create_task(follow(socket, self.streams, self.job_id, since, never)))
        return self.following[-1]


@pytest.fixture
async def live(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Live]:
    monkeypatch.setattr(pubsub, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(redis, "END_SECONDS", 0.1)
    embedded = EmbeddedRedis(world.parts.settings.data_dir)
    await embedded.start()
    await embedded.ready()
    client = connect(None, embedded)
    world.parts.redis, world.parts.subscriber = client, Subscriber(client)
    courier = Courier(client)
    world.parts.db.deliver = courier.send
    hearing = asyncio.create_task(world.parts.subscriber.run())
    made = Live(world, await world.submit(), embedded)
    yield made
    async with asyncio.timeout(10):  # whatever Redis does
        for task in (*made.following, hearing):
            task.cancel()
        await asyncio.gather(*made.following, hearing, return_exceptions=True)
        await courier.close()
        await client.aclose(close_connection_pool=True)
        await embedded.stop()


async def test_each_gets_every_event_once_and_in_order_then_the_end(live: Live) -> None:
    browsers = []
    for n in range(20):
        browsers.append((Browser(), n % 4))
        live.watch(*browsers[-1])
        await live.happen(1 + n % 3)
    last = await live.happen(end=True)
    async with asyncio.timeout(20):
        await asyncio.gather(*live.following)
    for browser, since in browsers:
        assert browser.numbers == list(range(since + 1, last + 1))
        assert browser.got[-1] == {"type": "end", "data": {"state": "completed"}}
        assert browser.closed == 1000


async def test_whatever_redis_loses_is_read_from_the_database(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "SYNC_SECONDS", 0.2)
    deliver, draw = live.world.parts.db.deliver, random.Random(1)
    assert deliver is not None
    live.world.parts.db.deliver = lambda effects: deliver(
        [e for e in effects if not isinstance(e, Publish) or draw.random() < 0.5]
    )
    browser = Browser()
    live.watch(browser)
    for _ in range(50):
        last = await live.happen()
    await browser.until(last)
    assert browser.numbers == list(range(1, last + 1))


async def test_who_stops_reading_is_closed_with_1013_and_goes_on_where_it_was(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "SEND_SECONDS", 0.2)
    monkeypatch.setattr(pubsub, "ROOM", 4)
    slow, other = StopsReading(after=5), Browser()
    stopped = live.watch(slow)
    live.watch(other)
    for _ in range(30):
        last = await live.happen()
    await asyncio.wait_for(stopped, 20)
    assert slow.closed == 1013
    await other.until(last)
    again = Browser()
    live.watch(again, since=slow.numbers[-1])
    await again.until(last)
    assert slow.numbers + again.numbers == other.numbers == list(range(1, last + 1))


async def test_a_thousand_followers_are_one_subscription_and_one_question(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = 0
    read_page = api.read_page

    async def counted(*arguments: Any) -> Any:
        nonlocal reads
        reads += 1
        return await read_page(*arguments)

    monkeypatch.setattr(api, "read_page", counted)
    browsers = [Browser() for _ in range(1000)]
    for browser in browsers:
        live.watch(browser)
    first = await live.happen()
    for browser in browsers:
        await browser.until(first)
    channel = f"visionai:job:{live.job_id}"
    assert (await live.world.parts.redis.pubsub_numsub(channel))[0][1] == 1
    await live.happen(end=True)
    async with asyncio.timeout(20):
        await asyncio.gather(*live.following)
    assert all(browser.closed == 1000 for browser in browsers)
    assert reads < 20
    async with asyncio.timeout(20):
        while (await live.world.parts.redis.pubsub_numsub(channel))[0][1]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert live.world.parts.subscriber._feeds == {}


async def test_a_queue_that_is_full_is_forgotten_and_the_database_asked() -> None:
    feed = Feed()
    for n in range(pubsub.ROOM):
        feed.put(b"%d" % n)
    assert await feed.get(1) == b"0"
    feed.put(b"fits")
    feed.put(b"one too many")
    assert await feed.get(1) is None
    feed.put(b"goes on")
    assert await feed.get(1) == b"goes on"


async def test_who_leaves_is_let_go_at_once(live: Live) -> None:
    browser = Browser()
    following = live.watch(browser)
    await browser.until(await live.happen())
    browser.leave()
    await asyncio.wait_for(following, 3)
    assert live.world.parts.subscriber._feeds == {}


async def test_a_hung_redis_holds_up_neither_a_new_follower_nor_the_end_of_the_app(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fixture's end is the app's: it is given 10 s."""
    monkeypatch.setattr(pubsub, "ANSWER_SECONDS", 0.1)
    os.kill(live.pid, signal.SIGSTOP)
    before, after = await live.happen(), Browser()
    live.watch(after)
    await asyncio.wait_for(after.until(before), 4)


async def test_they_go_on_after_redis_has_died(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """As soon as there is another one, not at the next ``sync``."""
    monkeypatch.setattr(api, "SYNC_SECONDS", 3600.0)
    browser = Browser()
    live.watch(browser)
    await browser.until(await live.happen())
    os.kill(live.pid, signal.SIGKILL)
    last = await live.happen(3)
    await browser.until(last)
    assert browser.numbers == list(range(1, last + 1))


async def test_one_person_has_so_many_open_and_no_more(live: Live) -> None:
    most = live.world.parts.settings.websockets_per_user
    ada, bob = (Credential(user.id, uuid7()) for user in (live.world.user, live.world.other))
    project = uuid7()
    places = [live.streams.place(ada, project) for _ in range(most)]
    assert all(place.__enter__() for place in places)
    with live.streams.place(ada, project) as one_more, live.streams.place(bob, project) as others:
        assert one_more is None and others is not None
    places[0].__exit__(None, None, None)
    with live.streams.place(ada, project) as free:
        assert free
