"""Logs of the server: structlog, for people on a console, as JSON lines elsewhere. Metrics and traces join it."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from typing import Literal

import structlog

REDACTED = ("token=", "signature=")
REDIS_EVENTS = frozenset({"redis_away", "hints_lost", "subscribe_failed"})
LONGEST_SECONDS = 3600.0


class Seldom:
    """Lets events that come again and again through at the first and then at doubling intervals, each with how many
    were left out; ``over`` is the event that ends the trouble, after which the next one is a first one again."""

    def __init__(self, events: frozenset[str], over: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._events, self._over, self._clock = events, over, clock
        self._due: dict[str, tuple[float, float, int]] = {}  # when, the interval then, how many were left out

    def __call__(self, _logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        name = event["event"]
        if name == self._over:
            self._due.clear()
        if name not in self._events:
            return event
        now = self._clock()
        due, interval, left_out = self._due.get(name, (now, 1.0, 0))
        if now < due:
            self._due[name] = (due, interval, left_out + 1)
            raise structlog.DropEvent
        self._due[name] = (now + interval, min(2 * interval, LONGEST_SECONDS), 0)
        return {**event, "left_out": left_out} if left_out else event


def configure(log_format: Literal["console", "json"], log_level: str) -> None:
    """Called once, at the entry point. Standard-library logs (arq, uvicorn's errors) go the same way."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    level = logging.getLevelNamesMapping()[log_level.upper()]
    structlog.configure(
        processors=[
            Seldom(REDIS_EVENTS, over="redis_back"),
            *shared,
            structlog.processors.format_exc_info if log_format == "json" else _as_it_is,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)


def _as_it_is(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return event
