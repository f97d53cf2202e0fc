"""Locks on files: one holder, and who looks at one is in nobody's way."""

from __future__ import annotations

import fcntl
import threading
from pathlib import Path

from visionai import locks


def test_a_second_one_does_not_get_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with path.open("a") as first, path.open("a") as second:
        assert locks.take(first)
        assert not locks.take(second)
        assert locks.is_locked(path)
    assert not locks.is_locked(path)


def test_one_that_is_only_looked_at_is_taken_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with path.open("a") as file, path.open("a") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)  # as is_locked has it
        done_looking = threading.Timer(2 * locks.LOOK_SECONDS, fcntl.flock, (looking, fcntl.LOCK_UN))
        done_looking.start()
        assert locks.take(file)
        done_looking.join()
