"""``visionai serve``: one process on one data directory, and a line that says where it is."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import uvicorn

from visionai.app import create_app
from visionai.errors import Conflict, SettingsError
from visionai.identity.accounts import new_setup_token
from visionai.settings import Settings

SHUTDOWN_SECONDS = 5
STOP_SECONDS = 60.0


class Announcement(msgspec.Struct):
    """Also kept as ``server.json`` in the data directory while the app runs."""

    url: str
    setup_url: str | None
    data_dir: str
    pid: int


def serve(settings: Settings, *, as_json: bool) -> int:
    """Runs until SIGTERM or SIGINT. Raises SettingsError if the address or the data directory is taken."""
    os.umask(0o077)  # what is kept is the server's own, whoever made its folder
    with _only_one(settings.data_dir), _listen(settings) as listener:
        settings = msgspec.structs.replace(settings, port=listener.getsockname()[1])
        app = create_app(settings)
        config = uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, ws="websockets-sansio",
            timeout_graceful_shutdown=SHUTDOWN_SECONDS, proxy_headers=True,
        )  # fmt: skip

        class Server(uvicorn.Server):
            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                await super().startup(sockets)
                if self.started:
                    _announce(settings, await new_setup_token(app.state.parts.db), as_json=as_json)

        server = Server(config)
        for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn stops at them, and raises them once more afterwards
            signal.signal(number, lambda *_: None)
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(server.serve([listener]))
        (settings.data_dir / "server.json").unlink(missing_ok=True)
        return 0 if server.started else 1


def stop(settings: Settings) -> bool:
    """End the app that runs on this data directory and wait for it. False if none runs. Raises Conflict if it stays."""
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not _is_taken(settings.data_dir):
        return False
    try:
        pid = msgspec.json.decode((settings.data_dir / "server.json").read_bytes(), type=Announcement).pid
        os.kill(pid, signal.SIGTERM)
    except (OSError, msgspec.DecodeError):
        raise Conflict(f"An app runs on {settings.data_dir} and does not say as which process.") from None
    deadline = time.monotonic() + STOP_SECONDS
    while _is_taken(settings.data_dir):
        if time.monotonic() > deadline:
            raise Conflict(f"It has not ended within {STOP_SECONDS:.0f} s: its process is {pid}.")
        time.sleep(0.1)
    return True


def _is_taken(data_dir: Path) -> bool:
    try:
        with _only_one(data_dir):
            return False
    except SettingsError:
        return True


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
def _only_one(data_dir: Path) -> Iterator[None]:
    with (data_dir / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingsError(
                f"DATA_DIR={data_dir} is in use by another VisionAI: stop that one, or name another folder."
            ) from None
        yield


@contextmanager
def _listen(settings: Settings) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except OSError as e:
            raise SettingsError(
                f"HOST={settings.host} PORT={settings.port} cannot be listened on ({e.strerror}): choose another PORT."
            ) from None
        yield listener
