"""One connection on which this process hears all that anybody here follows, fanned out to a queue for each of them.

A message is a hint: one may be lost when Redis is away, when a connection breaks, or when a follower does not take
what waits for it. Then the follower is told so (``None``) and asks the database. Nothing here waits for Redis longer
than a moment, and a follower that waits for a message never waits longer than it said.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from visionai.errors import said

log = structlog.get_logger()

ROOM = 256
ANSWER_SECONDS = 1.0
PING_SECONDS = 10.0
RETRY_SECONDS = 1.0
OWN = "visionai:subscriber"  # nobody publishes on it: with it there is always a channel to hear


class Feed:
    """What one follower has not taken yet, ``ROOM`` messages at most."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue(ROOM)

    async def get(self, seconds: float) -> bytes | None:
        """The next message; None if none came in time, or one may have been lost."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                return await self._waiting.get()
        return None

    def put(self, message: bytes) -> None:
        try:
            self._waiting.put_nowait(message)
        except asyncio.QueueFull:
            self.lose()

    def lose(self) -> None:
        """Forget what waits, which the follower will find in the database, and wake it."""
        while not self._waiting.empty():
            self._waiting.get_nowait()
        self._waiting.put_nowait(None)


class Subscriber:
    """``run`` it for as long as anybody may ``follow``."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._pubsub: PubSub | None = None
        self._feeds: dict[str, set[Feed]] = {}
        self._heard: dict[str, asyncio.Event] = {}
        self._lock = asyncio.Lock()
        self._incomplete = False
        """A command was not taken: what this connection sends is not all that is followed."""

    @property
    def connected(self) -> bool:
        return self._pubsub is not None

    @asynccontextmanager
    async def follow(self, channel: str) -> AsyncIterator[Feed]:
        """What is published from here on; if Redis does not answer, from when it does."""
        feed = Feed()
        self._feeds.setdefault(channel, set()).add(feed)
        try:
            await self._hear(channel)
            yield feed
        finally:
            self._feeds[channel].discard(feed)
            if not self._feeds[channel]:
                del self._feeds[channel]
                self._heard.pop(channel, None)
                await self._ask(channel)

    async def run(self) -> None:
        while True:
            try:
                await self._listen()
            except (RedisError, OSError) as e:
                log.warning("subscribe_failed", error=said(e), next="events come from the database meanwhile")
            await asyncio.sleep(RETRY_SECONDS)

    async def _hear(self, channel: str) -> None:
        """Returns when Redis has said that it sends this channel, or does not answer."""
        heard = self._heard.get(channel)
        if heard is None:
            heard = self._heard[channel] = asyncio.Event()
            await self._ask(channel)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_SECONDS):
                await heard.wait()

    async def _ask(self, channel: str) -> None:
        """Have Redis send this channel or not, as it is followed now. Without a connection nothing is to be done: the
        next one begins with all that is followed then."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS), self._lock:
                if self._pubsub is None:
                    return
                if channel in self._feeds:
                    await self._pubsub.subscribe(channel)
                else:
                    await self._pubsub.unsubscribe(channel)
        except (RedisError, OSError):
            self._incomplete = True

    async def _listen(self) -> None:
        async with self._redis.pubsub() as pubsub:
            try:
                async with self._lock:
                    missed = set(self._feeds)
                    await pubsub.subscribe(OWN, *missed)
                    self._pubsub = pubsub
                asked = self._incomplete = False
                while not self._incomplete:
                    message = await pubsub.get_message(timeout=PING_SECONDS)
                    if message is not None:
                        asked = False
                        self._take(message, missed)
                    elif asked:
                        raise RedisConnectionError("it does not answer")
                    else:
                        asked = True
                        await pubsub.ping()
            finally:
                self._pubsub = None
                for heard in self._heard.values():
                    heard.clear()

    def _take(self, message: dict[str, object], missed: set[str]) -> None:
        """``missed``: channels that were followed before there was this connection."""
        kind, name, data = message["type"], message["channel"], message["data"]
        if not isinstance(name, bytes):
            return  # a pong
        channel = name.decode()
        feeds = self._feeds.get(channel, set())
        if kind == "subscribe":
            if channel in self._heard:
                self._heard[channel].set()
            if channel in missed:
                missed.discard(channel)
                for feed in feeds:
                    feed.lose()
        elif kind == "message" and isinstance(data, bytes):
            for line in data.split(b"\n"):
                for feed in feeds:
                    feed.put(line)
