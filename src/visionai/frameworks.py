"""Which frameworks can train here: what their trainers say of themselves, read without importing any of them.

A trainer is asked in a process of its own (``python -m visionai.trainers NAME describe``), with the interpreter the
framework is installed in. Its catalogue of models is generated once per installed version, in the background. Until
then the framework is ``installing`` or ``absent``, and says which command changes that.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
import structlog

from visionai import locks, pip, tasks
from visionai.errors import Conflict
from visionai.executors.subprocess import trainer_environment
from visionai.settings import Settings
from visionai.trainers.contract import Manifest, ModelEntry

log = structlog.get_logger()

NAMES = ("timm",)
CHECK_SECONDS = 2.0
CATALOGUE_CHECK_SECONDS = 10.0
IDLE_CHECK_SECONDS = 60.0
GIVE_WAY_SECONDS = 0.5
DESCRIBE_SECONDS = 60.0
INTERRUPTED = (128 + signal.SIGINT, 128 + signal.SIGTERM)

Status = Literal["ready", "installing", "absent", "error"]


class Framework(msgspec.Struct, frozen=True):
    name: str
    status: Status
    message: str
    manifest: Manifest | None = None


class Installation(msgspec.Struct):
    """What ``visionai trainer install`` writes down, so that a running server can tell."""

    pid: int
    started_at: float
    exit_code: int | None = None
    log: str = ""
    message: str = "beginning"
    """What pip does just now and how far it is."""


class Frameworks:
    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._environ = environ
        self._folder = settings.data_dir / "frameworks"
        self._known = {name: Framework(name, "absent", "Not looked at yet.") for name in NAMES}
        self._cataloguing: dict[str, asyncio.Task[bytes]] = {}
        self.names = NAMES

    def all(self) -> list[Framework]:
        return list(self._known.values())

    def get(self, name: str) -> Framework | None:
        return self._known.get(name)

    def know(self, framework: Framework) -> None:
        self._known[framework.name] = framework

    def schema(self, name: str) -> dict[str, Any]:
        """The JSON Schema of its hyperparameters; empty while it is not ready."""
        found = self._known.get(name)
        return found.manifest.schema if found is not None and found.manifest is not None else {"properties": {}}

    def has_weights(self, model: ModelEntry) -> bool:
        """Whether a training may start from this model's pretrained weights: they are here, or may be fetched."""
        return model.pretrained and (model.weights_offline or self._settings.allow_downloads)

    async def watch(self) -> None:
        """Keep the picture true, until it is cancelled."""
        try:
            await self._watch()
        finally:
            await tasks.end(*self._cataloguing.values())

    async def _watch(self) -> None:
        while True:
            for name in NAMES:
                try:
                    self.know(await self._look(name))
                except Exception as e:
                    log.exception("framework_check_failed", framework=name)
                    self.know(Framework(name, "error", f"Its trainer does not answer: {e}"))
            await asyncio.sleep(min(_pause(f) for f in self._known.values()))

    async def _look(self, name: str) -> Framework:
        if (under_way := installing(self._settings, name)) is not None:
            return Framework(name, "installing", f"{name} is being installed: {under_way.message}")
        installation = read_installation(self._settings, name)
        described = await self._describe(name)
        if described.version is None:
            if installation is not None and installation.exit_code not in (None, 0, *INTERRUPTED):
                return Framework(name, "error", f"Installing {name} failed: {installation.log}")
            return Framework(name, "absent", f"{name} is not installed: {install_command(name)}")
        if described.catalogue == "complete":
            return Framework(name, "ready", f"{name} {described.version}", described)
        self._begin_catalogue(name)
        if not described.models:
            return Framework(name, "installing", f"{name} is installed; its models are being listed.")
        return Framework(name, "ready", f"{name} {described.version}", described)

    def _begin_catalogue(self, name: str) -> None:
        """Generate it in the background; it can be read as it grows."""
        running = self._cataloguing.get(name)
        if running is None or running.done():
            self._cataloguing[name] = asyncio.create_task(self._count(name), name=f"catalogue of {name}")

    async def _count(self, name: str) -> bytes:
        """Give way to trainings once the models are listed: a trainer that uses every processor waits for its slowest.
        What was counted is counted again; a process that is stopped instead would stay so if this one were killed."""
        while True:
            while self._must_wait(name):  # noqa: ASYNC110  (another process has no event to set)
                await asyncio.sleep(GIVE_WAY_SECONDS)
            out = str(self._catalogue(name))
            arguments = ("catalogue", "--out", out, "--parent", str(os.getpid()))
            counting = asyncio.create_task(self._run(name, *arguments, apart=True))
            try:
                while not counting.done() and not self._must_wait(name):
                    await asyncio.wait({counting}, timeout=GIVE_WAY_SECONDS)
            finally:
                await tasks.end(counting)
            if not counting.cancelled():
                return counting.result()

    def _must_wait(self, name: str) -> bool:
        return self._known[name].status == "ready" and locks.trainings(self._settings.data_dir) > 0

    async def _describe(self, name: str) -> Manifest:
        out = await self._run(name, "describe", "--catalogue", str(self._catalogue(name)), seconds=DESCRIBE_SECONDS)
        return msgspec.json.decode(out, type=Manifest)

    def _catalogue(self, name: str) -> Path:
        self._folder.mkdir(exist_ok=True)
        return self._folder / f"{name}-catalogue.json"

    async def _run(self, name: str, *arguments: str, seconds: float | None = None, apart: bool = False) -> bytes:
        """What it prints. ``apart``: it is going to give way to all else, and needs a session of its own for that."""
        process = await asyncio.create_subprocess_exec(
            python_of(self._settings, name), "-m", "visionai.trainers", name, *arguments,
            env=trainer_environment(self._environ) | ({"OMP_NUM_THREADS": "1"} if apart else {}),
            cwd=self._folder if self._folder.is_dir() else None,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            start_new_session=apart,
        )  # fmt: skip
        try:
            async with asyncio.timeout(seconds):  # wait_for loses a cancellation that meets the end of the process
                out, err = await process.communicate()
        except BaseException:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
            await tasks.surely(process.wait())
            raise
        if process.returncode != 0:
            raise RuntimeError(err.decode(errors="replace").strip().rpartition("\n")[2] or f"exit {process.returncode}")
        return out


def python_of(settings: Settings, name: str) -> str:
    """The interpreter a framework is installed in: its own by setting, else the server's."""
    configured: str | None = getattr(settings, f"trainer_python_{name}", None)
    return configured or sys.executable


def install_command(name: str) -> str:
    return f"visionai trainer install {name}"


def installing(settings: Settings, name: str) -> Installation | None:
    """The installation that is under way, if there is one."""
    record = read_installation(settings, name)
    return (
        record
        if record is not None and record.exit_code is None and locks.is_locked(_lock_file(settings, name))
        else None
    )


def install(settings: Settings, name: str) -> int:
    """Install a framework beside the server with pip, in the locked versions. Returns pip's exit code.

    SIGTERM and Ctrl-C end pip too. Raises Conflict if it is being installed already.
    """
    with _lock(settings, name) as free:
        if not free:
            other = read_installation(settings, name)
            raise Conflict(f"{name} is being installed already" + (f", by process {other.pid}." if other else "."))
        return _install(settings, name)


def _install(settings: Settings, name: str) -> int:
    record = Installation(pid=os.getpid(), started_at=time.time())
    _write_installation(settings, name, record)

    def say(message: str) -> None:
        if message != record.message:
            record.message = message
            _write_installation(settings, name, record)
            if sys.stderr.isatty():
                sys.stderr.write(f"\r\x1b[K{message[:78]}")

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(INTERRUPTED[1]))
    errors, record.exit_code = "", INTERRUPTED[0]
    try:
        record.exit_code, errors = pip.install(python_of(settings, name), name, _folder(settings), say)
    except SystemExit:
        record.exit_code = INTERRUPTED[1]
        raise
    finally:
        record.log = "\n".join(line for line in errors.splitlines() if line.startswith("ERROR"))[-2000:]
        _write_installation(settings, name, record)
        sys.stderr.write(f"\n{errors}" if record.exit_code else "\n" if sys.stderr.isatty() else "")
    return record.exit_code


def read_installation(settings: Settings, name: str) -> Installation | None:
    try:
        return msgspec.json.decode(_installation_file(settings, name).read_bytes(), type=Installation)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _write_installation(settings: Settings, name: str, record: Installation) -> None:
    path = _installation_file(settings, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(msgspec.json.encode(record))
    part.replace(path)


def _folder(settings: Settings) -> Path:
    return settings.data_dir / "frameworks"


def _installation_file(settings: Settings, name: str) -> Path:
    return _folder(settings) / f"{name}-installation.json"


def _pause(framework: Framework) -> float:
    """Until the next look: each costs a start of Python, which a training beside it feels."""
    if framework.status != "ready":
        return CHECK_SECONDS
    complete = framework.manifest is not None and framework.manifest.catalogue == "complete"
    return IDLE_CHECK_SECONDS if complete else CATALOGUE_CHECK_SECONDS


@contextlib.contextmanager
def _lock(settings: Settings, name: str) -> Iterator[bool]:
    """Whether it could be taken. It ends with its process, however that ends."""
    _folder(settings).mkdir(parents=True, exist_ok=True)
    with _lock_file(settings, name).open("a") as file:
        yield locks.take(file)


def _lock_file(settings: Settings, name: str) -> Path:
    return _folder(settings) / f"{name}-installation.lock"
