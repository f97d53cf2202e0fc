"""Is the process up; do its parts answer."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from sqlalchemy import text

from visionai.api.shapes import PartHealth, Readiness
from visionai.parts import Parts

PART_SECONDS = 2.0  # less than a probe waits


@get("/healthz", opt={"public": True}, tags=["system"], sync_to_thread=False, summary="The process is up")
def healthz() -> dict[str, bool]:
    return {"ok": True}


@get("/readyz", opt={"public": True}, tags=["system"], summary="Database, Redis, storage and worker answer")
async def readyz(parts: NamedDependency[Parts]) -> Response[Readiness]:
    checks = {
        "database": _database(parts),
        "redis": parts.redis.ping(),
        "storage": parts.storage.check(),
        "worker": _worker(parts),
    }
    answers = await asyncio.gather(*(_answer(check) for check in checks.values()))
    ready = Readiness(all(a.ok for a in answers), dict(zip(checks, answers, strict=True)))
    return Response(ready, status_code=200 if ready.ok else 503)


async def _answer(check: Awaitable[Any]) -> PartHealth:
    try:
        await asyncio.wait_for(check, PART_SECONDS)
    except Exception as e:  # whatever is wrong with a part is what is asked for here
        return PartHealth(False, f"{type(e).__name__}: {e}".removesuffix(": "))
    return PartHealth(True)


async def _database(parts: Parts) -> None:
    async with parts.db.read() as session:
        await session.execute(text("SELECT 1"))


async def _worker(parts: Parts) -> None:
    if (
        parts.last_sweep is None
        or asyncio.get_running_loop().time() - parts.last_sweep > 10 * parts.settings.sweep_seconds
    ):
        raise RuntimeError("no sweep of late")
