"""One suite for the seam, passed by every executor: the real one with real processes, and the fake."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest

from visionai.errors import Unavailable
from visionai.executors import wrapper
from visionai.executors.base import Executor, Exited, Gone, Handle, Launch, Observation, Running
from visionai.executors.fake import FakeExecutor
from visionai.executors.subprocess import SubprocessExecutor, trainer_environment

T = TypeVar("T")
SLEEPS = "import time; time.sleep(600)"
SAVES_ON_SIGTERM = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (pathlib.Path("saved").touch(), sys.exit(143)))
pathlib.Path("ready").touch()
time.sleep(600)
"""
LEAVES_A_DAEMON = """
import pathlib, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
pathlib.Path("daemon").write_text(str(child.pid))
"""


def launch(program: str, launch_id: str = "job-a-1", **env: str) -> Launch:
    return Launch(launch_id, [sys.executable, "-c", program], {"PATH": os.environ["PATH"], **env})


async def until(look: Callable[[], T | None], seconds: float = 20.0) -> T:
    """The first answer that is not None; these are real processes, which have no event to wait for."""
    deadline = time.monotonic() + seconds
    while (found := look()) is None:
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.01)
    return found


async def end_of(executor: Executor, handle: Handle) -> Observation:
    deadline = time.monotonic() + 20
    while isinstance(seen := await executor.poll(handle), Running):
        assert time.monotonic() < deadline, "it did not end"
        await asyncio.sleep(0.01)
    return seen


def exists(path: Path) -> bool | None:
    return path.exists() or None


def alive(pid: int) -> bool:
    try:
        return b") Z " not in Path(f"/proc/{pid}/stat").read_bytes()
    except FileNotFoundError:
        return False


@pytest.fixture(params=["subprocess", "fake"])
def executor(request: pytest.FixtureRequest, tmp_path: Path) -> Executor:
    return SubprocessExecutor(tmp_path / "runs", "host") if request.param == "subprocess" else FakeExecutor(tmp_path)


@pytest.fixture
def real(tmp_path: Path) -> SubprocessExecutor:
    return SubprocessExecutor(tmp_path / "runs", "host")


async def test_what_was_started_runs_until_it_is_killed(executor):
    handle = await executor.start(launch(SLEEPS))
    assert await executor.poll(handle) == Running()
    await executor.stop(handle, kill=True)
    assert await end_of(executor, handle) == Exited(137)


async def test_starting_again_adopts(executor):
    first = await executor.start(launch(SLEEPS))
    assert await executor.start(launch(SLEEPS)) == first
    assert await executor.adopt("job-a-1") == first
    await executor.stop(first, kill=True)
    await end_of(executor, first)


async def test_a_launch_that_was_given_up_never_happens(executor):
    assert await executor.adopt("job-a-1") is None
    with pytest.raises(Unavailable, match="given up"):
        await executor.start(launch(SLEEPS))


async def test_a_handle_survives_being_written_down(executor):
    handle = await executor.start(launch(SLEEPS))
    kept = msgspec.json.decode(msgspec.json.encode(handle), type=Handle)
    assert await executor.poll(kept) == Running()
    await executor.stop(kept, kill=True)
    await end_of(executor, kept)


@pytest.mark.process
@pytest.mark.parametrize(("program", "code"), [("pass", 0), ("raise SystemExit(3)", 3), ("import os; os.abort()", 134)])
async def test_exit_codes_are_kept(real, program, code):
    assert await end_of(real, await real.start(launch(program))) == Exited(code)


@pytest.mark.process
async def test_the_exit_code_survives_the_server(real, tmp_path):
    handle = await real.start(launch("raise SystemExit(5)"))
    await end_of(real, handle)
    assert await SubprocessExecutor(tmp_path / "runs", "host").poll(handle) == Exited(5)


@pytest.mark.process
async def test_sigterm_reaches_the_trainer_which_may_save(real):
    handle = await real.start(launch(SAVES_ON_SIGTERM))
    work = Path(handle.run_dir) / "work"
    await until(lambda: exists(work / "ready"))
    await real.stop(handle)
    assert await end_of(real, handle) == Exited(143)
    assert (work / "saved").exists()


@pytest.mark.process
async def test_nothing_that_a_trainer_started_is_left_behind(real):
    handle = await real.start(launch(LEAVES_A_DAEMON))
    assert await end_of(real, handle) == Exited(0)
    daemon = int((Path(handle.run_dir) / "work" / "daemon").read_text())
    assert not alive(daemon)


@pytest.mark.process
async def test_a_killed_wrapper_takes_its_trainer_with_it(real):
    handle = await real.start(launch("import os, pathlib, time; pathlib.Path('pid').write_text(str(os.getpid())); time.sleep(600)"))  # fmt: skip  # noqa: E501
    pid_file = Path(handle.run_dir) / "work" / "pid"
    pid = await until(lambda: int(pid_file.read_text() or 0) or None if pid_file.exists() else None)
    os.kill(handle.pid, signal.SIGKILL)
    assert isinstance(await end_of(real, handle), Gone)
    await until(lambda: True if not alive(pid) else None)


@pytest.mark.process
async def test_nor_is_anything_left_where_the_wrapper_was_killed(real):
    """Not even what the trainer had put into a session of its own."""
    handle = await real.start(launch(LEAVES_A_DAEMON + SLEEPS))
    path = Path(handle.run_dir) / "work" / "daemon"
    daemon = await until(lambda: int(path.read_text() or 0) or None if path.exists() else None)
    os.kill(handle.pid, signal.SIGKILL)
    assert isinstance(await end_of(real, handle), Gone)
    assert not alive(daemon)


@pytest.mark.process
async def test_a_wrapper_that_was_stopped_by_somebody_ends_its_trainer_all_the_same(real):
    handle = await real.start(launch(SLEEPS))
    os.kill(handle.pid, signal.SIGSTOP)
    await real.stop(handle, kill=True)
    assert await end_of(real, handle) == Exited(137)


@pytest.mark.process
async def test_two_servers_starting_the_same_launch_start_it_once(real, tmp_path):
    other = SubprocessExecutor(tmp_path / "runs", "host")
    first, second = await asyncio.gather(real.start(launch(SLEEPS)), other.start(launch(SLEEPS)))
    assert first == second
    await real.stop(first, kill=True)
    await end_of(real, first)


def wrappers(run_dir: str) -> set[int]:
    """The processes whose command line names this run directory."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if run_dir.encode() in (process / "cmdline").read_bytes().split(b"\0") and alive(int(process.name)):
                found.add(int(process.name))
    return found


@pytest.mark.process
async def test_a_second_wrapper_of_the_same_launch_leaves_and_starts_nothing(real):
    """However it came to be: two servers, or one that was killed and another that was quick."""
    count = f"open('started', 'a').write('x'); {SLEEPS}"
    handle = await real.start(launch(count))
    again = [sys.executable, "-I", "-S", wrapper.__file__, handle.run_dir, sys.executable, "-c", count]
    await (await asyncio.create_subprocess_exec(*again)).wait()
    await until(lambda: wrappers(handle.run_dir) == {handle.pid} or None, seconds=5)
    started = Path(handle.run_dir) / "work" / "started"
    assert await until(lambda: started.read_text() if started.exists() else None) == "x"
    assert await real.poll(handle) == Running()
    await real.stop(handle, kill=True)
    await end_of(real, handle)


@pytest.mark.process
async def test_a_kill_right_after_the_start_is_not_lost(real):
    """The wrapper is adopted before its trainer is there: 25 times, as the gap is a matter of milliseconds."""
    for n in range(25):
        handle = await real.start(launch(SLEEPS, f"job-a-{n}"))
        await real.stop(handle, kill=True)
        assert await end_of(real, handle) == Exited(137)


@pytest.mark.process
async def test_after_a_restart_of_the_machine_it_is_gone_and_not_counted(real, tmp_path):
    handle = await real.start(launch(SLEEPS))
    rebooted = SubprocessExecutor(tmp_path / "runs", "host", boot_id="another")
    assert await rebooted.poll(handle) == Gone("the machine or the container was restarted", uncounted=True)
    await real.stop(handle, kill=True)
    await end_of(real, handle)


@pytest.mark.process
async def test_a_launch_that_was_not_recorded_before_the_restart_is_gone_and_not_counted(real, tmp_path):
    """The server fell between launching and writing the handle down, and the machine with it."""
    handle = await real.start(launch(SLEEPS))
    written = Path(handle.run_dir) / "pid.json"
    written.write_text(written.read_text().replace(handle.boot_id, "the boot before"))
    adopted = await real.adopt("job-a-1")
    assert await real.poll(adopted) == Gone("the machine or the container was restarted", uncounted=True)
    await real.stop(handle, kill=True)
    await end_of(real, handle)


@pytest.mark.process
async def test_in_a_copy_of_the_data_directory_the_originals_process_is_a_strangers(real, tmp_path):
    """One whose launch had been recorded is told by its host id; this one had not been."""
    original = await real.start(launch(SLEEPS))
    shutil.copytree(tmp_path / "runs", tmp_path / "copy")
    copy = SubprocessExecutor(tmp_path / "copy", "another")
    started = await copy.start(launch(SLEEPS))
    assert started.pid != original.pid
    await copy.stop(started, kill=True)
    await end_of(copy, started)
    assert await real.poll(original) == Running()
    shutil.copytree(tmp_path / "runs", tmp_path / "second")
    assert await SubprocessExecutor(tmp_path / "second", "third").adopt("job-a-1") is None
    await real.stop(original, kill=True)
    await end_of(real, original)


@pytest.mark.process
def test_a_container_that_is_restarted_is_another_boot(real):
    """Two containers on one machine differ in their first process alone: here, two pid namespaces."""
    ask = [sys.executable, "-c", "from visionai.executors.wrapper import boot_id; print(boot_id())"]
    container = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", *ask]
    inside = subprocess.run(container, check=False, capture_output=True, text=True)
    if inside.returncode != 0:
        pytest.skip(f"this machine lets nobody make a pid namespace: {inside.stderr.strip()}")
    assert inside.stdout.split(":")[0] == real.boot_id.split(":")[0]
    assert inside.stdout.strip() != real.boot_id


@pytest.mark.process
async def test_a_program_that_does_not_exist_says_so(real):
    missing = Launch("job-a-1", ["/nowhere/python"], {})
    handle = await real.start(missing)
    assert await end_of(real, handle) == Exited(127)
    assert "/nowhere/python cannot be started" in (Path(handle.run_dir) / "output.log").read_text()


@pytest.mark.process
async def test_no_secret_reaches_a_trainer(real):
    """Its environment is dumped and looked at."""
    server = {**os.environ, "JWT_SECRET": "marked-1", "DATABASE_URL": "marked-2", "REDIS_URL": "marked-3",
              "R2_SECRET_ACCESS_KEY": "marked-4", "AWS_SECRET_ACCESS_KEY": "marked-5",
              "OPENAI_API_KEY": "marked-6"}  # fmt: skip
    program = "import json, os, pathlib; pathlib.Path('env').write_text(json.dumps(dict(os.environ)))"
    started = Launch("job-a-1", [sys.executable, "-c", program], trainer_environment(server))
    handle = await real.start(started)
    await end_of(real, handle)
    assert "marked" not in (Path(handle.run_dir) / "work" / "env").read_text()
