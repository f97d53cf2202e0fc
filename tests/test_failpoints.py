"""Failpoints: where, what, and at which time."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from visionai import failpoints


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    failpoints.arm("")


def test_unset_they_do_nothing() -> None:
    failpoints.arm("")
    failpoints.reach("job.launched")


def test_one_may_be_named_with_its_detail_and_raises_from_that_time_on() -> None:
    failpoints.arm("job.recorded.Begin=raise@2")
    failpoints.reach("job.recorded", "Begin")
    failpoints.reach("job.recorded", "Validate")
    for _ in range(2):
        with pytest.raises(failpoints.Failed):
            failpoints.reach("job.recorded", "Begin")


@pytest.mark.process
def test_kill_is_sigkill_at_that_time_alone() -> None:
    program = """
from visionai import failpoints
failpoints.arm("here=kill@2,there=kill")
failpoints.reach("here"); print("once", flush=True); failpoints.reach("here"); print("twice", flush=True)
"""
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "once\n")
    assert "failpoint here, time 2" in done.stderr


@pytest.mark.parametrize("plan", ["job.launched", "job.launched=explode", "job.launched=kill@soon"])
def test_a_plan_that_cannot_be_read_is_refused(plan: str) -> None:
    with pytest.raises(ValueError, match=r"kill or raise|invalid literal"):
        failpoints.arm(plan)
