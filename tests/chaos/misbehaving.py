"""A trainer that learns nothing and misbehaves as the name of its model says. It reports as the contract has it.

Most names speak of the first attempt alone; the ones after it behave, and go on from the last checkpoint. An epoch
takes ``EPOCH_SECONDS``, and the first two are reported and their checkpoint is uploaded before anything goes wrong.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from visionai.trainers import inputs
from visionai.trainers.contract import PrimaryMetric, TrainerEnv, TrainerError, Validation
from visionai.trainers.reporter import Metrics, Reporter
from visionai.trainers.runner import Stopped, run

EPOCH_SECONDS = 0.25
AT_EPOCH = 2
FOREVER = 3600.0


def killed(reporter: Reporter) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def exits_early(reporter: Reporter) -> None:
    os._exit(3)


def exits_without_done(reporter: Reporter) -> None:
    os._exit(0)


def silent(reporter: Reporter) -> None:
    reporter.__exit__()
    time.sleep(FOREVER)


def out_of_memory(reporter: Reporter) -> None:
    raise TrainerError("oom", "The device ran out of memory.")


def wrong_settings(reporter: Reporter) -> None:
    raise TrainerError("config_invalid", "There is no such optimizer.")


def preempted(reporter: Reporter) -> None:
    """Somebody else, who owns the machine, asks it to stop."""
    os.kill(os.getpid(), signal.SIGTERM)


def ignores_stop(reporter: Reporter) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for _ in range(int(FOREVER)):
        time.sleep(1.0)


AT_THE_EPOCH: dict[str, Callable[[Reporter], None]] = {
    f.__name__: f
    for f in (
        killed, exits_early, exits_without_done, silent, out_of_memory, wrong_settings, preempted,
        ignores_stop,
    )
} | {"killed_every_time": killed}  # fmt: skip


def crashes_after_done() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def hangs_after_done() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(FOREVER)


def leaves_processes_behind() -> None:
    """A daemon of its own session, as loaders and launchers leave them, and one in its group."""
    for new_session in (True, False):
        subprocess.Popen(["sleep", str(FOREVER)], start_new_session=new_session)


AFTER_DONE: dict[str, Callable[[], None]] = {
    f.__name__: f for f in (crashes_after_done, hangs_after_done, leaves_processes_behind)
}
OTHERS = ("behaves", "never_reports")
NAMES = (*AT_THE_EPOCH, *AFTER_DONE, *OTHERS)


def main() -> None:
    env = TrainerEnv.from_environ(os.environ)
    first = env.attempt == 1
    if first and env.model_name == "never_reports":
        time.sleep(FOREVER)
    with Reporter(env, beat_seconds=1.0, uniform=lambda _, most: min(most, 0.5)) as reporter:  # nobody has time here
        code = run(lambda: train(env, reporter, misbehaves=first or env.model_name == "killed_every_time"), reporter)
    if first and (afterwards := AFTER_DONE.get(env.model_name)) is not None:
        afterwards()
    os._exit(code)


def train(env: TrainerEnv, reporter: Reporter, *, misbehaves: bool) -> Metrics:
    fetched = inputs.fetch(env, stop=lambda: reporter.stop_requested)
    begun = fetched.one("checkpoint")
    done, epochs = int(begun.read_text()) if begun is not None else 0, int(env.training_config["epochs"])
    last, loss = Path(env.workspace) / "last.pt", 1.0
    for epoch in range(done + 1, epochs + 1):
        if misbehaves and epoch > AT_EPOCH and (misbehave := AT_THE_EPOCH.get(env.model_name)) is not None:
            until(reporter._uploads.idle, reporter)
            misbehave(reporter)
        deadline = time.monotonic() + float(env.training_config.get("epoch_seconds", EPOCH_SECONDS))
        while time.monotonic() < deadline:
            if reporter.stop_requested:
                raise Stopped
            time.sleep(0.01)
        loss = 1.0 / epoch
        progress = {"step": epoch, "progress": 100.0 * epoch / epochs, "eta_seconds": None}
        reporter.epoch(epoch, epochs, metrics={"train/loss": loss}, **progress)
        reporter.validation(Validation(epoch=epoch, primary_metric=PrimaryMetric("val/accuracy", epoch / (epoch + 1))))
        with suppress(OSError):  # no room on the disk: next time there may be
            save(last, str(epoch))
            reporter.artifact("checkpoint_last", last, epoch=epoch)
    until(lambda: add_model(env, reporter, epochs), reporter)
    return {"train/loss": loss}


def add_model(env: TrainerEnv, reporter: Reporter, epoch: int) -> bool:
    try:
        save(model := Path(env.workspace) / "model.pt", "model")
        reporter.artifact("model", model, epoch=epoch)
    except OSError:  # no room on the disk yet
        time.sleep(0.2)
        return False
    return True


def save(path: Path, text: str) -> None:
    """Replaced, never written into: an upload may hold the old one."""
    part = path.with_suffix(".part")
    part.write_text(text)
    part.replace(path)


def until(condition: Callable[[], bool], reporter: Reporter) -> None:
    while not condition() and not reporter.stop_requested:
        time.sleep(0.01)


if __name__ == "__main__":
    if sys.argv[1:] == ["names"]:
        print("\n".join(NAMES))
    else:
        main()
