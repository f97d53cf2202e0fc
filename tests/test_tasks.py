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


async def test_cleaning_up_is_not_broken_off_by_the_next_cancellation() -> None:
    cleaned, may_end = asyncio.Event(), asyncio.Event()

    async def clean() -> str:
        await may_end.wait()
        cleaned.set()
        return "clean"

    waiting = asyncio.create_task(tasks.surely(clean()))
    for _ in range(3):
        await asyncio.sleep(0)
        waiting.cancel()
    await asyncio.sleep(0)
    assert not waiting.done()
    may_end.set()
    assert await waiting == "clean" and cleaned.is_set()
