"""A job's events over a WebSocket: subscribe, replay, then live; each event once and in order.

The subscription comes first, then the replay from the database, so that nothing falls between them; what comes twice
is dropped by its number. A publish that was lost is noticed by its missing number, or by the ``sync`` every few
seconds, and read from the database. A client that does not keep up is closed with 1013 and comes back with ``since``.

A thousand browsers that follow one job cost one subscription, and one read of the database wherever all of them have
to ask it: at a ``sync``, which falls on the same moment for all, at a gap, at the end.

Who may no longer see the job (disabled, signed out, taken out of the project) is sent away within a second, by one look
for all that are open here.
"""

import asyncio
import contextlib
import functools
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import structlog
from litestar import WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect
from litestar.params import FromPath, FromQuery

from visionai import tasks
from visionai.api.deps import parts
from visionai.api.parameters import Natural
from visionai.db import Database
from visionai.errors import VisionAIError
from visionai.identity import tokens
from visionai.identity.access import CurrentUser, current_user, still_allowed
from visionai.identity.tokens import Credential
from visionai.jobs import events, queries
from visionai.jobs.events import Event
from visionai.jobs.state import ENDED
from visionai.jobs.tables import Job
from visionai.parts import Parts
from visionai.pubsub import Feed
from visionai.wakeup import job_channel

log = structlog.get_logger()

SYNC_SECONDS = 5.0
LOOK_SECONDS = 1.0  # between two looks who may still follow
AWAY_SECONDS = 1.0  # between two looks into the database while Redis is away
SEND_SECONDS = 10.0
CLOSE_SECONDS = 5.0
PAGE = 500
UNAUTHORISED, TOO_SLOW, TOO_MANY = 1008, 1013, 4429

Socket = WebSocket[Any, Any, Any]


class Sent(NamedTuple):
    """An event as it goes out."""

    seq: int
    text: str
    ends: bool
    """With it the job has ended."""


class Page(NamedTuple):
    events: list[Sent]
    last: int
    """The number of the job's last event."""
    ended: str | None
    """The state in which it ended, or ``deleted``."""


class Place:
    """One WebSocket that is open: for whom, and into which project it looks."""

    def __init__(self, credential: Credential, project_id: UUID) -> None:
        self.asks = (credential, project_id)
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when they may look no longer."""


class Streams:
    """What this process's WebSockets share."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._open: defaultdict[UUID, set[Place]] = defaultdict(set)
        self._asked: dict[tuple[UUID, int], asyncio.Task[Page]] = {}

    @contextlib.contextmanager
    def place(self, credential: Credential, project_id: UUID) -> Iterator[Place | None]:
        """None if this user may not have one more open."""
        theirs = self._open[credential.user_id]
        if len(theirs) >= self.parts.settings.websockets_per_user:
            yield None
            return
        place = Place(credential, project_id)
        theirs.add(place)
        try:
            yield place
        finally:
            theirs.remove(place)
            if not theirs:
                del self._open[credential.user_id]

    @property
    def count(self) -> int:
        """How many are open here."""
        return sum(map(len, self._open.values()))

    async def watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except Exception:
                log.exception("look_at_sockets_failed", next="tried again")

    async def look(self) -> None:
        """Send those away who may no longer see what they follow."""
        places = [place for theirs in self._open.values() for place in theirs]
        if not places:
            return
        async with self.parts.db.read() as session:
            allowed = await still_allowed(session, {place.asks for place in places})
        for place in places:
            if place.asks not in allowed and not place.over.done():
                place.over.set_result(None)

    async def page(self, job_id: UUID, after: int) -> Page:
        """Read once for all who ask at the same time, and never before they asked."""
        key = (job_id, after)
        if key not in self._asked:
            self._asked[key] = asyncio.create_task(self._read(key))
        return await asyncio.shield(self._asked[key])

    def next_sync(self, job_id: UUID) -> float:
        """Seconds until then: the same moment for all who follow this job, other moments for other jobs."""
        if not self.parts.subscriber.connected:
            return AWAY_SECONDS
        phase = job_id.int % 1000 / 1000 * SYNC_SECONDS
        return SYNC_SECONDS - (asyncio.get_running_loop().time() - phase) % SYNC_SECONDS

    async def _read(self, key: tuple[UUID, int]) -> Page:
        await asyncio.sleep(0)  # whoever was woken with the first one comes along
        del self._asked[key]
        return await read_page(self.parts.db, *key)


@websocket("/ws/training/{job_id:uuid}", opt={"auth": "ticket"})
async def training(socket: Socket, job_id: FromPath[UUID], token: FromQuery[str] = "", since: Natural = 0) -> None:
    streams: Streams = socket.app.state.streams
    await socket.accept()
    try:
        user, project_id = await _admit(parts(socket), token, job_id)
    except VisionAIError as e:
        await _close(socket, UNAUTHORISED, e.detail)
        return
    assert user.credential is not None, "it was shown"
    with streams.place(user.credential, project_id) as place:
        if place is not None:
            with contextlib.suppress(WebSocketDisconnect, OSError):
                await follow(socket, streams, job_id, since, place.over)
        else:
            await _close(socket, TOO_MANY, "You have too many live connections open: close some.")


async def follow(
    socket: Socket, streams: Streams, job_id: UUID, since: int, over: asyncio.Future[None]
) -> None:  # fmt: skip
    """Returns when the job has ended or the client has gone, or was too slow, or it is ``over`` for them."""
    async with streams.parts.subscriber.follow(job_channel(job_id)) as feed:
        gone = asyncio.create_task(_until_gone(socket))
        for reason in (gone, over):
            reason.add_done_callback(lambda _: feed.lose())  # which wakes it
        try:
            last = since
            while not gone.done():
                if over.done():
                    await _close(socket, UNAUTHORISED, "You may no longer see this: sign in again.")
                    return
                last, ended = await _replay(socket, streams, job_id, last)
                if ended is not None:
                    await _send(socket, {"type": "end", "data": {"state": ended}})
                    await _close(socket, 1000, "")
                    return
                last = await _live(socket, feed, streams.next_sync(job_id), last)
        except TimeoutError:
            await _close(socket, TOO_SLOW, "Too slow: connect again with since.")
        finally:
            await tasks.end(gone)


async def read_page(db: Database, job_id: UUID, after: int) -> Page:
    async with db.read() as session:
        job = await session.get(Job, job_id)
        found = await events.since(session, job_id, after, PAGE)
    if job is None:
        return Page([], after, "deleted")
    return Page([_sent(event) for event in found], job.event_seq, job.state if job.state in ENDED else None)


async def _admit(p: Parts, token: str, job_id: UUID) -> tuple[CurrentUser, UUID]:
    """By a ticket, or for scripts an access token: who, and the job's project. Raises Unauthorised, or NotFound for
    somebody else's job."""
    try:
        shown = tokens.read_ticket(p.settings, token, job_id)
    except VisionAIError:
        shown = tokens.read_access_token(p.settings, token)
    async with p.db.read() as session:
        user = await current_user(session, shown)
        return user, (await queries.visible_job(session, user, job_id)).project_id


async def _replay(socket: Socket, streams: Streams, job_id: UUID, last: int) -> tuple[int, str | None]:
    """Send what the database has after ``last``. Returns the last number sent, and the state of an ended job."""
    while True:
        page = await streams.page(job_id, last)
        for event in page.events:
            await _send(socket, event)
            last = event.seq
        if len(page.events) < PAGE:
            if page.ended is not None and last >= page.last:
                return last, page.ended
            await _send(socket, {"type": "sync", "data": {"seq": last}})
            return last, None


async def _live(socket: Socket, feed: Feed, seconds: float, last: int) -> int:
    """Pass on what is published while it follows on without a gap; return to have the database asked again."""
    clock = asyncio.get_running_loop().time
    end = clock() + seconds
    while (left := end - clock()) > 0 and (message := await feed.get(left)) is not None:
        event = _published(message)
        if event.seq <= last:
            continue
        if event.seq != last + 1 or event.ends:
            return last
        await _send(socket, event)
        last = event.seq
    return last


@functools.lru_cache(maxsize=256)
def _published(message: bytes) -> Sent:
    """Decoded once for all who follow."""
    return _sent(msgspec.json.decode(message, type=Event))


def _sent(event: Event) -> Sent:
    ends = event.type == "state" and event.data["state"] in ENDED
    return Sent(event.seq, msgspec.json.encode(event).decode(), ends)


async def _until_gone(socket: Socket) -> None:
    """Returns when the client has left; what it sends is ignored."""
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            await socket.receive_data("text")


async def _send(socket: Socket, message: Sent | dict[str, Any]) -> None:
    """Raises TimeoutError if the client does not take it."""
    text = message.text if isinstance(message, Sent) else msgspec.json.encode(message).decode()
    async with asyncio.timeout(SEND_SECONDS):
        await socket.send_data(text)


async def _close(socket: Socket, code: int, reason: str) -> None:
    """A client that takes nothing is not waited for: the connection ends with the handler."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_SECONDS):
            await socket.close(code, reason[:120])
