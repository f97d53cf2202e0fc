"""Files that a process locks for as long as it runs: the app its data directory, a training's wrapper its run.

The lock ends with its process, however that ends; a number in a file may be another process's by then.
"""

from __future__ import annotations

import fcntl
import time
from pathlib import Path
from typing import IO, Any

LOOKS, LOOK_SECONDS = 10, 0.02


def take(file: IO[Any]) -> bool:
    """Lock it. False if somebody has it; who only looks (``is_locked``) does so for an instant, which is waited for."""
    for _ in range(LOOKS):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(LOOK_SECONDS)
        else:
            return True
    return False


def is_locked(lock: Path) -> bool:
    """Raises OSError if it cannot be looked at; a file that is not there is not locked."""
    try:
        with lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (FileNotFoundError, NotADirectoryError):
        return False
    return False


def trainings(data_dir: Path, job_id: str = "*") -> int:
    """How many trainings have processes, by the locks that their wrappers hold; they outlive the app."""
    return sum(is_locked(lock) for lock in data_dir.glob(f"runs/job-{job_id}-*/lock"))
