"""The command line: thin, calls the rest.

Exit codes: 0 done, 1 failed (the message says why), 2 wrong arguments or settings, 130 interrupted.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from visionai import __version__, failpoints, frameworks, observability
from visionai.errors import SettingsError, VisionAIError
from visionai.settings import Settings, from_environ, override, prepare

Command = Callable[[argparse.Namespace, Settings], int]


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    try:
        settings = from_environ(os.environ)
        given = {
            name: getattr(arguments, name) for name in ("host", "port", "data_dir") if getattr(arguments, name, None)
        }
        if getattr(arguments, "port", None) == 0:
            given["port"] = 0
        settings = override(settings, given)
        observability.configure(settings.log_format, settings.log_level)
        command: Command = arguments.command
        return command(arguments, settings)
    except SettingsError as e:
        sys.stderr.write(f"visionai: {e}\n")
        return 2
    except VisionAIError as e:
        sys.stderr.write(f"visionai: {e}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="visionai", description="Train computer-vision models. Settings: docs/settings.md."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="run the app: API, web UI and worker", description=_serve.__doc__)
    serve.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    serve.add_argument("--port", type=int, help="port to listen on, 0 for a free one (default 8000)")
    serve.add_argument("--data-dir", type=_path, metavar="DIR", help="where everything is kept")
    serve.add_argument("--json", action="store_true", help="say where it listens as one line of JSON")
    serve.set_defaults(command=_serve)

    stop = commands.add_parser("stop", help="stop the app that runs on a data directory", description=_stop.__doc__)
    stop.add_argument("--data-dir", type=_path, metavar="DIR", help="where it keeps its things")
    stop.set_defaults(command=_stop)

    migrate = commands.add_parser(
        "migrate", help="bring the database to the newest schema", description=_migrate.__doc__
    )
    migrate.add_argument("--data-dir", type=_path, metavar="DIR", help="where everything is kept")
    migrate.set_defaults(command=_migrate)

    demo = commands.add_parser(
        "demo", help="train a real model on handwritten digits and show it", description=_demo.__doc__
    )
    demo.add_argument(
        "--exit", action="store_true", help="end all that it started when done; the exit code says whether it worked"
    )
    demo.add_argument("--port", type=int, help="port to listen on, 0 for a free one (default 8000)")
    demo.add_argument(
        "--data-dir", type=_path, metavar="DIR",
        help="where the demo keeps its things (default DATA_DIR with -demo added: not where `serve` keeps its own)",
    )  # fmt: skip
    demo.set_defaults(command=_demo)

    openapi = commands.add_parser("openapi", help="print the OpenAPI document", description=_openapi.__doc__)
    openapi.set_defaults(command=_openapi)

    trainer = commands.add_parser("trainer", help="frameworks and their trainers").add_subparsers(
        required=True, metavar="COMMAND"
    )
    install = trainer.add_parser("install", help="install a framework", description=_trainer_install.__doc__)
    install.add_argument("name", choices=frameworks.NAMES)
    install.add_argument("--data-dir", type=_path, metavar="DIR", help="where the app keeps its things")
    install.set_defaults(command=_trainer_install)
    check = trainer.add_parser(
        "check", help="try whether a trainer keeps the contract", description=_trainer_check.__doc__
    )
    check.add_argument("--framework", default="custom", help="what FRAMEWORK says (default custom)")
    check.add_argument("--model", default="test", help="what MODEL_NAME says (default test)")
    check.add_argument("--config", default="{}", metavar="JSON", help="hyperparameters; epochs are set by each case")
    check.add_argument("--timeout", default="180", metavar="SECONDS", help="for each case (default 180)")
    check.add_argument("--json", action="store_true", help="the findings as one line of JSON")
    check.add_argument("trainer", nargs="+", metavar="TRAINER", help="the command that starts it, after --")
    check.set_defaults(command=_trainer_check)
    return parser


def _serve(arguments: argparse.Namespace, settings: Settings) -> int:
    """Run the app until SIGTERM or Ctrl-C. Trainings in other processes go on and are taken up at the next start."""
    gc.disable()  # until it has started: a tenth of the time that the imports take
    from visionai.server import serve  # noqa: PLC0415  (0.8 s that other commands do not need)

    failpoints.arm(os.environ.get("VISIONAI_FAILPOINTS", ""))  # a test's
    return serve(prepare(settings), as_json=arguments.json)


def _stop(_arguments: argparse.Namespace, settings: Settings) -> int:
    """Stop the app that runs on this data directory. What it trains goes on and is taken up at the next start."""
    from visionai import locks, server  # noqa: PLC0415

    where = server.running(settings.data_dir)
    if server.stop(settings.data_dir):
        going_on = locks.trainings(settings.data_dir)
        rest = f" What it trains goes on: {going_on}, to be taken up at the next start." if going_on else ""
        print(f"Stopped the app{f' at {where.url}' if where else ''}.{rest}")
        return 0
    demo = _of_demo(settings.data_dir)
    hint = f" The demo's does: visionai stop --data-dir {demo}" if server.running(demo) is not None else ""
    print(f"No app runs on {settings.data_dir}.{hint}")
    return 1


def _migrate(_arguments: argparse.Namespace, settings: Settings) -> int:
    """Bring the database to the newest schema. `serve` does it by itself for an embedded one."""
    from visionai.db import database_url, migrate, newest_revision, refuse_unusable  # noqa: PLC0415
    from visionai.server import only_one  # noqa: PLC0415

    settings = prepare(settings)
    url = database_url(settings.database_url, settings.data_dir)
    with only_one(settings.data_dir):
        refuse_unusable(url)
        migrate(url)
    print(
        f"The database {'' if settings.database_url else f'in {settings.data_dir} '}has the schema {newest_revision()}."
    )
    return 0


def _demo(arguments: argparse.Namespace, settings: Settings) -> int:
    """Start the app with everything embedded, train test_resnet on handwritten digits through its API, and show it."""
    from visionai.demo import run  # noqa: PLC0415

    data_dir = arguments.data_dir or _of_demo(settings.data_dir)
    return run(msgspec.structs.replace(settings, data_dir=data_dir), stop_at_end=arguments.exit)


def _of_demo(data_dir: Path) -> Path:
    return data_dir.with_name(f"{data_dir.name}-demo")


def _openapi(_arguments: argparse.Namespace, settings: Settings) -> int:
    """Print the OpenAPI document of this version."""
    from visionai.api.openapi import document  # noqa: PLC0415
    from visionai.app import create_app  # noqa: PLC0415

    app = create_app(msgspec.structs.replace(settings, jwt_secret="x" * 32), background=False)
    sys.stdout.write(json.dumps(document(app), indent=1, sort_keys=True) + "\n")
    return 0


def _trainer_install(arguments: argparse.Namespace, settings: Settings) -> int:
    """Install a framework beside the app, in the locked versions. A running app notices by itself."""
    return frameworks.install(prepare(settings), arguments.name)


def _trainer_check(arguments: argparse.Namespace, _settings: Settings) -> int:
    """Run the conformance suite against any trainer: `visionai trainer check -- COMMAND…`. Exit code 1 if it fails."""
    given = [f"--{name}={getattr(arguments, name)}" for name in ("framework", "model", "config", "timeout")]
    suite = [sys.executable, "-m", "visionai.trainers.conformance", *given, *(["--json"] if arguments.json else [])]
    return subprocess.run([*suite, "--", *arguments.trainer], check=False).returncode


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()


if __name__ == "__main__":
    sys.exit(main())
