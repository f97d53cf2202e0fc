"""The embedded Valkey, with real processes: where it lies, that it comes back, and that it is nobody else's."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from arq.worker import Worker, func

from visionai import redis
from visionai.redis import EmbeddedRedis, connect

pytestmark = pytest.mark.process


async def started(data_dir: Path) -> EmbeddedRedis:
    data_dir.mkdir(parents=True, exist_ok=True)
    embedded = EmbeddedRedis(data_dir)
    await embedded.start()
    await embedded.ready()
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


async def answers(server: EmbeddedRedis) -> None:
    client = connect(None, server)
    try:
        async with asyncio.timeout(20):
            while not await redis._answers(client):  # noqa: ASYNC110  (another process has no event to set)
                await asyncio.sleep(0.01)
    finally:
        await client.aclose(close_connection_pool=True)


async def until(look: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not look():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_it_comes_back_although_what_tidies_tmp_has_taken_its_folder(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path)
    await server.start()
    first = server._process
    assert first is not None
    shutil.rmtree(server.socket.parent)
    first.kill()
    await until(lambda: server._process is not first)
    await answers(server)
    await server.stop()
    assert not server.socket.parent.exists()


async def test_one_that_hangs_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(redis, "ANSWER_SECONDS", 0.1)
    server = await started(tmp_path)
    first = server._process
    assert first is not None
    first.send_signal(signal.SIGSTOP)
    await until(lambda: server._process is not first)
    await answers(server)
    await server.stop()


async def test_that_it_could_not_be_started_once_does_not_keep_it_from_being_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis, "RETRY_SECONDS", 0.01)
    server = EmbeddedRedis(tmp_path)
    await server.start()
    first = server._process
    assert first is not None
    pidfile = tmp_path / "valkey.pid"
    pidfile.unlink()
    pidfile.mkdir()  # as a full disk, it cannot be written
    first.kill()
    await until(lambda: server._process is not first)
    pidfile.rmdir()
    await until(pidfile.exists)
    await answers(server)
    await server.stop()


async def test_a_copy_of_the_data_directory_leaves_the_originals_alone(tmp_path: Path) -> None:
    (tmp_path / "original").mkdir()
    original = EmbeddedRedis(tmp_path / "original")
    await original.start()
    first = original._process
    shutil.copytree(tmp_path / "original", tmp_path / "copy", ignore=shutil.ignore_patterns("*.sock"))
    copy = EmbeddedRedis(tmp_path / "copy")
    await copy.start()
    await answers(original)
    await answers(copy)
    assert original._process is first, "it was killed, and supervision started another one"
    await copy.stop()
    await original.stop()


async def test_what_was_lent_to_an_arq_worker_is_not_closed_by_it(tmp_path: Path) -> None:
    server = await started(tmp_path)
    client = connect(None, server)
    async with client.pubsub() as pubsub:
        await pubsub.subscribe("followed")
        assert await pubsub.get_message(timeout=5)
        await Worker([func(answers, name="any")], redis_pool=client, handle_signals=False).close()
        await client.publish("followed", b"still heard")
        message = await pubsub.get_message(timeout=5)
        assert message is not None
        assert message["data"] == b"still heard"
    await client.aclose(close_connection_pool=True)
    await server.stop()


async def test_what_a_killed_server_left_behind_is_ended(tmp_path: Path) -> None:
    killed = EmbeddedRedis(tmp_path)
    await killed._launch()
    await killed.ready()
    after = EmbeddedRedis(tmp_path)
    await after.start()
    assert killed._process is not None
    assert await killed._process.wait() == -9
    await after.stop()


async def test_it_starts_where_nothing_can_make_it_die_with_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "setpriv"
    other.write_text("#!/bin/sh\nexit 1\n")
    other.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    redis._dies_with_us.cache_clear()
    server = await started(tmp_path)
    await server.stop()
    redis._dies_with_us.cache_clear()


async def test_it_dies_with_a_server_that_is_killed(tmp_path: Path) -> None:
    program = f"""
import asyncio, pathlib
from visionai.redis import EmbeddedRedis
async def main():
    server = EmbeddedRedis(pathlib.Path({str(tmp_path)!r}))
    await server.start()
    await server.ready()
    print(server._process.pid, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""
    server = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    assert server.stdout is not None
    valkey = psutil.Process(int(await server.stdout.readline()))
    server.kill()
    await server.wait()
    valkey.wait(20)
