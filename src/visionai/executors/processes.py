"""How much memory processes have, as the kernel says in /proc; where there is none, nobody can say."""

from __future__ import annotations

import contextlib
import resource
from pathlib import Path

from visionai.executors import wrapper
from visionai.executors.base import Handle

PAGE = resource.getpagesize()


def memory(pid: int | str = "self") -> int | None:
    """Bytes of one process that are in memory."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * PAGE
    except OSError:
        return None


def memory_of(handle: Handle) -> int | None:
    """Of a launch: its wrapper and all that came of it. What they share is counted for each."""
    if wrapper.start_time(handle.pid) != handle.start_time or wrapper.boot_id() != handle.boot_id:
        return None
    found, waiting = 0, [str(handle.pid)]
    while waiting:
        pid = waiting.pop()
        found += memory(pid) or 0
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            with contextlib.suppress(OSError):  # it has gone meanwhile
                waiting += children.read_text().split()
    return found
