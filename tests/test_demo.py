"""The demo: how it looks on 80 columns, what it says of a job that went wrong, and that it leaves nothing behind."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from visionai import locks, pip, server
from visionai.demo import steps, terminal
from visionai.demo.app import SignIn

LONG = "1,797 images, 10 classes, 1,437 to train, 360 to validate, and then some more words that nobody expected"


def drawn(draw: Callable[[Console], Any], width: int = 80) -> list[str]:
    out = io.StringIO()
    draw(Console(file=out, width=width, highlight=False, color_system=None))
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 100, 140])
def test_every_step_keeps_its_bar_and_its_time_beside_a_long_note(width):
    def draw(console: Console) -> None:
        shown = terminal.progress(console)
        with terminal.step(shown, "Starting the app"):
            pass
        shown.add_task("Training (finalizing)", total=100, completed=40, note="12 s left")
        shown.add_task("Checking every image", total=100, completed=50, note=LONG)
        console.print(shown.get_renderable())

    lines = drawn(draw, width)
    assert len(lines) == 3
    assert all(len(line.rstrip()) <= width for line in lines)
    assert all("━" in line for line in lines)
    assert all(line.rstrip().endswith(("-:--:--", "0:00:00")) for line in lines)
    assert lines[0].startswith("✓ Starting the app ")
    assert "12 s left" in lines[1]
    assert lines[2].split("━ ")[-1].lstrip().startswith("1,797")
    assert "…" in lines[2] or width > 100


def test_further_lines_of_a_chat_answer_stand_below_its_first():
    lines = drawn(lambda c: c.print(terminal.speech("VisionAI", "magenta", "Train it?\n" + "word " * 40)))
    assert lines[0].startswith("  VisionAI  Train it?")
    assert len(lines) > 3
    assert all(line.startswith(" " * 12 + "word") for line in lines[1:])


def test_the_parts_of_a_part_stand_indented_below_it_and_the_total_counts_them_once():
    split = terminal.Split()
    split.parts = {"start the app": 2.0, "train": 10.0, "download the checkpoint": 0.5}
    split.of["train"] = {"in the queue": 1.0, "epochs": 9.0}
    lines = split.lines()
    assert [line.rsplit(maxsplit=2)[0] for line in lines] == [
        "  start the app", "  train", "    in the queue", "    epochs", "  download the checkpoint", "  in all",
    ]  # fmt: skip
    assert lines[-1].endswith("12.5 s")
    assert len({len(line) for line in lines}) == 1


def test_a_job_that_did_not_complete_says_why_or_nothing():
    job = {"state": "cancelled", "error": None, "state_reason": ""}
    assert steps.ended_otherwise(job) == "the training is cancelled"
    assert steps.ended_otherwise({**job, "state_reason": "By Ada."}) == "the training is cancelled: By Ada."
    error = {"message": "It ran out of memory.", "hint": "Take a smaller batch."}
    assert steps.ended_otherwise({**job, "state": "failed", "error": error}).endswith("memory. Take a smaller batch.")


def test_an_attempt_that_was_lost_is_told_also_where_there_is_no_terminal():
    assert "Attempt 1 was lost: killed." in steps.restarted({"attempt": 1, "status": "lost", "message": "killed."})


def test_an_access_token_that_ran_out_is_replaced():
    """An installation of gigabytes may take longer than a token lives."""
    asked = []

    def app(request: httpx.Request) -> httpx.Response:
        asked.append((request.url.path, request.headers.get("Authorization")))
        if request.url.path.endswith("/login"):
            return httpx.Response(200, json={"access_token": "new"})
        return httpx.Response(200 if request.headers["Authorization"] == "Bearer new" else 401, json={})

    auth = SignIn("http://app", {"email": "a", "password": "b"}, "old")
    with httpx.Client(base_url="http://app", auth=auth, transport=httpx.MockTransport(app)) as api:
        assert api.get("/models").status_code == 200
        assert api.get("/models").status_code == 200
    assert asked == [
        ("/models", "Bearer old"), ("/api/v1/auth/login", None), ("/models", "Bearer new"), ("/models", "Bearer new"),
    ]  # fmt: skip


def test_an_installation_says_what_it_fetches_and_how_far_it_is():
    said = "Collecting torch\n  Downloading torch-2.9.1-cp311-cp311-manylinux_2_28_x86_64.whl (899.8 MB)\n"
    assert pip.fetching("", 0) == "0 MB fetched"
    assert pip.fetching(said, 1_234_000_000) == "1.2 GB fetched, now torch 2.9.1"
    assert pip.unpacking(1_400_000_000, 5_200_000_000) == "unpacking 1.4 GB of 5.2 GB"
    assert pip.unpacking(9_000_000_000, 5_200_000_000) == "unpacking 5.2 GB of 5.2 GB"


# --- real processes ---------------------------------------------------------------------------------------------------


def until(look: Callable[[], Any], seconds: float = 180) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)
    return found


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "data"
    server.stop(tmp_path / "data")


def demo(data_dir: Path, *options: str) -> subprocess.Popen[str]:
    """As a script's ``&`` starts it: with SIGINT ignored."""
    command = [sys.executable, "-m", "visionai.cli", "demo", "--port", "0", "--data-dir", str(data_dir), *options]
    return subprocess.Popen(
        ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *command],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def of(data_dir: Path) -> list[str]:
    """Command lines and working directories of the processes that work for this data directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            where = str((process / "cwd").readlink())
        except OSError:
            continue
        if str(data_dir) in words + where and process.name != str(os.getpid()):
            found.append(words)
    return found


@pytest.mark.process
@pytest.mark.training
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_a_demo_that_exits_ends_everything_also_when_it_is_interrupted_in_training(data_dir, number):
    pytest.importorskip("timm", reason="trains a real model; install the timm extra")
    with demo(data_dir, "--exit") as process:
        until(lambda: locks.trainings(data_dir))
        process.send_signal(number)
        out = process.communicate(timeout=150)[0]
    assert process.returncode == 130, out
    assert "Interrupted: what this demo started is being ended." in out
    assert "Ended: its training, the app." in out
    assert not locks.trainings(data_dir)
    until(lambda: not of(data_dir), 10)


@pytest.mark.process
def test_a_demo_that_finds_the_app_running_says_that_it_goes_on_and_how_to_stop_it(data_dir):
    with demo(data_dir) as first:
        until(lambda: server.running(data_dir))
        first.send_signal(signal.SIGTERM)
        out = first.communicate(timeout=60)[0]
    where = server.running(data_dir)
    assert where is not None
    assert f"visionai stop --data-dir {data_dir}" in " ".join(out.split())
    with demo(data_dir, "--exit") as second:
        until(lambda: f"The app is at {where.url}" in (second.stdout.readline() if second.stdout else ""))
        second.send_signal(signal.SIGTERM)
        out = second.communicate(timeout=150)[0]
    assert "The app was running before" in out
    assert f"visionai stop --data-dir {data_dir}" in " ".join(out.split())
    assert "the app." not in out
    assert httpx.get(f"{where.url}/healthz", trust_env=False).json() == {"ok": True}
    assert server.stop(data_dir)
    assert server.running(data_dir) is None


@pytest.mark.process
@pytest.mark.parametrize("options", [[], ["--exit"]])
def test_a_demo_that_cannot_start_ends_with_the_error_of_this_start(data_dir, options):
    data_dir.mkdir()
    (data_dir / "server.log").write_text("an older run's error\n")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with demo(data_dir, *options, "--port", str(taken.getsockname()[1])) as process:
            out = process.communicate(timeout=60)[0]
    assert process.returncode == 1
    assert "is taken by another program: choose another PORT" in out
    assert "older" not in out
    assert "Look at it" not in out
