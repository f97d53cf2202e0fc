"""Identifiers: UUIDv7 (RFC 9562, section 5.7), so that primary keys sort by creation time."""

from __future__ import annotations

import os
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last = 0  # the 60 bits of milliseconds and counter last given out


def uuid7() -> UUID:
    """A new UUIDv7. Within one process each is greater than the one before, also when the clock steps back."""
    global _last  # noqa: PLW0603  (what makes the numbers rise is this one number)
    with _lock:
        stamp = max((time.time_ns() // 1_000_000) << 12 | int.from_bytes(os.urandom(2), "big") >> 6, _last + 1)
        _last = stamp
    milliseconds, rand_a = stamp >> 12, stamp & 0xFFF
    rand_b = int.from_bytes(os.urandom(8), "big") >> 2
    return UUID(int=milliseconds << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b)
