"""A real `visionai serve` on a free port, and a browser in which nothing may go wrong unnoticed.

Run these as a pytest command of their own: sync Playwright and async tests do not share a process.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import ConsoleMessage, Page, expect

sys.path.insert(0, str(Path(__file__).parent))  # tests are no packages: what they share is imported by name
from serving import CHROMIUM_FLAGS, REPORT_CSP, Server, serving

expect.set_options(timeout=15_000)


class Account(msgspec.Struct):
    email: str
    password: str
    access_token: str


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_type_launch_args, "executable_path": shutil.which("chromium"), "args": CHROMIUM_FLAGS}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for each module, new and not yet set up. VISIONAI_TEST_TRAINER_PYTHON: where the frameworks are installed."""
    trainer = os.environ.get("VISIONAI_TEST_TRAINER_PYTHON", sys.executable)
    with serving(tmp_path_factory.mktemp("data"), {"TRAINER_PYTHON_TIMM": trainer}) as server:
        yield server


@pytest.fixture(scope="module")
def browser_context_args(server: Server) -> dict[str, Any]:
    return {"base_url": server.url, "viewport": {"width": 1440, "height": 900}, "locale": "en-GB"}


@pytest.fixture
def expected_errors() -> list[str]:
    """Patterns of console errors that the test is about: Chromium logs each answer of 400 and more as one."""
    return []


@pytest.fixture(autouse=True)
def nothing_goes_wrong(page: Page, expected_errors: list[str]) -> Iterator[None]:
    """Any console error, uncaught error or violation of the Content-Security-Policy fails the test."""
    seen: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            seen.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    page.on("console", note)
    page.on("pageerror", lambda error: seen.append(f"uncaught: {error}"))
    page.add_init_script(REPORT_CSP)
    yield
    assert [line for line in seen if not any(re.search(pattern, line) for pattern in expected_errors)] == []
