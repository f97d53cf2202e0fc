"""Trainers as processes of this machine, each under a wrapper that survives the server.

A launch's run directory is its identity: ``RUNS/launch_id`` with ``lock``, ``pid.json``, ``exit.json``, ``output.log``
and ``work``. ``start`` may be repeated at any point: the wrapper's flock lets one through, and everyone adopts it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

import msgspec

from visionai import locks
from visionai.errors import Unavailable
from visionai.executors import wrapper
from visionai.executors.base import Exited, Gone, Handle, Launch, Observation, Running

START_SECONDS = 10.0
LOOKS = 100


class Written(msgspec.Struct, frozen=True):
    """What a wrapper writes of itself."""

    pid: int
    start_time: int
    boot_id: str
    lock: str
    """The file it has locked. In a copy of the data directory that is another one, and the process not ours."""


class SubprocessExecutor:
    def __init__(self, runs: Path, host_id: str, *, boot_id: str | None = None) -> None:
        self.runs = runs
        self.host_id = host_id
        self.boot_id = boot_id or wrapper.boot_id()
        runs.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def start(self, launch: Launch) -> Handle:
        run_dir = self.run_dir(launch.launch_id)
        run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        if (adopted := self._written_handle(run_dir)) is not None:
            return adopted
        if _exit_code(run_dir) is not None:
            raise Unavailable(f"The launch {launch.launch_id} was given up before it was started.")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", wrapper.__file__, str(run_dir), *launch.argv,
            env=launch.env, cwd=run_dir,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        await process.wait()  # it forks and leaves at once
        handle = await self._await_handle(run_dir)
        if handle is None:
            raise Unavailable(f"The trainer's wrapper did not start; its folder is {run_dir}.")
        return handle

    async def adopt(self, launch_id: str) -> Handle | None:
        run_dir = self.run_dir(launch_id)
        run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        if (found := self._written_handle(run_dir)) is not None:
            return found
        with (run_dir / "lock").open("a") as lock:
            if not await asyncio.to_thread(locks.take, lock):  # a wrapper is just starting: it writes its pid next
                return await self._await_handle(run_dir)
            if (found := self._written_handle(run_dir)) is None:
                wrapper.write(str(run_dir), "exit.json", {"code": wrapper.NEVER_STARTED})
            return found

    async def poll(self, handle: Handle) -> Observation:
        run_dir = Path(handle.run_dir)
        if (code := _exit_code(run_dir)) is not None:
            return Exited(code)
        if handle.host_id != self.host_id:
            return Gone("it ran on another machine", uncounted=True)
        if handle.boot_id != self.boot_id:
            return Gone("the machine or the container was restarted", uncounted=True)
        if wrapper.start_time(handle.pid) == handle.start_time and _alive(handle.pid):
            return Running()
        if (code := _exit_code(run_dir)) is not None:  # written between the two looks
            return Exited(code)
        if not await asyncio.to_thread(_end_left_behind, handle.run_dir):
            return Running()
        return Gone("its process has disappeared")

    async def stop(self, handle: Handle, *, kill: bool = False) -> None:
        if not isinstance(await self.poll(handle), Running):
            return
        wrapper_signal(handle.pid, wrapper.KILL if kill else signal.SIGTERM)

    def run_dir(self, launch_id: str) -> Path:
        return self.runs / launch_id

    async def launches(self) -> list[str]:
        return sorted(path.name for path in self.runs.iterdir())

    async def remove(self, launch_id: str) -> None:
        await asyncio.to_thread(shutil.rmtree, self.run_dir(launch_id), ignore_errors=True)

    async def _await_handle(self, run_dir: Path) -> Handle | None:
        """The wrapper writes its pid within some 30 ms; the loser of two finds the winner's."""
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            if (handle := self._written_handle(run_dir)) is not None:
                return handle
            await asyncio.sleep(0.005)
        return None

    def _written_handle(self, run_dir: Path) -> Handle | None:
        try:
            written = msgspec.json.decode((run_dir / "pid.json").read_bytes(), type=Written)
            if written.lock != wrapper.identity(str(run_dir / "lock")):
                return None
        except FileNotFoundError:
            return None
        return Handle(
            host_id=self.host_id, boot_id=written.boot_id, run_dir=str(run_dir), pid=written.pid,
            start_time=written.start_time,
        )  # fmt: skip


def this_host(data_dir: Path) -> str:
    """Identifies this data directory on this machine; a copy elsewhere is another host."""
    machine = Path("/etc/machine-id")
    seed = machine.read_text().strip() if machine.exists() else uuid.getnode()
    stat = data_dir.stat()
    return uuid.uuid5(uuid.NAMESPACE_OID, f"{seed}:{stat.st_dev}:{stat.st_ino}:{data_dir}").hex


def trainer_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What a trainer inherits: an allowlist, so that no secret of the server's ever reaches it."""
    return {name: environ[name] for name in INHERITED if name in environ}


INHERITED = (
    "PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "CUDA_HOME", "CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "MKL_NUM_THREADS",
    "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "HF_HOME", "TORCH_HOME", "VIRTUAL_ENV",
)  # fmt: skip


def wrapper_signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
        os.kill(pid, signal.SIGCONT)  # one that was stopped, by Ctrl-Z or a debugger, would never notice


def _end_left_behind(run_dir: str) -> bool:
    """Kill what a trainer started and its killed wrapper could not end. False if some of it is there all the same."""
    for _ in range(LOOKS):
        left = [pid for pid in _processes() if _marked(pid, run_dir) and _alive(pid)]
        if not left:
            return True
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
    return False


def _processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").glob("[0-9]*")]


def _marked(pid: int, run_dir: str) -> bool:
    try:
        return f"{wrapper.MARK}={run_dir}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:  # it has gone, or is another user's
        return False


def _exit_code(run_dir: Path) -> int | None:
    try:
        return msgspec.json.decode((run_dir / "exit.json").read_bytes(), type=dict[str, int])["code"]
    except FileNotFoundError:
        return None


def _alive(pid: int) -> bool:
    """A zombie is not alive: it only waits to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except OSError:
        return False
