"""Is the process up; do its parts answer, and how fast."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from sqlalchemy import text

from visionai.api.shapes import PartHealth, Readiness
from visionai.api.system_shapes import TimedHealth
from visionai.parts import Parts

PART_SECONDS = 2.0  # less than a probe waits


@get("/healthz", opt={"public": True}, tags=["system"], sync_to_thread=False, summary="The process is up")
def healthz() -> dict[str, bool]:
    return {"ok": True}


@get("/readyz", opt={"public": True}, tags=["system"], summary="Database, Redis, storage and worker answer")
async def readyz(parts: NamedDependency[Parts]) -> Response[Readiness]:
    found = await look(parts)
    answers = {name: PartHealth(part.ok, part.message) for name, part in found.items()}
    ready = Readiness(all(part.ok for part in answers.values()), answers)
    return Response(ready, status_code=200 if ready.ok else 503)


async def look(parts: Parts) -> dict[str, TimedHealth]:
    """All of them at once, for ``PART_SECONDS`` at most."""
    checks = {
        "database": _database(parts),
        "redis": parts.redis.ping(),
        "storage": parts.storage.check(),
        "worker": _worker(parts),
    }
    answers = await asyncio.gather(*(_answer(check) for check in checks.values()))
    return dict(zip(checks, answers, strict=True))


async def _answer(check: Awaitable[Any]) -> TimedHealth:
    ok, message, began = True, "", time.perf_counter()
    try:
        await asyncio.wait_for(check, PART_SECONDS)
    except Exception as e:  # whatever is wrong with a part is what is asked for here
        ok, message = False, f"{type(e).__name__}: {e}".removesuffix(": ")
    return TimedHealth(ok, message, time.perf_counter() - began)


async def _database(parts: Parts) -> None:
    async with parts.db.read() as session:
        await session.execute(text("SELECT 1"))


async def _worker(parts: Parts) -> None:
    if (
        parts.last_sweep is None
        or asyncio.get_running_loop().time() - parts.last_sweep > 10 * parts.settings.sweep_seconds
    ):
        raise RuntimeError("no sweep of late")
