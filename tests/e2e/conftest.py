"""A real `visionai serve` on a free port, and a browser in which nothing may go wrong unnoticed.

Run these as a pytest command of their own: sync Playwright and async tests do not share a process.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import ConsoleMessage, Page, expect

CHROMIUM_FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
REPORT_CSP = "addEventListener('securitypolicyviolation', e => console.error('CSP', e.violatedDirective, e.blockedURI))"

expect.set_options(timeout=15_000)


class Server(msgspec.Struct):
    url: str
    setup_url: str
    data_dir: Path


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
    data_dir = tmp_path_factory.mktemp("data")
    environ = os.environ | {"TRAINER_PYTHON_TIMM": os.environ.get("VISIONAI_TEST_TRAINER_PYTHON", sys.executable)}
    command = [sys.executable, "-m", "visionai.cli", "serve", "--json", "--port", "0", "--data-dir", str(data_dir)]
    with (
        (data_dir / "stderr").open("w") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environ) as process,
    ):
        try:
            assert process.stdout
            line = process.stdout.readline()
            assert line, (data_dir / "stderr").read_text()
            where = json.loads(line)
            yield Server(where["url"], where["setup_url"], data_dir)
        finally:
            process.terminate()
            process.wait(30)


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
            seen.append(f"{message.type}: {message.text}")

    page.on("console", note)
    page.on("pageerror", lambda error: seen.append(f"uncaught: {error}"))
    page.add_init_script(REPORT_CSP)
    yield
    assert [line for line in seen if not any(re.search(pattern, line) for pattern in expected_errors)] == []
