"""A job's events over a WebSocket: subscribe, replay, then live; each event once and in order.

The subscription comes first, then the replay from the database, so that nothing falls between them; what comes twice
is dropped by its number. A publish that was lost is noticed by its missing number, or by the ``sync`` every few
seconds, and read from the database. A client that does not keep up is closed with 1013 and comes back with ``since``.
"""

import asyncio
import contextlib
from typing import Any
from uuid import UUID

import msgspec
import structlog
from litestar import WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect
from litestar.params import FromPath, FromQuery
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from visionai.api.deps import parts
from visionai.errors import VisionAIError
from visionai.identity import tokens
from visionai.identity.access import current_user
from visionai.jobs import events, queries
from visionai.jobs.events import Event
from visionai.jobs.state import ENDED
from visionai.jobs.tables import Job
from visionai.parts import Parts
from visionai.wakeup import job_channel

log = structlog.get_logger()

SYNC_SECONDS = 5.0
SEND_SECONDS = 10.0
PAGE = 500
UNAUTHORISED, TOO_SLOW = 1008, 1013

Socket = WebSocket[Any, Any, Any]


@websocket("/ws/training/{job_id:uuid}", opt={"auth": "ticket"})
async def training(
    socket: Socket, job_id: FromPath[UUID], token: FromQuery[str] = "", since: FromQuery[int] = 0
) -> None:
    p = parts(socket)
    await socket.accept()
    try:
        await _admit(p, token, job_id)
    except VisionAIError as e:
        await socket.close(UNAUTHORISED, e.detail[:120])
        return
    with contextlib.suppress(WebSocketDisconnect):
        await _follow(socket, p, job_id, since)


async def _admit(p: Parts, token: str, job_id: UUID) -> None:
    """A ticket, or for scripts an access token. Raises Unauthorised, or NotFound for somebody else's job."""
    try:
        user_id = tokens.read_ticket(p.settings, token, job_id)
    except VisionAIError:
        user_id = tokens.read_access_token(p.settings, token)
    async with p.db.read() as session:
        await queries.visible_job(session, await current_user(session, user_id), job_id)


async def _follow(socket: Socket, p: Parts, job_id: UUID, since: int) -> None:
    async with p.redis.pubsub(ignore_subscribe_messages=True) as pubsub:
        await _subscribe(pubsub, job_id)
        gone = asyncio.create_task(_until_gone(socket))
        try:
            last = since
            while not gone.done():
                last, ended = await _replay(socket, p, job_id, last)
                if ended is not None:
                    await _send(socket, {"type": "end", "data": {"state": ended}})
                    await socket.close(1000)
                    return
                last = await _live(socket, pubsub, gone, last)
        except TimeoutError:
            await socket.close(TOO_SLOW, "Too slow: connect again with since.")
        finally:
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)


async def _replay(socket: Socket, p: Parts, job_id: UUID, last: int) -> tuple[int, str | None]:
    """Send what the database has after ``last``. Returns the last number sent, and the state of an ended job."""
    while True:
        async with p.db.read() as session:
            job = await session.get(Job, job_id)
            found = await events.since(session, job_id, last, PAGE)
        for event in found:
            await _send(socket, event)
            last = event.seq
        if len(found) < PAGE:
            ended = job is None or (job.state in ENDED and last >= job.event_seq)
            if not ended:
                await _send(socket, {"type": "sync", "data": {"seq": last}})
            return last, (job.state if job is not None else "deleted") if ended else None


async def _live(socket: Socket, pubsub: PubSub, gone: asyncio.Task[None], last: int) -> int:
    """Pass on what is published while it follows on without a gap; return to have the database asked again."""
    deadline = asyncio.get_running_loop().time() + SYNC_SECONDS
    while not gone.done():
        timeout = deadline - asyncio.get_running_loop().time()
        if timeout <= 0:
            return last
        try:
            message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=timeout)
        except (RedisError, OSError):
            await asyncio.wait([gone], timeout=1.0)  # Redis is away: the database is asked instead
            return last
        if message is None:
            continue
        event = msgspec.json.decode(message["data"], type=Event)
        if event.seq <= last:
            continue
        if event.seq != last + 1 or (event.type == "state" and event.data["state"] in ENDED):
            return last
        await _send(socket, event)
        last = event.seq
    return last


async def _subscribe(pubsub: PubSub, job_id: UUID) -> None:
    try:
        await pubsub.subscribe(job_channel(job_id))
    except (RedisError, OSError) as e:
        log.warning("subscribe_failed", error=str(e), next="events come from the database every few seconds")


async def _until_gone(socket: Socket) -> None:
    """Returns when the client has left; what it sends is ignored."""
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            await socket.receive_data("text")


async def _send(socket: Socket, message: object) -> None:
    """Raises TimeoutError if the client does not take it."""
    async with asyncio.timeout(SEND_SECONDS):
        await socket.send_data(msgspec.json.encode(message).decode())
