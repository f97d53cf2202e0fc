"""``visionai serve``: one process on one data directory, and a line that says where it is."""

from __future__ import annotations

import asyncio
import errno
import gc
import json
import os
import resource
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import uvicorn

from visionai import locks
from visionai.app import create_app
from visionai.db import database_url, refuse_unusable
from visionai.errors import Conflict, SettingsError
from visionai.identity.accounts import new_setup_token
from visionai.settings import Settings

SHUTDOWN_SECONDS = 5
STOP_SECONDS, TELL_SECONDS = 60.0, 3.0
PROBE_SECONDS = 2.0
FILES = 65_536


class Announcement(msgspec.Struct):
    """Also kept as ``server.json`` in the data directory while the app runs."""

    url: str
    setup_url: str | None
    data_dir: str
    pid: int


def serve(settings: Settings, *, as_json: bool) -> int:
    """Runs until SIGTERM or SIGINT. Raises SettingsError if the address or the data directory is taken."""
    _allow_many_files()
    os.umask(0o077)  # what is kept is the server's own, whoever made its folder
    with only_one(settings.data_dir), _listen(settings) as listener:
        refuse_unusable(database_url(settings.database_url, settings.data_dir))
        settings = msgspec.structs.replace(settings, port=listener.getsockname()[1])
        app = create_app(settings)
        config = configuration(app, settings)

        class Server(uvicorn.Server):
            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                await super().startup(sockets)
                gc.freeze()  # what the start made stays: no later collection looks at it again
                gc.enable()
                if self.started:
                    _announce(settings, await new_setup_token(app.state.parts.db), as_json=as_json)

        server = Server(config)
        for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn stops at them, and raises them once more afterwards
            signal.signal(number, lambda *_: None)
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(server.serve([listener]))
        (settings.data_dir / "server.json").unlink(missing_ok=True)
        return 0 if server.started else 1


def configuration(app: Callable[..., Any], settings: Settings) -> uvicorn.Config:
    """``X-Forwarded-For`` counts where a trusted proxy sends it: its last entry that is not a trusted proxy's own."""
    return uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, ws="websockets-sansio",
        timeout_graceful_shutdown=SHUTDOWN_SECONDS, proxy_headers=settings.trusted_proxies is not None,
        forwarded_allow_ips=settings.trusted_proxies or "",
    )  # fmt: skip


def running(data_dir: Path) -> Announcement | None:
    """The app that runs on this data directory, as it announced itself; None while none runs or it only starts."""
    try:
        where = msgspec.json.decode((data_dir / "server.json").read_bytes(), type=Announcement)
    except (OSError, msgspec.DecodeError):
        return None
    return where if _is_taken(data_dir) and _holds(where.pid, data_dir / "lock") else None


def stop(data_dir: Path) -> bool:
    """End the app that runs on this data directory and wait for it. False if none runs. Raises Conflict if it stays."""
    if not _is_taken(data_dir):
        return False
    where = running(data_dir)
    if where is None:
        holder = _holder(data_dir / "lock")
        known = f" If it stays so, end its process: kill {holder}." if holder is not None else ""
        raise Conflict(
            f"The app on {data_dir} is just starting or ending, or is not on this machine: try again.{known}"
        )
    pid = where.pid
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        pass  # it has just ended
    except PermissionError:
        raise Conflict(f"The app on {data_dir} is another user's: its process is {pid}.") from None
    began, told = time.monotonic(), False
    while _is_taken(data_dir):
        waited = time.monotonic() - began
        if waited > STOP_SECONDS:
            raise Conflict(
                f"It has not ended within {STOP_SECONDS:.0f} s, so it hangs. To end it: kill -9 {pid}. Nothing is lost "
                "by that; what it trains goes on and is taken up at the next start."
            )
        if waited > TELL_SECONDS and not told:
            print(f"Process {pid} is asked to end, and has not yet: it is given {STOP_SECONDS:.0f} s.", flush=True)
            told = True
        time.sleep(0.1)
    return True


def _allow_many_files() -> None:
    """Each WebSocket is a file, and the usual soft limit is 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _is_taken(data_dir: Path) -> bool:
    try:
        return locks.is_locked(data_dir / "lock")
    except OSError as e:
        raise SettingsError(f"DATA_DIR={data_dir} cannot be looked into ({e.strerror}).") from e


def _holds(pid: int, lock: Path) -> bool:
    """Whether this process has the lock file open: a number in an old server.json may be a stranger's by now."""
    try:
        return any(file.exists() and file.samefile(lock) for file in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False


def _holder(lock: Path) -> int | None:
    """The process that has the lock file open, where what the app announced of itself is lost."""
    others = (int(process.name) for process in Path("/proc").glob("[0-9]*") if int(process.name) != os.getpid())
    return next((pid for pid in others if _holds(pid, lock)), None)


def _announce(settings: Settings, token: str | None, *, as_json: bool) -> None:
    setup_url = f"{settings.url}/setup#token={token}" if token is not None else None
    where = Announcement(settings.url, setup_url, str(settings.data_dir), os.getpid())
    public = msgspec.structs.replace(where, setup_url=None)  # a one-time token does not belong in a file
    (settings.data_dir / "server.json").write_bytes(msgspec.json.encode(public))
    if as_json:
        print(json.dumps(msgspec.to_builtins(where)), flush=True)
        return
    print(f"\n  VisionAI is at   {where.url}\n  its data is in   {where.data_dir}", flush=True)
    if setup_url is not None:
        print(f"\n  First start: open this link once to make your account:\n\n    {setup_url}\n", flush=True)


@contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Raises SettingsError while another process works on this data directory."""
    try:
        lock = (data_dir / "lock").open("a")
    except OSError as e:
        raise SettingsError(f"DATA_DIR={data_dir} cannot be written ({e.strerror}): name another folder.") from e
    with lock:
        if not locks.take(lock):
            where = running(data_dir)
            at = f", at {where.url}" if where is not None else ""
            raise SettingsError(
                f"DATA_DIR={data_dir} is in use by a VisionAI that runs already{at}. To stop it: "
                f"visionai stop --data-dir {data_dir}. Or name another folder."
            )
        yield


@contextmanager
def _listen(settings: Settings) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except OSError as e:
            raise SettingsError(_cannot_listen(settings, e)) from None
        yield listener


def _cannot_listen(settings: Settings, problem: OSError) -> str:
    if isinstance(problem, socket.gaierror) or problem.errno == errno.EADDRNOTAVAIL:
        return f"HOST={settings.host} is no address of this machine: use 127.0.0.1, or 0.0.0.0 for all it has."
    if problem.errno == errno.EACCES:
        return f"PORT={settings.port} is not open to you: choose another PORT, 1024 or higher."
    if problem.errno != errno.EADDRINUSE:
        return f"HOST={settings.host} PORT={settings.port} cannot be listened on ({problem.strerror})."
    at = msgspec.structs.replace(settings, public_url=None).url
    if _is_visionai(at):
        return f"PORT={settings.port} is taken by a VisionAI that runs already: open {at}, or choose another PORT."
    return f"PORT={settings.port} is taken by another program: choose another PORT (0 takes a free one)."


def _is_visionai(url: str) -> bool:
    import httpx  # noqa: PLC0415  (60 ms that are needed here alone)

    try:
        said = httpx.get(f"{url}/api/v1/openapi.json", timeout=PROBE_SECONDS, trust_env=False).json()
        return bool(said["info"]["title"] == "VisionAI")
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return False
