"""The child process of an operation: ``python -m visionai.operations.child MODULE:FUNCTION``.

Its working directory holds ``params.json`` (:class:`Params`); it writes ``progress.json`` while it works and
``result.json`` (:class:`Outcome`) as the very last thing, each of them atomically. Without a result the run counts as
lost. It knows neither the database nor any credential.
"""

from __future__ import annotations

import errno
import importlib
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

PROGRESS_SECONDS = 0.25
NICENESS = 5  # the server and the trainers come first


class Limits(msgspec.Struct, frozen=True):
    """Of the child and, each for itself, of the processes it starts."""

    memory_bytes: int = 4 * 2**30
    cpu_seconds: int = 24 * 3600
    open_files: int = 1024


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


def main(entry: str, work: Path) -> int:
    params = msgspec.json.decode((work / "params.json").read_bytes(), type=Params)
    restrict(params.limits)
    outcome = run(entry, params.input, work)
    os.sync()  # what the result names outlives a power cut
    write(work / "result.json", outcome)
    return 0 if outcome.error is None else 1


def run(entry: str, given: dict[str, Any], work: Path) -> Outcome:
    """Errors that would come again at the next try become an outcome; all others end the process."""
    module, _, name = entry.partition(":")
    function = getattr(importlib.import_module(module), name)
    try:
        return Outcome(result=function(given, work, Report(work)))
    except WorkFailed as e:
        return Outcome(result=e.result, error=e.reason)
    except MemoryError:
        return Outcome(error=Reason(
            "out_of_memory", "This takes more memory than one operation may use.",
            "Split it into smaller parts, or make its largest files smaller.",
        ))  # fmt: skip
    except OSError as e:
        if e.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        return Outcome(error=Reason("storage_full", "The server's disk is full.", "Free some space and try again."))


def restrict(limits: Limits) -> None:
    """Bind this process and its children; a lower limit that is already there stays."""
    for kind, wanted, slack in (
        (resource.RLIMIT_AS, limits.memory_bytes, 0),
        (resource.RLIMIT_CPU, limits.cpu_seconds, 5),  # SIGXCPU at the soft limit tells why; at the hard one SIGKILL
        (resource.RLIMIT_NOFILE, limits.open_files, 0),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        present = resource.getrlimit(kind)[1]
        hard = wanted + slack if present == resource.RLIM_INFINITY else min(wanted + slack, present)
        resource.setrlimit(kind, (min(wanted, hard), hard))
    os.umask(0o077)
    os.nice(NICENESS)


def write(path: Path, content: msgspec.Struct) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(msgspec.json.encode(content))
    part.replace(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path.cwd()))
