"""Ending asyncio tasks for sure."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

AGAIN_SECONDS = 2.0


async def end(*tasks: asyncio.Task[object]) -> None:
    """Cancel them until they have ended, whatever they raise.

    Once is not enough: a cancellation that arrives in the same turn of the loop as what the task waits for is swallowed
    by ``asyncio.wait_for`` and by some libraries (arq's poll loop over redis-py was seen to go on).
    """
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=AGAIN_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)  # so that none is reported as never looked at


async def surely(what: Coroutine[Any, Any, T]) -> T:
    """Wait to its end, however often the one who waits is cancelled meanwhile: for what cleans up after a cancellation
    and must not be broken off by the next."""
    task = asyncio.create_task(what)
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            continue
    return task.result()
