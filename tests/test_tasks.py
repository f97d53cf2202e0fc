"""Ending asyncio tasks."""

from __future__ import annotations

import asyncio

from visionai import tasks


async def test_a_task_that_swallows_a_cancellation_ends_all_the_same(monkeypatch) -> None:
    monkeypatch.setattr(tasks, "AGAIN_SECONDS", 0.01)
    swallowed = asyncio.Event()

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed.set()
        await asyncio.Event().wait()

    async def failing() -> None:
        raise ValueError

    made = [asyncio.create_task(stubborn()), asyncio.create_task(failing())]
    await asyncio.sleep(0)
    await tasks.end(*made)
    assert swallowed.is_set()
    assert [task.done() for task in made] == [True, True]


async def test_nothing_to_end_is_no_error() -> None:
    await tasks.end()
