"""The child process of an operation: ``python -m visionai.operations.child MODULE:FUNCTION``.

It runs one function within limits and turns what that returns or raises into a result; without one the run counts as
lost. It knows neither the database nor any credential. Nothing imports this module: as ``__main__`` it would be a
second copy, with exceptions of its own.
"""

from __future__ import annotations

import errno
import importlib
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

import msgspec

from visionai.operations.work import Limits, Outcome, Params, Reason, Report, WorkFailed, write


def main(entry: str, work: Path) -> int:
    params = msgspec.json.decode((work / "params.json").read_bytes(), type=Params)
    restrict(params.limits)
    outcome = run(entry, params.input, work)
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
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # it ends the process, whose exit code tells why
    signal.setitimer(signal.ITIMER_REAL, limits.wall_seconds)
    os.umask(0o077)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path.cwd()))
