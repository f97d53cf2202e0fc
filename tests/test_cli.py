"""The commands as people type them: real processes, their exit codes and what they print."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process


def visionai(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "visionai.cli", *arguments], env={**os.environ, **env}, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("command", ["serve", "stop", "migrate", "demo", "openapi", "trainer install", "trainer check"])
def test_help_is_there(command):
    done = visionai(*command.split(), "--help")
    assert done.returncode == 0
    assert "usage:" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "env"),
    [
        (["serve", "--port", "99999"], {}),
        (["serve"], {"REDIS_URL": "foo"}),
        (["demo", "--exit"], {"DATA_DIR": "/proc/nowhere"}),
        (["demo", "--exit", "--data-dir", "/proc/nowhere"], {}),
        (["trainer", "install", "timm", "--data-dir", "/proc/nowhere"], {}),
    ],
)
def test_what_is_set_wrong_is_said_in_one_line(arguments, env):
    done = visionai(*arguments, **env)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "Traceback" not in done.stderr


def test_stop_ends_the_app_of_that_data_directory_and_says_if_there_is_none(tmp_path: Path):
    assert visionai("stop", "--data-dir", str(tmp_path)).returncode == 1
    with subprocess.Popen(
        [sys.executable, "-m", "visionai.cli", "serve", "--json", "--port", "0", "--data-dir", str(tmp_path)],
        stdout=subprocess.PIPE, text=True,
    ) as server:  # fmt: skip
        assert server.stdout is not None
        assert json.loads(server.stdout.readline())["pid"] == server.pid
        done = visionai("stop", "--data-dir", str(tmp_path))
        assert (done.returncode, done.stdout) == (0, "Stopped.\n")
        assert server.wait(30) == 0


def test_a_demo_that_cannot_start_ends_and_says_why(tmp_path: Path):
    """Also without --exit: there is nothing to look at."""
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = visionai("demo", "--port", str(taken.getsockname()[1]), "--data-dir", str(tmp_path))
    assert done.returncode == 1
    assert "choose another PORT" in done.stdout
    assert "Look at it" not in done.stdout
