"""Named instants at which a test has this process killed, or a step fail. No user's setting: unset, they cost nothing.

``visionai serve`` reads them from ``VISIONAI_FAILPOINTS``: where, what, and after ``@`` at which time it is reached::

    job.launched=kill,group.in_transaction=kill@3,job.recorded.Begin=raise

``kill`` is SIGKILL to this process, at that time alone; ``raise`` raises Failed at that time and at every later one.
"""

from __future__ import annotations

import os
import signal
import sys

import msgspec


class Failed(Exception):
    """What ``raise`` raises: an error that nobody foresaw."""


class _Failpoint(msgspec.Struct):
    action: str
    at: int = 1
    reached: int = 0


_armed: dict[str, _Failpoint] = {}


def arm(plan: str) -> None:
    """Take a plan in; an empty one disarms. Raises ValueError if it cannot be read."""
    _armed.clear()
    for item in filter(None, plan.split(",")):
        name, _, what = item.partition("=")
        action, _, at = what.partition("@")
        if action not in ("kill", "raise"):
            raise ValueError(f"{item}: kill or raise")
        _armed[name] = _Failpoint(action, int(at or 1))


def reach(name: str, detail: str = "") -> None:
    """Here is ``name``; a plan may also name ``name.detail``."""
    if not _armed:
        return
    for known in (name, f"{name}.{detail}"):
        if (point := _armed.get(known)) is not None:
            _reached(known, point)


def _reached(name: str, point: _Failpoint) -> None:
    point.reached += 1
    if point.action == "raise" and point.reached >= point.at:
        raise Failed(name)
    if point.action == "kill" and point.reached == point.at:
        sys.stderr.write(f"failpoint {name}, time {point.at}: killed\n")
        sys.stderr.flush()
        os.kill(os.getpid(), signal.SIGKILL)
