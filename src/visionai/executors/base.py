"""The seam: three verbs. ``start`` is idempotent by launch id, ``poll`` never guesses, ``stop`` leaves nothing behind.

``Gone`` means that the process is surely not running and that its exit status is not known: without an accepted
``done`` it is never success.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Protocol

import msgspec
from msgspec import Meta


class Launch(msgspec.Struct, frozen=True):
    """What to start. ``launch_id`` is deterministic: starting it twice gives the same process."""

    launch_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]+$", max_length=80)]
    argv: list[str]
    env: dict[str, str]
    """The whole environment of the process: nothing is inherited from the server."""


class Handle(msgspec.Struct, frozen=True):
    """Names one process for good: a pid alone would be taken again by another. Kept on the attempt's row."""

    host_id: str
    boot_id: str
    run_dir: str
    pid: int
    start_time: int
    """Of the wrapper, in clock ticks since boot (``/proc/PID/stat``, field 22)."""


class Running(msgspec.Struct, frozen=True):
    pass


class Exited(msgspec.Struct, frozen=True):
    code: int
    """As a shell reports it: 128 + n after signal n."""


class Gone(msgspec.Struct, frozen=True):
    reason: str
    uncounted: bool = False
    """The machine took it (a restart), so losing it is nobody's fault."""


Observation = Running | Exited | Gone


class Executor(Protocol):
    host_id: str
    """Where this executor's processes live; handles of another host are not its business."""

    async def start(self, launch: Launch) -> Handle:
        """Start it, or adopt what an earlier call has started. Raises Unavailable if it cannot be started."""
        ...

    async def adopt(self, launch_id: str) -> Handle | None:
        """The handle of a launch that may or may not have happened. None: it has not, and never will any more."""
        ...

    async def poll(self, handle: Handle) -> Observation: ...

    async def stop(self, handle: Handle, *, kill: bool = False) -> None:
        """Ask the process group to end (SIGTERM), or end it (SIGKILL). Returns at once; ``poll`` tells the rest."""
        ...

    def run_dir(self, launch_id: str) -> Path:
        """Scratch of that launch: the process's working directory is ``work`` in it, its output ``output.log``."""
        ...

    async def launches(self) -> list[str]:
        """Launch ids that have a run directory."""
        ...

    async def remove(self, launch_id: str) -> None:
        """Delete the run directory of a launch that is over."""
        ...
