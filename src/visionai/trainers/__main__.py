"""``python -m visionai.trainers NAME describe | catalogue | train``: one entry for every trainer.

``train`` without ``--data`` is started by the server and reads its environment; with ``--data`` it trains by hand on
a folder of class folders and prints what it would report.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib
import os
import signal
import sys
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any, NoReturn, cast

import msgspec

from visionai.trainers import data, inputs
from visionai.trainers.contract import EXIT_FAILED, Manifest, TrainerEnv, TrainerError
from visionai.trainers.reporter import Metrics, OfflineReporter, Reporter, Reporting
from visionai.trainers.runner import Job, run, stay_offline

PR_SET_PDEATHSIG = 1
TRAINERS = {"timm": "visionai.trainers.timm"}
"""Packages, each with ``catalogue.manifest(file) -> Manifest`` and ``catalogue.write(out, listed)``, which import no
framework until they must, and ``train.train(job, reporter) -> final metrics``, whose import is the framework's."""


def main(argv: list[str] | None = None) -> int:
    args = _arguments().parse_args(argv)
    package = TRAINERS[args.name]
    if args.command == "describe":
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(_manifest(package, args.catalogue))) + b"\n")
        return 0
    if args.command == "catalogue":
        stay_offline(allow_downloads=False)
        if args.parent is not None and not _dies_with(args.parent):
            return EXIT_FAILED
        os.environ["OMP_NUM_THREADS"] = "1"
        importlib.import_module(f"{package}.catalogue").write(args.out, listed=_give_way)
        return 0
    return _leave(_by_hand(package, args) if args.data else _for_the_server(package))


def _dies_with(parent: int) -> bool:
    """Have this process killed when its parent is, as nothing else would end it then. False if that has happened."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    try:
        os.kill(parent, 0)
    except ProcessLookupError:
        return False
    return True


def _give_way() -> None:
    """Take only the processor that nobody else wants: what is left to do nobody waits for. Linux shares the processor
    among sessions first, whatever the niceness of what is in them (sched(7), autogroup), so that needs it too."""
    os.nice(19)
    with suppress(OSError):  # the system may not know how
        Path("/proc/self/autogroup").write_text("19")


def _leave(code: int) -> NoReturn:
    """At once: everything is reported and on disk, and tearing a framework down takes seconds, where it ends at all."""
    with suppress(OSError):  # a full disk
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _manifest(package: str, catalogue: Path | None) -> Manifest:
    return cast(Manifest, importlib.import_module(f"{package}.catalogue").manifest(catalogue))


def _train(package: str, job: Job, reporter: Reporting) -> Metrics:
    reporter.log("Importing the framework")
    return cast(Metrics, importlib.import_module(f"{package}.train").train(job, reporter))


def _for_the_server(package: str) -> int:
    """The first heartbeat goes out before the framework is imported, and the data arrives meanwhile."""
    try:
        env = TrainerEnv.from_environ(os.environ)
    except TrainerError as e:
        print(f"{e}\n{e.info.hint}", file=sys.stderr)
        return EXIT_FAILED
    stay_offline(env.allow_downloads)
    with Reporter(env) as reporter:
        reporter.log(f"Attempt {env.attempt}: {env.framework} {env.model_name} on data set {env.dataset_id}")
        fetched: Future[data.TrainingData] = Future()
        Thread(target=_fetch, args=(env, reporter, fetched), name="inputs", daemon=True).start()
        job = Job(
            env.task_type,
            env.model_name,
            env.training_config,
            Path(env.workspace),
            env.allow_downloads,
            fetched.result,
        )
        code = run(lambda: _train(package, job, reporter), reporter)
        return EXIT_FAILED if reporter.abandoned else code


def _fetch(env: TrainerEnv, reporter: Reporter, result: Future[data.TrainingData]) -> None:
    try:
        fetched = inputs.fetch(env, stop=lambda: reporter.stop_requested)
        reporter.event(
            "dataset_downloaded",
            f"{fetched.inputs.dataset.image_count} images, {fetched.downloaded:,} bytes downloaded",
            bytes=fetched.downloaded,
            images=fetched.inputs.dataset.image_count,
        )
        result.set_result(inputs.training_data(fetched))
    except BaseException as e:
        result.set_exception(e)


def _by_hand(package: str, args: argparse.Namespace) -> int:
    stay_offline(os.environ.get("ALLOW_DOWNLOADS") == "1")
    config = dict(args.set)
    if args.preset:
        config = {**_manifest(package, None).presets[args.preset], **config}
    if args.epochs is not None:
        config["epochs"] = args.epochs
    args.out.mkdir(parents=True, exist_ok=True)
    job = Job(
        "classification",
        args.model,
        config,
        args.out,
        os.environ.get("ALLOW_DOWNLOADS") == "1",
        lambda: data.from_folder(args.data)._replace(checkpoint=args.resume),
    )
    reporter = OfflineReporter()
    return run(lambda: _train(package, job, reporter), reporter)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m visionai.trainers", description=__doc__)
    parser.add_argument("name", choices=sorted(TRAINERS))
    commands = parser.add_subparsers(dest="command", required=True)
    describe = commands.add_parser("describe", help="print the manifest; imports no framework")
    describe.add_argument("--catalogue", type=Path, metavar="FILE", help="the models, as written by `catalogue`")
    catalogue = commands.add_parser("catalogue", help="list every model of the installed framework in a file")
    catalogue.add_argument("--out", type=Path, required=True, metavar="FILE")
    catalogue.add_argument("--parent", type=int, metavar="PID", help="end when this process does, which started it")
    train = commands.add_parser("train", help="train: for the server, or by hand with --data")
    train.add_argument("--data", type=Path, metavar="FOLDER", help="a folder of class folders")
    train.add_argument("--model", default="resnet18", help="default: %(default)s")
    train.add_argument("--epochs", type=int)
    train.add_argument("--preset", choices=["quick", "balanced", "accurate"])
    train.add_argument("--set", type=_setting, action="append", default=[], metavar="KEY=VALUE")
    train.add_argument("--resume", type=Path, metavar="FILE", help="go on from a last.pt")
    train.add_argument("--out", type=Path, default=Path("runs"), metavar="DIR", help="default: %(default)s")
    return parser


def _setting(text: str) -> tuple[str, Any]:
    """``key=value``, the value as JSON or, failing that, as a text."""
    key, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text}: expected KEY=VALUE")
    try:
        return key, msgspec.json.decode(value)
    except msgspec.DecodeError:
        return key, value


if __name__ == "__main__":
    sys.exit(main())
