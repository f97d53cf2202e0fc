"""What goes over the wire about the server itself."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from visionai.api.shapes import Fault


class TimedHealth(msgspec.Struct):
    ok: bool
    message: str
    seconds: float
    """How long it took to answer, or to be given up."""


class AboutDatabase(msgspec.Struct):
    kind: Literal["sqlite", "postgresql"]
    size_bytes: int
    revision: str
    """Of its schema."""


class Disk(msgspec.Struct):
    """Of the data directory."""

    free_bytes: int
    total_bytes: int
    refused_below_bytes: int
    """With less than that free, uploads and new trainings are refused (``MIN_FREE_BYTES``)."""


class Slots(msgspec.Struct):
    total: int
    used: int
    gpus: int
    """NVIDIA GPUs of this machine; each is a slot unless ``SLOTS`` says otherwise."""


class JobSince(msgspec.Struct):
    id: UUID
    name: str
    since: datetime


class TrainerProcess(msgspec.Struct):
    job_id: UUID
    job_name: str
    attempt: int
    slot: int
    since: datetime
    memory_bytes: int | None
    """With all that it started; None where that cannot be told."""


class Imports(msgspec.Struct):
    running: int
    waiting: int
    at_once: int
    """So many run at once (``IMPORTS``)."""


class FrameworkState(msgspec.Struct):
    framework: str
    status: Literal["ready", "installing", "absent", "error"]
    message: str


class FailedOperation(msgspec.Struct):
    id: UUID
    kind: str
    dataset_id: UUID | None
    """None where the data set is gone."""
    dataset_name: str | None
    error: Fault | None
    ended_at: datetime


class SystemHealth(msgspec.Struct):
    version: str
    started_at: datetime
    execution_mode: str
    storage_type: str
    data_dir: str
    memory_bytes: int | None
    """Of the server's own process."""
    parts: dict[str, TimedHealth]
    """As in `/readyz`."""
    database: AboutDatabase
    disk: Disk
    slots: Slots
    jobs: dict[str, int]
    """How many there are in each state."""
    oldest_waiting: JobSince | None
    """In the queue, and since when."""
    longest_silent: JobSince | None
    """Of those that run, the one whose trainer was heard of longest ago, and when that was."""
    silence_seconds: float
    """After so long without a word a trainer is taken for lost (``SILENCE_SECONDS``)."""
    trainers: list[TrainerProcess]
    imports: Imports
    uploads: int
    """Data sets whose archives are on their way, or broke off and are kept for a while."""
    watchers: int
    """Open WebSockets."""
    last_sweep_seconds: float | None
    """How long ago the worker last looked through everything; None: not yet."""
    sweep_seconds: float
    """How often it does."""
    frameworks: list[FrameworkState]
    failures: list[FailedOperation]
    """Of the last day, the latest first, 20 at most."""
