"""The parts of a running app, made once at its start and passed down."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec
from arq.connections import ArqRedis

from visionai.db import Database, utcnow
from visionai.executors.base import Executor
from visionai.frameworks import Frameworks
from visionai.pubsub import Subscriber
from visionai.settings import Settings
from visionai.storage.local import LocalStorage


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
    unbroken_since: datetime = msgspec.field(default_factory=utcnow)
    """Since when this process has been listening without a break (a sleep, a clock that was moved)."""
    last_sweep: float | None = None
    """When the worker last looked through everything, by the event loop's clock."""
