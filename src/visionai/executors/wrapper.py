"""Runs one trainer and outlives any server: holds the lock, reaps the trainer, writes its exit status.

Started by file name with ``python -I -S``, so it uses the standard library alone and starts in some 20 ms::

    wrapper.py RUN_DIR ARGV...

- leaves its parent at once (fork, setsid), so that it belongs to no server and no server has to reap it;
- takes an flock on ``RUN_DIR/lock``; the loser of two exits with 75, so one launch never runs twice;
- writes ``RUN_DIR/pid.json`` (its own pid and start time, this boot, and which file it has locked), which a server that
  lost the handle adopts;
- starts ARGV in a process group of its own, working directory ``RUN_DIR/work``, output appended to ``output.log``, and
  ``VISIONAI_RUN_DIR`` in its environment, by which an executor finds what is left where this wrapper was killed;
- passes SIGTERM on to that group, kills it at SIGUSR1, kills what is left of it when the trainer has gone, and writes
  ``RUN_DIR/exit.json`` (``{"code": n}``; 128 + signal as a shell does) atomically.

Once ``exit.json`` exists the launch is over: a wrapper that finds it exits at once.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from types import FrameType

LOST_THE_LOCK = 75
LOOKS = 10
MARK = "VISIONAI_RUN_DIR"
NEVER_STARTED = 76  # written by an executor that gave the launch up, so that a late wrapper exits
KILL = signal.SIGUSR1  # to the wrapper: end the trainer now, also one that is just being started
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


def main() -> int:
    run_dir, argv = sys.argv[1], sys.argv[2:]
    if os.fork():
        return 0
    os.setsid()
    lock = os.open(os.path.join(run_dir, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)  # noqa: PTH118
    for _ in range(LOOKS):  # who only looks whether it is locked has it for an instant
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            time.sleep(0.02)
    else:
        return LOST_THE_LOCK
    if os.path.exists(os.path.join(run_dir, "exit.json")):  # noqa: PTH110, PTH118
        return 0
    prctl(PR_SET_CHILD_SUBREAPER, 1)  # what the trainer leaves behind becomes our child
    asked: list[int] = []  # before there is anything to pass it on to
    for number in (signal.SIGTERM, KILL):
        signal.signal(number, lambda number, _frame: asked.append(number))
    me: dict[str, int | str] = {
        "pid": os.getpid(),
        "start_time": start_time(os.getpid()),
        "boot_id": boot_id(),
        "lock": identity(lock),
    }
    write(run_dir, "pid.json", me)
    code = run(run_dir, argv, asked)
    write(run_dir, "exit.json", {"code": code})
    return 0


def run(run_dir: str, argv: list[str], asked: list[int]) -> int:
    """The trainer's exit code; 127 if it could not be started at all, with the reason in the output."""
    work = os.path.join(run_dir, "work")  # noqa: PTH118
    os.makedirs(work, exist_ok=True)  # noqa: PTH103
    with open(os.path.join(run_dir, "output.log"), "ab", buffering=0) as output:  # noqa: PTH118, PTH123
        try:
            child = subprocess.Popen(
                argv, cwd=work, stdin=subprocess.DEVNULL, stdout=output, stderr=output, process_group=0,
                env={**os.environ, MARK: run_dir}, preexec_fn=die_with_parent,  # noqa: PLW1509  (there are no threads here)
            )  # fmt: skip
        except OSError as e:
            output.write(f"{argv[0]} cannot be started: {e.strerror}\n".encode())
            return 127

    def pass_on(number: int, _frame: FrameType | None) -> None:
        signal_group(child.pid, signal.SIGKILL if number == KILL else signal.SIGTERM)

    for number in (signal.SIGTERM, KILL):
        signal.signal(number, pass_on)
    for early in asked:
        pass_on(early, None)
    code = child.wait()
    signal_group(child.pid, signal.SIGKILL)
    reap_orphans()
    return code if code >= 0 else 128 - code


def die_with_parent() -> None:
    """So that killing the wrapper leaves no trainer behind."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def reap_orphans() -> None:
    """Kill and reap what the trainer left behind in other process groups (daemonised loaders, launchers)."""
    while True:
        for pid in children(os.getpid()):
            signal_group(pid, signal.SIGKILL)
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def children(parent: int) -> list[int]:
    try:
        with open(f"/proc/{parent}/task/{parent}/children") as f:  # noqa: PTH123
            return [int(pid) for pid in f.read().split()]
    except OSError:
        return []


def signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return


def start_time(pid: int) -> int:
    """Clock ticks since boot; with the pid it names a process for good. 0 where there is no /proc."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as f:  # noqa: PTH123
            return int(f.read().rpartition(b")")[2].split()[19])
    except OSError:
        return 0


def identity(file: int | str) -> str:
    """Which file that is: a copy of it, or of its folder, is another one."""
    stat = os.stat(file)  # noqa: PTH116
    return f"{stat.st_dev}:{stat.st_ino}"


def boot_id() -> str:
    """Changes at every start of the machine, and of the container: nothing outlives either's first process."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as f:  # noqa: PTH123
            return f"{f.read().strip()}:{start_time(1)}"
    except OSError:
        return "unknown"


def write(run_dir: str, name: str, content: dict[str, int | str]) -> None:
    path = os.path.join(run_dir, name)  # noqa: PTH118
    with open(f"{path}.part", "w") as f:  # noqa: PTH123
        json.dump(content, f)
        f.flush()
        os.fsync(f.fileno())
    os.replace(f"{path}.part", path)  # noqa: PTH105


if __name__ == "__main__":
    sys.exit(main())
