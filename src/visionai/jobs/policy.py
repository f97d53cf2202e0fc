"""What one job may take and what is kept of it, where that differs from what holds for all."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from visionai.jobs.tables import Job
from visionai.settings import Settings

LONGEST_GAP = 60.0
"""Seconds between two reports that count as training; more is a laptop's sleep, a lost network or a moved clock."""


Retries = Annotated[int, Meta(ge=0, le=100)] | None
TimeLimit = Annotated[float, Meta(ge=60, le=10**9)] | None
Silence = Annotated[float, Meta(ge=30, le=10**9)] | None
KeepEvery = Annotated[int, Meta(ge=1, le=10**6)] | None


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    max_retries: Retries = None
    """How often it is tried again after a loss. None: MAX_RETRIES of the server."""
    time_limit_seconds: TimeLimit = None
    """Seconds of training, over all attempts, after which it is stopped. Waiting and downtime do not count."""
    silence_seconds: Silence = None
    """Seconds without a report after which its trainer is taken for lost. None: SILENCE_SECONDS of the server."""
    keep_every: KeepEvery = None
    """Besides the last and the best checkpoint, keep the first one that is saved in every so many epochs."""


class PolicyChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to differ from another policy: what is left out stays as it is there, and null is none of its own."""

    max_retries: Retries | UnsetType = UNSET
    time_limit_seconds: TimeLimit | UnsetType = UNSET
    silence_seconds: Silence | UnsetType = UNSET
    keep_every: KeepEvery | UnsetType = UNSET


def changed(policy: Policy, change: PolicyChange) -> Policy:
    given = {name: value for name, value in msgspec.structs.asdict(change).items() if value is not UNSET}
    return msgspec.structs.replace(policy, **given)


def in_force(policy: Policy, settings: Settings) -> Policy:
    """With what the server's settings say where it says nothing."""
    return msgspec.structs.replace(
        policy,
        max_retries=settings.max_retries if policy.max_retries is None else policy.max_retries,
        silence_seconds=settings.silence_seconds if policy.silence_seconds is None else policy.silence_seconds,
    )


def time_left(job: Job, expected: float | None) -> float | None:
    """The seconds that its trainer expects to need, or those that are left to it if they are fewer. Where the trainer
    does not say, as long for each epoch as so far."""
    done, total = job.epoch - (job.resume_epoch or 0), job.total_epochs
    if expected is None and done > 0 and total is not None:
        expected = job.run_seconds / done * max(0, total - job.epoch)
    if expected is None or job.time_limit_seconds is None:
        return expected
    return min(expected, max(0.0, job.time_limit_seconds - job.run_seconds))


def policy_of(job: Job) -> Policy:
    return Policy(job.max_retries, job.time_limit_seconds, job.silence_seconds, job.keep_every)
