"""``visionai demo``: what a newcomer would do by hand, done through the public API, with each step shown.

The app runs as a process of its own, so that Ctrl-C here leaves it and the training alone. The demo's account and its
app's data live in a data directory of the demo's own; running it again goes on with them. ``app`` is that process,
``steps`` what is done through its API, ``terminal`` how it looks, ``digits`` the images.
"""

from __future__ import annotations

import asyncio
import signal
import sys

import httpx

from visionai import locks, server
from visionai.demo import steps
from visionai.demo.app import App, DemoFailed
from visionai.demo.digits import write_digits
from visionai.demo.terminal import console
from visionai.settings import Settings, prepare

__all__ = ["run", "write_digits"]


def run(settings: Settings, *, stop_at_end: bool) -> int:
    """0 if the model was trained, reached ACCURACY and was downloaded; 1, with a sentence, if not; 130 interrupted."""
    prepare(settings)
    app = App(settings)
    asked: list[int] = []

    def ask(number: int, _frame: object) -> None:
        asked.append(number)
        signal.raise_signal(signal.SIGINT)

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a script's `&` has it ignored, SIGTERM with it
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, ask)
    try:
        try:
            asyncio.run(steps.demo(settings, app))
            if asked:
                raise KeyboardInterrupt  # it met the end of what was waited for, and was lost
            code = 0
        except (DemoFailed, httpx.HTTPError) as e:
            console.print(f"\n[red]The demo failed:[/] {e}\n  the app's log is {app.log}", soft_wrap=True)
            code = 1
        if stop_at_end or not app.url:
            _end(app)
            return code
        console.print(f"\n  Look at it in the browser: {app.url}    (Ctrl-C to leave)", soft_wrap=True)
        while True:
            signal.pause()
    except KeyboardInterrupt:
        if stop_at_end or not app.url:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is ending already
            console.print("\n  Interrupted: what this demo started is being ended.")
            _end(app)
        else:
            _leave(app, at_once=bool(asked))
        return 130


def _end(app: App) -> None:
    """End everything that this demo started, and say so."""
    ended = ["its training"] if app.cancel() else []
    ended += ["the installation"] if app.end_installation() else []
    ended += ["the app"] if app.stop() else []
    if ended:
        console.print(f"\n  Ended: {', '.join(ended)}.")
    if app.left_behind():
        console.print(f"  [red]Its training has not ended[/]; its processes are named in {app.data_dir}/runs.")
    if app.adopted:
        console.print(
            f"\n  The app was running before, at {app.url}, and goes on. To stop it: {app.stop_command}", soft_wrap=True
        )


def _leave(app: App, *, at_once: bool) -> None:
    """Say what goes on, and stop it if Ctrl-C is pressed again."""
    goes_on = [f"the app at {app.url}"]
    goes_on += ["what it trains"] if locks.trainings(app.data_dir) else []
    goes_on += ["the installation of timm and PyTorch"] if app.is_installing() else []
    console.print(f"\n  Still running: {', '.join(goes_on)}.", soft_wrap=True)
    try:
        if not at_once:
            console.print("  Ctrl-C again stops the app and an installation; Enter leaves them running.")
            sys.stdin.readline()
        console.print(f"  To stop the app later: {app.stop_command}", soft_wrap=True)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if app.end_installation():
            console.print("\n  The installation is stopped.")
        server.stop(app.data_dir)
        trains = locks.trainings(app.data_dir)
        rest = "Its training goes on without it: the next start takes it up." if trains else "Nothing is lost."
        console.print(f"\n  The app is stopped. {rest} `visionai demo` goes on with the same data.", soft_wrap=True)
