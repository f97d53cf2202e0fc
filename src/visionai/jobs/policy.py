"""What one job may take and what is kept of it, where that differs from what holds for all."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from visionai.jobs.tables import Job
from visionai.settings import Settings

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


def in_force(policy: Policy, settings: Settings) -> Policy:
    """With what the server's settings say where it says nothing."""
    return msgspec.structs.replace(
        policy,
        max_retries=settings.max_retries if policy.max_retries is None else policy.max_retries,
        silence_seconds=settings.silence_seconds if policy.silence_seconds is None else policy.silence_seconds,
    )


def time_left(job: Job, expected: float | None) -> float | None:
    """The seconds that its trainer expects to need, or those that are left to it if they are fewer."""
    if expected is None or job.time_limit_seconds is None:
        return expected
    return min(expected, max(0.0, job.time_limit_seconds - job.run_seconds))


def policy_of(job: Job) -> Policy:
    return Policy(job.max_retries, job.time_limit_seconds, job.silence_seconds, job.keep_every)
