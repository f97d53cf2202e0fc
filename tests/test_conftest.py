"""The guards around the suite hold: no internet, and in CI no test is left out unnoticed."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TESTS = """
import pytest

def test_runs(): pass

@pytest.mark.skip(reason="no such machine")
def test_left_out(): pass

@pytest.mark.xfail
def test_expected_to_fail(): raise AssertionError
"""


def pytest_run(folder: Path, *, ci: bool, allowed: str = "", test: str = TESTS) -> subprocess.CompletedProcess[str]:
    shutil.copy(HERE / "conftest.py", folder)
    (folder / "allowed_skips.toml").write_text(allowed)
    (folder / "test_it.py").write_text(test)
    environ = {k: v for k, v in os.environ.items() if k != "CI"} | ({"CI": "true"} if ci else {})
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", folder, folder],
        env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_ci_fails_on_a_skip_and_on_an_expected_failure_that_nobody_allowed(tmp_path: Path) -> None:
    run = pytest_run(tmp_path, ci=True)
    assert run.returncode == 1
    assert "test_it.py::test_left_out: Skipped: no such machine" in run.stdout
    assert "test_it.py::test_expected_to_fail: expected to fail" in run.stdout


def test_ci_fails_on_a_module_that_skips_itself(tmp_path: Path) -> None:
    run = pytest_run(tmp_path, ci=True, test="import pytest\npytest.importorskip('no_such_module')")
    assert run.returncode == 1
    assert "test_it.py: Skipped: could not import 'no_such_module'" in run.stdout


def test_ci_accepts_what_is_listed(tmp_path: Path) -> None:
    allowed = '[[skip]]\ntest = "test_it.py::test_left_*"\nreason = "…"\n[[skip]]\ntest = "*_to_fail"\nreason = "…"'
    assert pytest_run(tmp_path, ci=True, allowed=allowed).returncode == 0


def test_outside_ci_a_skip_is_only_shown(tmp_path: Path) -> None:
    run = pytest_run(tmp_path, ci=False)
    assert run.returncode == 0
    assert "allowed_skips.toml" not in run.stdout


def refused() -> type[BaseException]:
    with pytest.raises(BaseException, match="this machine alone") as caught:
        socket.getaddrinfo("example.org", 80)
    return type(caught.value)


@pytest.mark.parametrize("host", ["93.184.216.34", "10.0.0.1", "2606:2800:220:1::1"])
def test_a_connection_to_elsewhere_is_refused(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as s, pytest.raises(refused(), match=host):
        s.connect((host, 80))


async def test_a_name_is_not_looked_up_and_no_error_handler_hides_it() -> None:
    assert not issubclass(refused(), Exception)
    with pytest.raises(refused(), match=r"example\.org"):
        await asyncio.open_connection("example.org", 80)


def test_this_machine_is_not_the_internet(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
        socket.create_connection(("localhost", server.getsockname()[1])).close()
    with socket.socket(socket.AF_UNIX) as s, pytest.raises(FileNotFoundError):
        s.connect(str(tmp_path / "absent"))
