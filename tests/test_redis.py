"""The embedded Redis: where it lies, and what a server that was killed leaves of it."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path

import pytest

from visionai.redis import EmbeddedRedis

pytestmark = pytest.mark.process


async def started(data_dir: Path) -> EmbeddedRedis:
    data_dir.mkdir(parents=True, exist_ok=True)
    embedded = EmbeddedRedis(data_dir)
    await embedded.start()
    return embedded


def kill(embedded: EmbeddedRedis) -> None:
    """As it is after the server was killed, and the machine killed it too."""
    assert embedded._supervisor is not None
    assert embedded._process is not None
    embedded._supervisor.cancel()
    os.kill(embedded._process.pid, signal.SIGKILL)


@pytest.fixture
def short() -> Path:
    """pytest's own folders may be too long for a socket."""
    return Path(tempfile.mkdtemp())


async def test_it_lies_in_the_data_directory_and_leaves_nothing(short):
    embedded = await started(short)
    assert embedded.socket.is_relative_to(short)
    await embedded.stop()
    assert list(short.iterdir()) == []
    short.rmdir()


async def test_where_the_path_is_too_long_what_a_killed_one_left_is_removed_at_the_next_start(tmp_path):
    data_dir = tmp_path / ("long" * 20)
    killed = await started(data_dir)
    assert not killed.socket.is_relative_to(data_dir)
    kill(killed)
    await killed._process.wait()
    assert killed.socket.exists()
    again = await started(data_dir)
    assert not killed.socket.parent.exists()
    await again.stop()
    assert not again.socket.parent.exists()


async def test_one_in_the_data_directory_starts_again_where_a_killed_one_lay(short):
    killed = await started(short)
    kill(killed)
    await killed._process.wait()
    again = await started(short)
    assert again.socket == killed.socket
    await again.stop()
    assert list(short.iterdir()) == []
    short.rmdir()
