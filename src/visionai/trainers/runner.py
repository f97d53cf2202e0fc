"""From a trainer's work to its last report and exit code: the same for every framework."""

from __future__ import annotations

import logging
import os
import signal
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from visionai.trainers.contract import (
    EXIT_FAILED,
    EXIT_STOPPED,
    EXIT_SUCCEEDED,
    ErrorInfo,
    TrainerError,
    error_code,
)
from visionai.trainers.data import TrainingData
from visionai.trainers.reporter import Metrics, Reporting


class Job(NamedTuple):
    """What a framework's ``train`` is given."""

    task_type: str
    model_name: str
    config: Mapping[str, Any]
    workspace: Path
    """Files go here: ``last.pt``, ``best.pt``, ``model.pt`` and what is reported beside them."""
    allow_downloads: bool
    data: Callable[[], TrainingData]
    """Waits until the data has arrived. Raises TrainerError or Stopped."""


class Stopped(Exception):
    """A stop was asked for, and what was to be saved is saved."""


def run(work: Callable[[], Metrics], reporter: Reporting) -> int:
    """Do the work, report how it ended, return the exit code. Catches everything but a second Ctrl-C."""
    handlers = {signum: signal.signal(signum, _stopper(reporter)) for signum in (signal.SIGTERM, signal.SIGINT)}
    forwarder = _Forwarder(reporter)
    logging.getLogger().addHandler(forwarder)
    try:
        return _run(work, reporter)
    finally:
        logging.getLogger().removeHandler(forwarder)
        for signum, handler in handlers.items():
            signal.signal(signum, handler)


def stay_offline(allow_downloads: bool) -> None:
    """Before a framework is imported: nothing phones home, and nothing is fetched unless that is allowed."""
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    if not allow_downloads:
        os.environ["HF_HUB_OFFLINE"] = "1"


def _run(work: Callable[[], Metrics], reporter: Reporting) -> int:
    try:
        return EXIT_SUCCEEDED if reporter.done("succeeded", work()) else EXIT_FAILED
    except Stopped:
        reporter.done("stopped")
        return EXIT_STOPPED
    except TrainerError as e:
        error = e.info
    except Exception as e:
        reporter.log(traceback.format_exc(), "error")
        error = _error(e)
    reporter.log(f"{error.code}: {error.message} {error.hint}", "error")
    reporter.done("failed", error=error)
    return EXIT_FAILED


def _error(e: Exception) -> ErrorInfo:
    text = f"{type(e).__name__}: {e}"[:2000]
    lower = text.lower()
    if isinstance(e, MemoryError) or "out of memory" in lower or "can't allocate memory" in lower:
        code = "oom"
    elif isinstance(e, OSError) and "no space left" in lower:
        code = "storage_unavailable"
    else:
        code = "internal"
    return ErrorInfo(code, text, error_code(code).hint)


def _stopper(reporter: Reporting) -> Callable[[int, FrameType | None], None]:
    def stop(signum: int, _: FrameType | None) -> None:
        reporter.request_stop()
        if signum == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.default_int_handler)  # the second one means it

    return stop


class _Forwarder(logging.Handler):
    """Warnings of the libraries, as log lines of the job."""

    def __init__(self, reporter: Reporting) -> None:
        super().__init__(logging.WARNING)
        self._reporter = reporter

    def emit(self, record: logging.LogRecord) -> None:
        self._reporter.log(
            f"{record.name}: {record.getMessage()}", "error" if record.levelno >= logging.ERROR else "warning"
        )
