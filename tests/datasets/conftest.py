from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # archives.py and dataset_world.py, beside the tests

from dataset_world import World, running

from visionai.app import create_app
from visionai.frameworks import Frameworks
from visionai.settings import Settings, prepare


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return prepare(Settings(data_dir=tmp_path / "data", upload_max_bytes=5_000_000))


async def _know_nothing(frameworks: Frameworks) -> None:
    """Trainers are not the subject here; asking each of them takes a process."""
    await asyncio.Event().wait()


@pytest.fixture
async def world(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(Frameworks, "watch", _know_nothing)
    app = create_app(settings, {"PATH": "/usr/bin:/bin"}, background=False)
    transport = httpx.ASGITransport(app)
    async with running(app), httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        world = World(app, client)
        await world.populate()
        yield world
        await world.parts.redis.connection_pool.disconnect()
