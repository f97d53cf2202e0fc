"""Getting one report to the server: numbered, repeated until it is answered, given up only when it is refused."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol, TextIO

import msgspec

from visionai.trainers.client import Backoff, Client, Refused, Unreachable


class Clock(Protocol):
    """Time as the reporting threads see it; tests bring one that does not really pass."""

    def now(self) -> float: ...

    def wait(self, event: threading.Event, seconds: float | None) -> None:
        """Until the event is set or the seconds are over (None: however long); the event is cleared."""


def say(text: str, *, to: TextIO | None = None) -> None:
    """To the process's own output. That its file lies on a full disk is no reason to end a training."""
    with suppress(OSError):
        print(text, file=to or sys.stderr, flush=True)


class SystemClock:
    def now(self) -> float:
        return time.monotonic()

    def wait(self, event: threading.Event, seconds: float | None) -> None:
        event.wait(seconds)
        event.clear()


class Delivery:
    """What both reporting threads share: the numbering, the retries, and whether to go on at all.

    ``stop_requested`` and ``abandoned`` are plain flags, so that a signal handler may set them.
    """

    def __init__(self, client: Client, clock: Clock, *, uniform: Callable[[float, float], float] | None = None) -> None:
        self.client, self.clock = client, clock
        self.stop_requested = False
        self.abandoned = False
        """The server has refused this attempt: nothing more is sent, and training should end."""
        self._uniform = uniform
        self._seq = 0
        self._lock = threading.Lock()
        self._complained = False

    def backoff(self) -> Backoff:
        return Backoff(uniform=self._uniform)

    def next_seq(self) -> int:
        with self._lock:
            self._seq += 1
            return self._seq

    def post(self, path: str, body: Any, hurry: threading.Event) -> bytes | None:
        """The answer, however long it takes; None if the report was refused or the attempt is over.

        Setting ``hurry`` cuts the present wait short.
        """
        content, backoff = (msgspec.json.encode(body) if body is not None else None), self.backoff()
        while not self.abandoned:
            try:
                answer = self.client.call("POST", path, content)
            except Unreachable as e:
                self.complain(f"{path} could not be delivered, trying again: {e}")
                self.clock.wait(hurry, backoff.next(e.retry_after))
            except Refused as e:
                self.refused(path, e)
                return None
            else:
                self._complained = False
                return answer
        return None

    def refused(self, what: str, error: Refused) -> None:
        if error.ends_the_attempt:
            self.abandoned = self.stop_requested = True
        say(f"{what} was refused: {error}")

    def complain(self, text: str) -> None:
        """Once per outage, to the process's own output: the server cannot hear it."""
        if not self._complained:
            self._complained = True
            say(text)
