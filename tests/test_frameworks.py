"""The count of a framework's models gives way to trainings, and is made after them."""

from __future__ import annotations

import asyncio
import fcntl
from pathlib import Path

import pytest

from visionai import frameworks
from visionai.frameworks import Framework, Frameworks
from visionai.settings import Settings


class Counting(Frameworks):
    """Counts until it is let; remembers each begin."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(Settings(data_dir=data_dir), {})
        self.begun = 0
        self.running = False
        self.counted = asyncio.Event()

    async def _run(self, name: str, *arguments: str, seconds: float | None = None, apart: bool = False) -> bytes:
        assert apart
        self.begun, self.running = self.begun + 1, True
        try:
            await self.counted.wait()
        finally:
            self.running = False
        return b"counted"


async def until(condition) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(frameworks, "GIVE_WAY_SECONDS", 0.001)


@pytest.mark.parametrize("listed", [True, False])
async def test_the_count_gives_way_while_a_training_runs_once_the_models_are_listed(tmp_path, listed):
    run = tmp_path / "runs" / "job-1-1"
    run.mkdir(parents=True)
    counting = Counting(tmp_path)
    counting.know(Framework("timm", "ready" if listed else "installing", ""))
    task = asyncio.create_task(counting._count("timm"))
    await until(lambda: counting.running)
    with (run / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if listed:
            await until(lambda: not counting.running)
        else:
            assert counting.running
    await until(lambda: counting.running)
    counting.counted.set()
    assert await task == b"counted"
    assert counting.begun == (2 if listed else 1)


async def test_nothing_goes_on_when_it_is_no_longer_wanted(tmp_path):
    counting = Counting(tmp_path)
    task = asyncio.create_task(counting._count("timm"))
    await until(lambda: counting.running)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not counting.running
