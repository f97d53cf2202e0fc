"""The parts of a running app, made once at its start and passed down."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime

import msgspec
import structlog
from arq.connections import ArqRedis

from visionai.db import Database, utcnow
from visionai.executors.base import Executor
from visionai.frameworks import Frameworks
from visionai.pubsub import Subscriber
from visionai.settings import Settings
from visionai.storage.local import LocalStorage

log = structlog.get_logger()

JUMP_SECONDS = 5.0


class Steady:
    """Tells a wall clock that was moved, or a machine that slept, from time that has passed."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def jumped(self) -> float | None:
        """How far, since it was asked last; None if the two clocks still go together."""
        drift, self._offset = time.time() - time.monotonic() - self._offset, time.time() - time.monotonic()
        return drift if abs(drift) > JUMP_SECONDS else None


class Parts(msgspec.Struct, kw_only=True):
    settings: Settings
    environ: Mapping[str, str]
    """The server's own environment: what trainers inherit is picked from it."""
    db: Database
    redis: ArqRedis
    subscriber: Subscriber
    storage: LocalStorage
    executor: Executor
    frameworks: Frameworks
    started_at: datetime = msgspec.field(default_factory=utcnow)
    unbroken_since: datetime = msgspec.field(default_factory=utcnow)
    """Since when this process has listened without a break (a sleep, a clock that was moved, a locked database)."""
    last_sweep: float | None = None
    """When the worker last looked through everything, by the event loop's clock."""
    steady: Steady | None = None

    def notice_a_break(self) -> None:
        """Called just before a silence is judged: none is counted over a clock that jumped, nor over a time in which
        the database took nothing that trainers said."""
        jump = self.steady.jumped() if self.steady is not None else None
        if jump is not None:
            log.warning("clock_jumped", seconds=round(jump, 1))
        if jump is not None or self.db.refused:
            self.db.refused = False
            self.unbroken_since = utcnow()
