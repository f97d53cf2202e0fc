"""What the child processes of these tests run."""

from __future__ import annotations

import os
import resource
import signal
import time
from pathlib import Path
from typing import Any

from visionai.operations.work import Report, WorkFailed


def succeed(given: dict[str, Any], work: Path, report: Report) -> dict[str, Any]:
    report(50, "half of it")
    return {"given": given, "environment": dict(os.environ), "core": resource.getrlimit(resource.RLIMIT_CORE)[0]}


def break_off_once(given: dict[str, Any], work: Path, report: Report) -> dict[str, Any]:
    """Killed in its first attempt, as if by the kernel; the marker outlives the run directory."""
    marker = Path(given["marker"])
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return {}


def refuse(given: dict[str, Any], work: Path, report: Report) -> dict[str, Any]:
    raise WorkFailed("broken_archive", "It is broken.", "Mend it.", result={"faults": ["one"]})


def take_all_memory(given: dict[str, Any], work: Path, report: Report) -> dict[str, Any]:
    return {"size": len(bytearray(given["bytes"]))}


def hang(given: dict[str, Any], work: Path, report: Report) -> dict[str, Any]:
    report(10, "hanging")
    time.sleep(600)
    return {}
