"""What the server and the child of an operation say to each other: files in the child's working directory.

``params.json`` (:class:`Params`) goes in; ``progress.json`` and, as the very last thing, ``result.json``
(:class:`Outcome`) come out, each written atomically. Standard library and msgspec alone, so that a child starts fast.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

PROGRESS_SECONDS = 0.25


class Limits(msgspec.Struct, frozen=True):
    """Of the child and, each for itself, of the processes it starts."""

    memory_bytes: int = 4 * 2**30
    cpu_seconds: int = 24 * 3600
    open_files: int = 1024
    wall_seconds: float = 24 * 3600.0
    """Of the child as a whole, whatever it does or waits for; while the machine sleeps they do not count."""


class Params(msgspec.Struct, frozen=True):
    limits: Limits
    input: dict[str, Any]


class Progress(msgspec.Struct, frozen=True):
    progress: float
    message: str


class Reason(msgspec.Struct, frozen=True):
    """Why something failed, in words, and what to do."""

    code: str
    message: str
    hint: str = ""


class Outcome(msgspec.Struct, frozen=True):
    result: dict[str, Any] | None = None
    error: Reason | None = None


class WorkFailed(Exception):
    """The work cannot be done however often it is tried: the user has to change something."""

    def __init__(self, code: str, message: str, hint: str = "", *, result: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.reason = Reason(code, message, hint)
        self.result = result


class Report:
    """Called with ``(progress 0–100, message)`` as often as one likes; written at most every 0.25 s."""

    def __init__(self, work: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = work / "progress.json"
        self._clock = clock
        self._last = float("-inf")

    def __call__(self, progress: float, message: str) -> None:
        if self._clock() - self._last >= PROGRESS_SECONDS:
            self._last = self._clock()
            write(self._path, Progress(round(progress, 1), message))


def write(path: Path, content: msgspec.Struct) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(msgspec.json.encode(content))
    part.replace(path)
