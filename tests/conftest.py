"""What holds for every test: no internet, no settings from outside, and in CI no test is left out unnoticed."""

from __future__ import annotations

import fnmatch
import ipaddress
import os
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from visionai.settings import Settings

ALLOWED_SKIPS = Path(__file__).with_name("allowed_skips.toml")

# --- the environment: tests, and the processes they start, neither inherit settings nor fetch models ------------------

for name in Settings.__struct_fields__:
    os.environ.pop(name.upper(), None)
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ |= {"HF_HUB_OFFLINE": "1", "YOLO_OFFLINE": "1", "NO_PROXY": "127.0.0.1,localhost,::1"}


# --- hypothesis: how fast this machine is just now says nothing about the code ---------------------------------------

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


# --- the internet: refused to everything in this process, whichever library asks --------------------------------------


class InternetRefused(BaseException):
    """Not an Exception, so that no retry loop and no `except OSError` hides it."""


def refuse_internet(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook: raises on a connection or datagram to, or a look-up of, anything but this machine."""
    match event, arguments:
        case (("socket.connect" | "socket.sendto" | "socket.sendmsg"), (_, (str() | bytes() as host, *_))):
            pass
        case "socket.getaddrinfo", (str() | bytes() as host, *_):
            pass
        case _:
            return
    if not is_local(host.decode() if isinstance(host, bytes) else host):
        raise InternetRefused(f"A test reached for {host!r}. Tests use this machine alone.")


def is_local(host: str) -> bool:
    if host in {"", "localhost"} or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


sys.addaudithook(refuse_internet)


# --- skips: in CI each needs an entry, with its reason, in allowed_skips.toml -----------------------------------------

unlisted: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped:  # an expected failure counts as well: it proves nothing
        note_skip(report.nodeid, report.longrepr)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.skipped:
        note_skip(report.nodeid, report.longrepr)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if unlisted and session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if unlisted:
        terminalreporter.section("skipped without an entry in tests/allowed_skips.toml", red=True, bold=True)
        for line in unlisted:
            terminalreporter.write_line(line)


def note_skip(nodeid: str, longrepr: object) -> None:
    if os.environ.get("CI") and not any(fnmatch.fnmatchcase(nodeid, pattern) for pattern in allowed()):
        why = longrepr[2] if isinstance(longrepr, tuple) else "expected to fail"
        unlisted.append(f"{nodeid}: {why}")


def allowed() -> Iterator[str]:
    for entry in tomllib.loads(ALLOWED_SKIPS.read_text()).get("skip", []):
        yield entry["test"]
