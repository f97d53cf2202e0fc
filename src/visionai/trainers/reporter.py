"""What a trainer reports through: to the server, or, by hand and without one, to the terminal.

``Reporter`` never blocks training and never ends it: reports wait in memory and are sent by a thread, in order, until
they are answered. ``OfflineReporter`` is its twin that prints. Both are a ``Reporting``.
"""

from __future__ import annotations

import math
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, Self

import msgspec

from visionai.trainers.client import Client
from visionai.trainers.contract import (
    MAX_BODY,
    MAX_LOG_LINES,
    MAX_LOG_TEXT,
    ArtifactKind,
    Done,
    ErrorInfo,
    Event,
    Heartbeat,
    HeartbeatAnswer,
    Level,
    LogBatch,
    LogLine,
    Status,
    System,
    TrainerEnv,
    Validation,
)
from visionai.trainers.delivery import Clock, Delivery, SystemClock, say
from visionai.trainers.uploads import Uploads

BEAT_SECONDS = 5.0
LOG_SECONDS = 1.0
STOP_SECONDS = 20.0
PATIENCE_SECONDS = 24 * 3600.0
MAX_WAITING_EPOCHS = 1000
MAX_WAITING_LINES = 20_000

Metrics = Mapping[str, float | None]


class Reporting(Protocol):
    gpu_memory: Callable[[], int] | None
    """Set by a trainer that uses a GPU: bytes in use."""

    @property
    def stop_requested(self) -> bool:
        """Save a checkpoint, upload it and end. Asked for by the server, by SIGTERM or because the attempt is over."""

    def request_stop(self) -> None:
        """Safe in a signal handler."""

    def progress(
        self, epoch: int, total_epochs: int, *, step: int, progress: float, metrics: Metrics, eta_seconds: float | None
    ) -> None:
        """How far the running epoch is. Cheap: call it after any batch; the next beat carries the latest."""

    def epoch(
        self, epoch: int, total_epochs: int, *, step: int, progress: float, metrics: Metrics, eta_seconds: float | None
    ) -> None:
        """An epoch is finished; sent at once."""

    def event(self, type_: str, message: str, **data: Any) -> None: ...

    def validation(self, validation: Validation) -> None: ...

    def log(self, text: str, level: Level = "info") -> None: ...

    def artifact(self, kind: ArtifactKind, path: Path, *, epoch: int | None = None) -> None:
        """Upload the file as it is now; later changes of the path do not matter if they replace the file."""

    def done(self, status: Status, final_metrics: Metrics | None = None, error: ErrorInfo | None = None) -> bool:
        """The end: waits until artifacts and reports have arrived, for hours if need be. True if it was accepted."""


class Reporter:
    """Reports to the server. Use as a context manager; leaving it gives up whatever still waits."""

    def __init__(
        self,
        env: TrainerEnv,
        *,
        client: Client | None = None,
        clock: Clock | None = None,
        uniform: Callable[[float, float], float] | None = None,
        beat_seconds: float | None = BEAT_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
        stop_seconds: float = STOP_SECONDS,
    ) -> None:
        self.gpu_memory: Callable[[], int] | None = None
        self._delivery = Delivery(client or Client(env), clock or SystemClock(), uniform=uniform)
        self._uploads = Uploads(self._delivery, Path(env.workspace) / "outbox")
        self._clock = self._delivery.clock
        self._beat, self._patience, self._stop_patience = beat_seconds, patience_seconds, stop_seconds
        self._latest = Heartbeat(epoch=0, progress=0.0, kind="step")
        self._next_beat = self._clock.now()  # the first one at once: the process is there
        self._queue: deque[tuple[str, Any]] = deque()
        self._added = self._settled = 0
        """Reports that were ever queued; those of them that were answered or given up, always the oldest."""
        self._lines: deque[LogLine] = deque()
        self._lines_due = self._clock.now()
        self._lines_lost = 0
        self._not_finite: set[str] = set()
        self._busy = self._sending = self._closed = self._accepted = False
        self._usage = _Usage()
        self._lock = threading.Lock()
        self._wake, self._hurry = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="reports", daemon=True)

    def __enter__(self) -> Self:
        self._uploads.start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        self._uploads.close()
        self._wake.set()
        self._hurry.set()
        self._thread.join(1.0)

    @property
    def stop_requested(self) -> bool:
        return self._delivery.stop_requested

    @property
    def abandoned(self) -> bool:
        return self._delivery.abandoned

    def request_stop(self) -> None:
        self._delivery.stop_requested = True

    def progress(
        self, epoch: int, total_epochs: int, *, step: int, progress: float, metrics: Metrics, eta_seconds: float | None
    ) -> None:
        self._latest = Heartbeat(
            epoch=epoch,
            progress=progress,
            metrics=dict(metrics),
            total_epochs=total_epochs,
            step=step,
            eta_seconds=eta_seconds,
            kind="step",
        )

    def epoch(
        self, epoch: int, total_epochs: int, *, step: int, progress: float, metrics: Metrics, eta_seconds: float | None
    ) -> None:
        beat = Heartbeat(
            epoch=epoch,
            progress=progress,
            metrics=self._finite(metrics, epoch),
            total_epochs=total_epochs,
            step=step,
            eta_seconds=eta_seconds,
            timestamp=datetime.now(UTC),
            system=self._usage(self.gpu_memory),
        )
        self._latest = msgspec.structs.replace(beat, kind="step", metrics={})
        with self._lock:
            waiting = [report for report in self._queue if report[0] == "heartbeat"]
            if len(waiting) >= MAX_WAITING_EPOCHS:
                self._queue.remove(waiting[0])
                self._settled += 1
        self._uploads.look_again()
        self._add("heartbeat", beat)

    def event(self, type_: str, message: str, **data: Any) -> None:
        self._add("event", Event(type_, message[:MAX_LOG_TEXT], data))

    def validation(self, validation: Validation) -> None:
        primary = validation.primary_metric
        value = self._finite({primary.name: primary.value}, validation.epoch)[primary.name]
        clean = msgspec.structs.replace(
            validation,
            metrics=self._finite(validation.metrics, validation.epoch),
            primary_metric=msgspec.structs.replace(primary, value=value),
        )
        self._add("validation", clean)

    def log(self, text: str, level: Level = "info") -> None:
        say(text, to=sys.stderr if level in ("warning", "error") else sys.stdout)
        now = datetime.now(UTC)
        with self._lock:
            if not self._lines:
                self._lines_due = max(self._lines_due, self._clock.now())
            self._lines.extend(LogLine(now, level, line[:MAX_LOG_TEXT]) for line in text.splitlines())
            while len(self._lines) > MAX_WAITING_LINES:
                self._lines.popleft()
                self._lines_lost += 1
        self._wake.set()

    def artifact(self, kind: ArtifactKind, path: Path, *, epoch: int | None = None) -> None:
        with self._lock:
            before = self._added
        self._uploads.add(kind, path, path.name, epoch, lambda: self._settled >= before)

    def done(self, status: Status, final_metrics: Metrics | None = None, error: ErrorInfo | None = None) -> bool:
        started = self._clock.now()
        self._uploads.hurry()
        self._wait_for(self._uploads.idle, started)
        if status == "succeeded" and self._uploads.lost:
            status = "failed"
            message = f"Storage refused these artifacts: {', '.join(self._uploads.lost)}."
            error = ErrorInfo("storage_unavailable", message, "Check the storage, then start the job again.")
        self._add("done", Done(status, self._finite(final_metrics or {}, self._latest.epoch), error))
        self._hurry.set()
        self._wait_for(self._all_sent, started)
        return self._accepted

    # the reporting thread

    def _run(self) -> None:
        while not self._closed and not self._delivery.abandoned:
            report = self._next()
            if report is None:
                self._clock.wait(self._wake, self._idle_seconds())
                continue
            try:
                self._send(*report)
            except Exception as e:  # one bad report must not silence the others
                say(f"{report[0]} was not sent: {type(e).__name__}: {e}")
            finally:
                with self._lock:
                    self._settled += self._sending
                    self._busy = self._sending = False
                self._uploads.look_again()

    def _next(self) -> tuple[str, Any] | None:
        """The next report to send: what was queued, log lines that are due, or a beat. None if there is nothing."""
        now = self._clock.now()
        with self._lock:
            ending = bool(self._queue) and self._queue[0][0] == "done"
            if self._lines and (now >= self._lines_due or len(self._lines) >= MAX_LOG_LINES or ending):
                self._busy = True
                self._lines_due = now + LOG_SECONDS
                return "logs", self._take_lines()
            if self._queue:
                self._busy = self._sending = True
                return self._queue.popleft()
        if self._beat is not None and now >= self._next_beat:
            latest = self._latest
            metrics = {name: v if v is not None and math.isfinite(v) else None for name, v in latest.metrics.items()}
            system = self._usage(self.gpu_memory)
            return "heartbeat", msgspec.structs.replace(
                latest, metrics=metrics, timestamp=datetime.now(UTC), system=system
            )
        return None

    def _send(self, path: str, body: Any) -> None:
        body.seq = self._delivery.next_seq()
        answer = self._delivery.post(path, body, self._hurry)
        if path == "heartbeat":
            self._next_beat = self._clock.now() + (self._beat or 0.0)
            if answer and msgspec.json.decode(answer, type=HeartbeatAnswer).action == "stop":
                self.request_stop()
        if path == "done":
            self._accepted, self._closed = answer is not None, True

    def _take_lines(self) -> LogBatch:
        """As many waiting lines as fit in a body; the first tells of lines that were lost."""
        batch: list[LogLine] = []
        if self._lines_lost:
            batch.append(LogLine(datetime.now(UTC), "warning", f"{self._lines_lost} lines before this one were lost"))
            self._lines_lost = 0
        room = MAX_BODY - 1000
        while self._lines and len(batch) < MAX_LOG_LINES:
            room -= len(msgspec.json.encode(self._lines[0])) + 1
            if room < 0:
                break
            batch.append(self._lines.popleft())
        return LogBatch(batch)

    def _idle_seconds(self) -> float | None:
        """How long nothing will be due; None: until something is added."""
        now = self._clock.now()
        due = [self._next_beat] if self._beat is not None else []
        if self._lines:
            due.append(self._lines_due)
        return max(0.0, min(due) - now) if due else None

    # helpers of both

    def _add(self, path: str, body: Any) -> None:
        with self._lock:
            self._queue.append((path, body))
            self._added += 1
        self._wake.set()

    def _all_sent(self) -> bool:
        with self._lock:
            return not self._queue and not self._busy

    def _wait_for(self, condition: Callable[[], bool], started: float) -> None:
        """Until the condition holds or there is no hope. Looks again and again: a signal may shorten the wait."""
        pause = threading.Event()
        while not condition() and not self._delivery.abandoned:
            limit = self._stop_patience if self.stop_requested else self._patience
            if self._clock.now() - started > limit:
                return
            pause.wait(0.01)

    def _finite(self, metrics: Metrics, epoch: int) -> dict[str, float | None]:
        """NaN and infinity as None, with one event for each name."""
        clean = {name: float(v) if v is not None and math.isfinite(v) else None for name, v in metrics.items()}
        strange = {name for name, v in clean.items() if v is None and metrics[name] is not None} - self._not_finite
        for name in sorted(strange):
            self._not_finite.add(name)
            self.event("warning", f"{name} is {metrics[name]} after epoch {epoch}", metric=name, epoch=epoch)
        return clean


class OfflineReporter:
    """Prints what a Reporter would send. Nothing is uploaded: artifacts stay where they were written."""

    def __init__(self) -> None:
        self.gpu_memory: Callable[[], int] | None = None
        self.stop_requested = False

    def request_stop(self) -> None:
        self.stop_requested = True

    def progress(
        self, epoch: int, total_epochs: int, *, step: int, progress: float, metrics: Metrics, eta_seconds: float | None
    ) -> None:
        pass

    def epoch(
        self, epoch: int, total_epochs: int, *, step: int, progress: float, metrics: Metrics, eta_seconds: float | None
    ) -> None:
        left = "" if eta_seconds is None else f"  {eta_seconds:.0f} s left"
        self._print(f"epoch {epoch}/{total_epochs}", _row(metrics) + left)

    def event(self, type_: str, message: str, **data: Any) -> None:
        self._print(type_, message)

    def validation(self, validation: Validation) -> None:
        self._print("validation", _row(validation.metrics))

    def log(self, text: str, level: Level = "info") -> None:
        self._print(level, text)

    def artifact(self, kind: ArtifactKind, path: Path, *, epoch: int | None = None) -> None:
        self._print("artifact", f"{kind} {path} ({path.stat().st_size:,} bytes)")

    def done(self, status: Status, final_metrics: Metrics | None = None, error: ErrorInfo | None = None) -> bool:
        reason = f" {error.code}: {error.message} {error.hint}" if error else ""
        self._print("done", f"{status}{reason}  {_row(final_metrics or {})}")
        return True

    def _print(self, what: str, text: str) -> None:
        print(f"{what:<18} {text}", flush=True)


def _row(metrics: Metrics) -> str:
    return "  ".join(f"{name} {value:.4g}" for name, value in metrics.items() if value is not None)


class _Usage:
    """CPU since the last call, in percent of one core, and memory of this process."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.monotonic(), time.process_time()

    def __call__(self, gpu_memory: Callable[[], int] | None) -> System:
        wall, cpu = time.monotonic(), time.process_time()
        percent = 100 * (cpu - self._cpu) / max(wall - self._wall, 1e-3)
        self._wall, self._cpu = wall, cpu
        return System(cpu=round(percent, 1), rss=_rss(), gpu_mem=gpu_memory() if gpu_memory else None)


def _rss() -> int | None:
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None
