"""``visionai demo``: what a newcomer would do by hand, done through the public API, with each step shown.

The server runs as a process of its own, so that Ctrl-C here leaves it and the training alone. The demo's account and
its server's data live in a data directory of the demo's own; running it again goes on with them.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import msgspec
import websockets
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column, Table
from rich.text import Text

from visionai import frameworks
from visionai.server import stop
from visionai.settings import Settings, prepare

SENTENCE = "train test_resnet on digits for 3 epochs"
ACCURACY = 0.97
EMAIL = "demo@localhost"
READY_SECONDS = 60.0
STOP_SECONDS = 60.0

console = Console(highlight=False)


class DemoFailed(Exception):
    """The sentence says what to do."""


class Split:
    """How long each part took, in seconds, in the order of the parts."""

    def __init__(self) -> None:
        self.parts: dict[str, float] = {}

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        self.parts[name] = time.monotonic() - begun


def run(settings: Settings, *, stop_at_end: bool) -> int:
    """0 if the model was trained, reached ACCURACY and was downloaded; 1 otherwise, with a sentence."""
    prepare(settings)
    server = Server(settings)
    if stop_at_end:  # what ends a script's command ends what the command started, too
        signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        try:
            asyncio.run(_demo(settings, server))
            code = 0
        except (DemoFailed, httpx.HTTPError) as e:
            console.print(f"\n[red]The demo failed:[/] {e}\n  the server's log is {server.log}", soft_wrap=True)
            code = 1
        if not server.url:
            return code
        if not stop_at_end:
            console.print(f"\n  Look at it in the browser: {server.url}    (Ctrl-C ends the demo)")
            signal.pause()
        elif server.adopted:
            console.print(f"  The app was running before, at {server.url}, and goes on: `visionai stop` ends it.")
        return code
    except KeyboardInterrupt:
        return _interrupted(server, stop_at_end=stop_at_end)
    finally:
        if stop_at_end and not server.adopted:
            server.stop()


class Server:
    """The app in a process of its own, or the one that an earlier demo left running."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self.data_dir = settings.data_dir
        self.log = settings.data_dir / "server.log"
        self.url = ""
        self.setup_url: str | None = None
        self.adopted = False
        self.installing: subprocess.Popen[bytes] | None = None
        self.job: tuple[str, str] | None = None
        """The address of the training that runs, and the token to cancel it with."""

    def start(self) -> None:
        """Returns once it listens. Raises DemoFailed with the end of its log."""
        if (running := self._running()) is not None:
            self.url, self.adopted = running, True
            return
        if self.log.exists():
            self.log.replace(self.log.with_name("server.log.1"))
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "visionai.cli", "serve", "--json", "--port", str(self._settings.port),
                 "--data-dir", str(self._settings.data_dir)],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True,
            )  # fmt: skip
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if not said:
            tail = self.log.read_text(errors="replace").strip().splitlines()[-3:]
            self._process.wait()
            raise DemoFailed("the app did not start: " + " / ".join(tail))
        self.url, self.setup_url = json.loads(said)["url"], json.loads(said)["setup_url"]

    def stop(self) -> None:
        """Ends it cleanly, and the installation of a framework; with SIGKILL if it does not end by itself."""
        if self.installing is not None and self.installing.poll() is None:
            os.killpg(self.installing.pid, signal.SIGTERM)
        if self.adopted:
            stop(self._settings)
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def cancel(self) -> None:
        """End the training that the demo started, and wait until its process is gone."""
        if self.job is None:
            return
        address, token = self.job
        headers = {"Authorization": f"Bearer {token}"}
        with contextlib.suppress(httpx.HTTPError):
            httpx.post(f"{address}/cancel", headers=headers, trust_env=False)
            deadline = time.monotonic() + STOP_SECONDS
            while time.monotonic() < deadline:
                if httpx.get(address, headers=headers, trust_env=False).json().get("ended_at") is not None:
                    return
                time.sleep(0.2)

    def _running(self) -> str | None:
        try:
            known = json.loads((self._settings.data_dir / "server.json").read_bytes())
            os.kill(known["pid"], 0)
            httpx.get(f"{known['url']}/healthz").raise_for_status()
        except (OSError, ValueError, httpx.HTTPError):
            return None
        return str(known["url"])


async def _demo(settings: Settings, server: Server) -> None:
    split = Split()
    with _progress() as progress:
        with split.part("start the app"), _step(progress, "Starting the app"):
            server.start()
        console.print(f"  The app is at {server.url}")
        async with httpx.AsyncClient(base_url=server.url, timeout=60, trust_env=False) as api:
            with split.part("sign in"), _step(progress, "Signing in"):
                await _ready(api)
                await _sign_in(api, server, settings.data_dir / "demo-account.json")
            server.installing = await _install(settings)
            with split.part("write and upload the digits"), _step(progress, "Uploading 1,797 digits"):
                dataset = await _digits(api, settings)
            with split.part("check the data set"):
                await _imported(api, progress, dataset)
            with split.part("wait for timm"):
                await _framework(api, progress, server)
            progress.stop()  # what follows stands below it
            with split.part("chat"):
                job_id = await _chat(api)
            token = api.headers["Authorization"].removeprefix("Bearer ")
            server.job = (f"{server.url}/api/v1/training/jobs/{job_id}", token)
            with split.part("train"), _progress() as training:
                job = await _follow(api, training, server.url, job_id)
            await _split_training(api, job_id, split)
            with split.part("download the checkpoint"):
                path = await _download(api, job_id, settings.data_dir / "demo")
            server.job = None
    _summary(server, job, path, split)


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(finished_text="[green]✓[/]"),
        TextColumn("{task.description}", table_column=Column(no_wrap=True)),
        BarColumn(bar_width=14),
        TextColumn("{task.fields[note]}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
        TimeElapsedColumn(table_column=Column(no_wrap=True, min_width=7)), console=console, expand=True,
    )  # fmt: skip


@contextlib.contextmanager
def _step(progress: Progress, description: str, total: float | None = None) -> Iterator[TaskID]:
    task = progress.add_task(description, total=total, note="")
    yield task
    progress.update(task, total=total or 1, completed=total or 1)


async def _ready(api: httpx.AsyncClient) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if (await api.get("/readyz")).status_code == 200:
            return
        await asyncio.sleep(0.1)
    raise DemoFailed(f"the app is not ready: {(await api.get('/readyz')).text}")


async def _sign_in(api: httpx.AsyncClient, server: Server, account_file: Path) -> None:
    """Make the demo's account at its first run, and show it: the browser asks for it."""
    if server.setup_url is not None:
        account = {"email": EMAIL, "password": secrets.token_urlsafe(12)}
        with os.fdopen(os.open(account_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
            json.dump(account, f)
        token = server.setup_url.partition("#token=")[2]
        session = await _post(api, "/api/v1/auth/setup", {"token": token, "name": "Demo", **account})
    else:
        if not account_file.exists():
            raise DemoFailed("somebody made an account by the set-up link: run the demo with another --data-dir")
        account = json.loads(account_file.read_text())
        session = await _post(api, "/api/v1/auth/login", account)
    api.headers["Authorization"] = f"Bearer {session['access_token']}"
    console.print(f"  Sign in there as [bold]{account['email']}[/] with the password [bold]{account['password']}[/]")


async def _install(settings: Settings) -> subprocess.Popen[bytes] | None:
    """Begin to install timm if it is not there. The app is up already, and shows that it is on its way."""
    if find_spec("sklearn") is None:
        done = await asyncio.to_thread(frameworks.install_extra, sys.executable, "demo")
        if done.returncode:
            raise DemoFailed("scikit-learn, which brings the digits, cannot be installed: pip install 'visionai[demo]'")
    if settings.trainer_python_timm is not None or find_spec("timm") is not None:
        return None
    return subprocess.Popen(  # noqa: ASYNC220  (a process to leave alone, not to wait for)
        [sys.executable, "-m", "visionai.cli", "trainer", "install", "timm", "--data-dir", str(settings.data_dir)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


async def _digits(api: httpx.AsyncClient, settings: Settings) -> str:
    """Write the digits as class folders of PNGs, zip and upload them. The data set's id."""
    for dataset in (await _get(api, "/api/v1/datasets"))["items"]:
        if dataset["name"] == "digits" and dataset["status"] != "error":
            return str(dataset["id"])
    with tempfile.TemporaryDirectory() as folder:
        archive = await asyncio.to_thread(write_digits, Path(folder) / "digits.zip")
        with archive.open("rb") as f:
            answer = await api.post(
                "/api/v1/datasets/upload", data={"name": "digits"}, files={"file": ("digits.zip", f, "application/zip")}
            )
    return str(_checked(answer)["id"])


def write_digits(path: Path) -> Path:
    """scikit-learn's 1,797 digits, 8×8 pixels, as a zip of ``digits/<digit>/<n>.png``."""
    from PIL import Image  # noqa: PLC0415  (only where it is needed: the rest of the demo is a client)
    from sklearn.datasets import load_digits  # noqa: PLC0415

    digits = load_digits()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for n, (pixels, label) in enumerate(zip(digits.images, digits.target, strict=True)):
            png = io.BytesIO()
            Image.fromarray((pixels * 255 / 16).astype("uint8")).save(png, "PNG")
            archive.writestr(f"digits/{label}/{n:04}.png", png.getvalue())
    return path


async def _imported(api: httpx.AsyncClient, progress: Progress, dataset_id: str) -> None:
    with _step(progress, "Checking every image", total=100) as task:
        while (dataset := await _get(api, f"/api/v1/datasets/{dataset_id}"))["status"] in ("uploading", "processing"):
            operation = dataset["operation"] or {"progress": 0, "message": ""}
            progress.update(task, completed=min(99, operation["progress"]), note=operation["message"])
            await asyncio.sleep(0.2)
        if dataset["status"] != "ready":
            raise DemoFailed(f"{dataset['error']['message']} {dataset['error']['hint']}")
        version = dataset["version"]
        progress.update(
            task,
            note=f"{version['image_count']:,} in {len(version['classes'])} classes, {version['val_count']} to validate",
        )


async def _framework(api: httpx.AsyncClient, progress: Progress, server: Server) -> None:
    installing = server.installing
    if installing is not None:
        console.print(
            f"  timm and PyTorch are being installed: some gigabytes. Meanwhile the app is open at {server.url}"
        )
    with _step(progress, "timm and torch") as task:
        while (found := (await _get(api, "/api/v1/models"))["items"][0])["status"] != "ready":
            gave_up = installing is not None and installing.poll() not in (None, 0)
            if gave_up or (found["status"] in ("absent", "error") and installing is None):
                raise DemoFailed(f"{found['message']}. Run: {found['install_command']}")
            progress.update(task, note=found["message"])
            await asyncio.sleep(0.5)
        progress.update(task, note=f"{found['message']}, {len(found['models']):,} models")


async def _chat(api: httpx.AsyncClient) -> str:
    console.print(f"\n  [bold cyan]you[/]       {SENTENCE}")
    answer = await _post(api, "/api/v1/chat/message", {"content": SENTENCE})
    _says(answer["message"]["content"])
    if answer["action"] != "confirm":
        raise DemoFailed(f"the chat did not come to a draft: {answer['message']['content']}")
    console.print("  [bold cyan]you[/]       yes")
    answer = await _post(api, "/api/v1/chat/message", {"content": "yes", "conversation_id": answer["conversation_id"]})
    _says(answer["message"]["content"])
    if answer["job_id"] is None:
        raise DemoFailed(answer["message"]["content"])
    return str(answer["job_id"])


def _says(text: str) -> None:
    grid = Table.grid(padding=(0, 2))
    grid.add_row("  [bold magenta]VisionAI[/]", Text(text))
    console.print(grid)


async def _follow(api: httpx.AsyncClient, progress: Progress, url: str, job_id: str) -> dict[str, Any]:
    console.print(f"\n  The job can be watched at {url}/jobs/{job_id}\n", soft_wrap=True)
    console.print(f"  {'epoch':>5}  {'train loss':>10}  {'val loss':>8}  {'accuracy':>8}")
    shown = 0
    row: dict[str, Any] = {"epoch": 0}
    with _step(progress, "Training", total=100) as task:
        async for event in _events(api, url, job_id):
            data = event["data"]
            if event["type"] == "epoch":
                if data["epoch"] > row["epoch"] > shown:
                    shown = _row(row)
                row = data
            elif event["type"] == "progress":
                eta = f"{data['eta_seconds']:.0f} s left" if data["eta_seconds"] is not None else ""
                progress.update(task, completed=data["progress"], note=eta)
            elif event["type"] == "state":
                progress.update(task, description=f"Training ({data['state']})", note=data["reason"])
            elif event["type"] == "attempt" and data["status"] == "failed":
                console.print(f"  Attempt {data['attempt']} was lost: {data['message']} Another one goes on.")
        if row["epoch"] > shown:
            _row(row)
    job = await _get(api, f"/api/v1/training/jobs/{job_id}")
    if job["state"] != "completed":
        error = job["error"] or {"message": job["state_reason"], "hint": ""}
        why = f"{error['message']} {error['hint']}".strip()
        raise DemoFailed(f"the training is {job['state']}{': ' + why if why else '.'}")
    return job


def _row(data: dict[str, Any]) -> int:
    m = data["metrics"]
    numbers = [m.get(name) for name in ("train/loss", "val/loss", "val/accuracy")]
    train, val, accuracy = ("" if n is None else f"{n:.4f}" for n in numbers)
    console.print(f"  {data['epoch']:>5}  {train:>10}  {val:>8}  {accuracy:>8}")
    return int(data["epoch"])


async def _events(api: httpx.AsyncClient, url: str, job_id: str) -> AsyncIterator[dict[str, Any]]:
    """The job's events to its end; a broken connection goes on where it broke off."""
    since = 0
    while True:
        ticket = await _post(api, "/api/v1/auth/ticket", {"job_id": job_id})
        address = f"{url.replace('http', 'ws', 1)}/ws/training/{job_id}?token={ticket['token']}&since={since}"
        try:
            async with websockets.connect(address, max_size=None, proxy=None) as socket:
                async for message in socket:
                    event = msgspec.json.decode(message)
                    if event["type"] == "end":
                        return
                    if event["type"] != "sync":
                        since = event["seq"]
                        yield event
        except (websockets.WebSocketException, OSError):
            await asyncio.sleep(1.0)


async def _download(api: httpx.AsyncClient, job_id: str, folder: Path) -> Path:
    found = (await _get(api, f"/api/v1/training/jobs/{job_id}/artifacts"))["items"]
    best = next((a for kind in ("model", "checkpoint_best") for a in found if a["kind"] == kind), None)
    if best is None:
        raise DemoFailed("the job completed and left no model")
    folder.mkdir(exist_ok=True)
    path = folder / f"{job_id}-{best['name']}"
    async with api.stream("GET", f"/api/v1/artifacts/{best['id']}/download", follow_redirects=True) as answer:
        answer.raise_for_status()
        with path.open("wb") as f:
            async for chunk in answer.aiter_bytes():
                f.write(chunk)
    if path.stat().st_size != best["size"]:
        raise DemoFailed(f"{path} has not arrived whole")
    return path


async def _split_training(api: httpx.AsyncClient, job_id: str, split: Split) -> None:
    """Replace the one number of the training by its parts, from the job's own states."""
    timeline = await _get(api, f"/api/v1/training/jobs/{job_id}/timeline")
    words = {
        "queued": "  of it in the queue",
        "starting": "  of it starting the trainer",
        "running": "  of it in epochs",
        "finalizing": "  of it finishing",
    }
    states = [(s["data"]["state"], datetime.fromisoformat(s["time"])) for s in timeline["states"]]
    for (state, begun), (_, ended) in pairwise(states):
        if state in words:
            split.parts[words[state]] = split.parts.get(words[state], 0) + (ended - begun).total_seconds()


def _summary(server: Server, job: dict[str, Any], path: Path, split: Split) -> None:
    accuracy = job["best"]["value"]
    console.print(f"\n  Validation accuracy  [bold]{accuracy:.4f}[/] (epoch {job['best']['epoch']})")
    console.print(f"  Checkpoint           {path}", soft_wrap=True)
    console.print(f"  The job              {server.url}/jobs/{job['id']}\n", soft_wrap=True)
    for name, seconds in split.parts.items():
        console.print(f"  {name:<30}{seconds:>8.1f} s")
    total = sum(seconds for name, seconds in split.parts.items() if not name.startswith(" "))
    console.print(f"  [bold]{'in all':<30}{total:>8.1f} s[/]")
    if accuracy < ACCURACY:
        raise DemoFailed(f"the validation accuracy is {accuracy:.4f}, and {ACCURACY} was expected")


def _interrupted(server: Server, *, stop_at_end: bool) -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN if stop_at_end else signal.default_int_handler)
    if not server.url or stop_at_end:
        console.print("\n  Interrupted: what the demo started is being ended.")
        server.cancel()
        if not server.adopted:
            server.stop()
        return 130
    goes_on = [f"the app at {server.url}"]
    goes_on += ["what it trains"] if server.job is not None else []
    if server.installing is not None and server.installing.poll() is None:
        goes_on.append("the installation of timm and PyTorch")
    console.print(f"\n  These go on: {', '.join(goes_on)}.", soft_wrap=True)
    console.print("  Ctrl-C again stops the app and the installation; Enter leaves them running.")
    try:
        sys.stdin.readline()
        console.print(f"  To stop it later: visionai stop --data-dir {server.data_dir}", soft_wrap=True)
    except KeyboardInterrupt:
        server.stop()
        console.print("  Stopped. Nothing is lost: `visionai demo` goes on with the same data.")
    return 130


async def _get(api: httpx.AsyncClient, path: str) -> dict[str, Any]:
    return _checked(await api.get(path))


async def _post(api: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    return _checked(await api.post(path, json=body))


def _checked(answer: httpx.Response) -> dict[str, Any]:
    if answer.is_error:
        try:
            detail = answer.json()["detail"]
        except (ValueError, KeyError):
            detail = answer.text[:200]
        raise DemoFailed(f"{answer.request.method} {answer.request.url.path} answered {answer.status_code}: {detail}")
    body: dict[str, Any] = answer.json()
    return body
