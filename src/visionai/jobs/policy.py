"""What one job may take and what is kept of it, where that differs from what holds for all."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from visionai.jobs.tables import Job

LONGEST_GAP = 60.0
"""Seconds between two reports that count as training; more is a laptop's sleep, a lost network or a moved clock."""


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    max_retries: Annotated[int, Meta(ge=0, le=100)] | None = None
    """How often it is tried again after a loss. None: MAX_RETRIES of the server."""
    time_limit_seconds: Annotated[float, Meta(ge=60, le=10**9)] | None = None
    """Seconds of training, over all attempts, after which it is stopped. Waiting and downtime do not count."""
    silence_seconds: Annotated[float, Meta(ge=30, le=10**9)] | None = None
    """Seconds without a report after which its trainer is taken for lost. None: SILENCE_SECONDS of the server."""
    keep_every: Annotated[int, Meta(ge=1, le=10**6)] | None = None
    """Besides the last and the best checkpoint, keep the first one that is saved in every so many epochs."""


def policy_of(job: Job) -> Policy:
    return Policy(job.max_retries, job.time_limit_seconds, job.silence_seconds, job.keep_every)
