"""The demo's steps, each a few calls of the public API."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import datetime
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import msgspec
import websockets
from rich.progress import Progress

from visionai import pip
from visionai.demo.app import App, DemoFailed, SignIn
from visionai.demo.digits import write_digits
from visionai.demo.terminal import EPOCH_HEAD, Split, console, epoch_row, progress, speech, step
from visionai.settings import Settings

SENTENCE = "train test_resnet on digits for 3 epochs"
ACCURACY = 0.97
EMAIL = "demo@localhost"
READY_SECONDS = 60.0
ABSENT_SECONDS = 15.0


async def demo(settings: Settings, app: App) -> None:
    split = Split()
    with progress() as shown:
        with split.part("start the app"), step(shown, "Starting the app"):
            app.start()
        console.print(f"  The app is at {app.url}\n  its data is in {app.data_dir}", soft_wrap=True)
        async with httpx.AsyncClient(base_url=app.url, timeout=60, trust_env=False) as api:
            with split.part("sign in"), step(shown, "Signing in"):
                await _ready(api)
                await _sign_in(api, app)
            await _install(settings, app)
            with split.part("write and upload the digits"), step(shown, "Uploading 1,797 digits"):
                dataset = await _digits(api)
            with split.part("check the data set"):
                await _imported(api, shown, dataset)
            with split.part("wait for timm"):
                await _framework(api, shown, app)
            shown.stop()  # what follows stands below it
            with split.part("chat"):
                job_id = await _chat(api, app)
            with split.part("train"), progress() as training:
                job = await _follow(api, training, app.url, job_id)
            split.of["train"] = await _training(api, job_id)
            with split.part("download the checkpoint"):
                path = await _download(api, job_id, app.data_dir / "demo")
    _summary(app, job, path, split)


async def _ready(api: httpx.AsyncClient) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if (await api.get("/readyz")).status_code == 200:
            return
        await asyncio.sleep(0.1)
    raise DemoFailed(f"the app is not ready: {(await api.get('/readyz')).text}")


async def _sign_in(api: httpx.AsyncClient, app: App) -> None:
    """Make the demo's account at its first run, and show it: the browser asks for it."""
    account_file = app.data_dir / "demo-account.json"
    if app.setup_url is not None:
        account = {"email": EMAIL, "password": secrets.token_urlsafe(12)}
        with os.fdopen(os.open(account_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
            json.dump(account, f)
        token = app.setup_url.partition("#token=")[2]
        session = await _post(api, "/api/v1/auth/setup", {"token": token, "name": "Demo", **account})
    else:
        if not account_file.exists():
            raise DemoFailed("the account of this app is not the demo's: run the demo with another --data-dir")
        account = json.loads(account_file.read_text())
        session = await _post(api, "/api/v1/auth/login", account)
    api.auth = app.auth = SignIn(app.url, account, session["access_token"])
    console.print(f"  Sign in there as [bold]{account['email']}[/] with the password [bold]{account['password']}[/]")


async def _install(settings: Settings, app: App) -> None:
    """Begin to install timm if it is not there. The app is up already, and shows that it is on its way."""
    if find_spec("sklearn") is None:
        done = await asyncio.to_thread(pip.quietly, sys.executable, "demo")
        if done:
            raise DemoFailed("scikit-learn, which brings the digits, cannot be installed: pip install 'visionai[demo]'")
    if settings.trainer_python_timm is not None or find_spec("timm") is not None:
        return
    app.install()
    console.print(
        "  timm and PyTorch are being installed: some gigabytes, some minutes. Meanwhile the app is open at\n"
        f"  {app.url}",
        soft_wrap=True,
    )


async def _digits(api: httpx.AsyncClient) -> str:
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


async def _imported(api: httpx.AsyncClient, shown: Progress, dataset_id: str) -> None:
    with step(shown, "Checking every image", total=100) as task:
        while (dataset := await _get(api, f"/api/v1/datasets/{dataset_id}"))["status"] in ("uploading", "processing"):
            operation = dataset["operation"] or {"progress": 0, "message": ""}
            shown.update(task, completed=min(99, operation["progress"]), note=operation["message"])
            await asyncio.sleep(0.2)
        if dataset["status"] != "ready":
            raise DemoFailed(f"{dataset['error']['message']} {dataset['error']['hint']}")
        version = dataset["version"]
        shown.update(task, note=f"{version['image_count']:,}, of {len(version['classes'])} classes")


async def _framework(api: httpx.AsyncClient, shown: Progress, app: App) -> None:
    """Wait for timm. It counts as absent only after a while: an app that has just started has not looked yet."""
    absent_since: float | None = None
    with step(shown, "timm and torch") as task:
        while (found := (await _get(api, "/api/v1/models"))["items"][0])["status"] != "ready":
            if found["status"] == "installing" or app.is_installing():
                absent_since = None
            elif absent_since is None:
                absent_since = time.monotonic()
            elif time.monotonic() - absent_since > ABSENT_SECONDS:
                raise DemoFailed(f"{found['message']}. Run: {found['install_command']}")
            shown.update(task, note=found["message"].removeprefix("timm is being installed: "))
            await asyncio.sleep(0.5)
        shown.update(task, note=f"{found['message']}, {len(found['models']):,} models")


async def _chat(api: httpx.AsyncClient, app: App) -> str:
    console.print()
    console.print(speech("you", "cyan", SENTENCE))
    answer = await _post(api, "/api/v1/chat/message", {"content": SENTENCE})
    console.print(speech("VisionAI", "magenta", answer["message"]["content"]))
    if answer["action"] != "confirm":
        raise DemoFailed(f"the chat did not come to a draft: {answer['message']['content']}")
    console.print(speech("you", "cyan", "yes"))
    body = {"content": "yes", "conversation_id": answer["conversation_id"]}
    asking = asyncio.create_task(_post(api, "/api/v1/chat/message", body))
    try:
        answer = await asyncio.shield(asking)
    except asyncio.CancelledError:  # a job that is being made is known before the demo ends, so that it ends too
        app.job_id = (await asking)["job_id"]
        raise
    app.job_id = answer["job_id"]
    console.print(speech("VisionAI", "magenta", answer["message"]["content"]))
    if app.job_id is None:
        raise DemoFailed(answer["message"]["content"])
    return app.job_id


async def _follow(api: httpx.AsyncClient, shown: Progress, url: str, job_id: str) -> dict[str, Any]:
    console.print(f"\n  The job can be watched at {url}/jobs/{job_id}\n", soft_wrap=True)
    console.print(EPOCH_HEAD)
    row: dict[str, Any] = {"epoch": 0}
    printed = 0
    lost: dict[str, Any] | None = None
    with step(shown, "Training", total=100) as task:
        async for event in _events(api, url, job_id):
            data = event["data"]
            if event["type"] == "epoch":
                if data["epoch"] > row["epoch"] > printed:
                    printed = row["epoch"]
                    console.print(epoch_row(row))
                row = data
            elif event["type"] == "progress":
                eta = f"{data['eta_seconds']:.0f} s left" if data["eta_seconds"] is not None else ""
                shown.update(task, completed=data["progress"], note=eta)
            elif event["type"] == "state":
                shown.update(task, description=f"Training ({data['state']})", note=data["reason"])
                if lost is not None and data["state"] == "queued":
                    console.print(restarted(lost), soft_wrap=True)
                    lost = None
            elif event["type"] == "attempt" and data["status"] in ("lost", "failed"):
                lost = data
        if row["epoch"] > printed:
            console.print(epoch_row(row))
    job = await _get(api, f"/api/v1/training/jobs/{job_id}")
    if job["state"] != "completed":
        raise DemoFailed(ended_otherwise(job))
    return job


def restarted(attempt: dict[str, Any]) -> str:
    return f"  Attempt {attempt['attempt']} was lost: {attempt['message']} Another one follows."


def ended_otherwise(job: dict[str, Any]) -> str:
    """Why a training did not complete; nothing after its state if nobody said why."""
    error = job["error"] or {"message": job["state_reason"], "hint": ""}
    why = " ".join(part for part in (error["message"], error["hint"]) if part)
    return f"the training is {job['state']}" + (f": {why}" if why else "")


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


async def _training(api: httpx.AsyncClient, job_id: str) -> dict[str, float]:
    """The parts of a training in seconds, from the job's own states."""
    timeline = await _get(api, f"/api/v1/training/jobs/{job_id}/timeline")
    words = {
        "queued": "in the queue",
        "starting": "start the trainer",
        "running": "epochs",
        "finalizing": "finish",
    }
    parts: dict[str, float] = {}
    states = [(s["data"]["state"], datetime.fromisoformat(s["time"])) for s in timeline["states"]]
    for (state, begun), (_, ended) in pairwise(states):
        if state in words:
            parts[words[state]] = parts.get(words[state], 0) + (ended - begun).total_seconds()
    return parts


def _summary(app: App, job: dict[str, Any], path: Path, split: Split) -> None:
    accuracy = job["best"]["value"]
    console.print(f"\n  Validation accuracy  [bold]{accuracy:.4f}[/] (epoch {job['best']['epoch']})")
    console.print(f"  Checkpoint           {path}", soft_wrap=True)
    console.print(f"  The job              {app.url}/jobs/{job['id']}\n", soft_wrap=True)
    console.print("\n".join(split.lines()))
    if accuracy < ACCURACY:
        raise DemoFailed(f"the validation accuracy is {accuracy:.4f}, and {ACCURACY} was expected")


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
