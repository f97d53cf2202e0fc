"""What the chaos tests are made of: a real server on a data directory, its jobs, ways to harm it, and what must hold.

Everything is done by public commands and the public API; the data directory is looked into afterwards. Every harm goes
through ``Campaign.harm``, so that it is printed and counted.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from uuid import UUID, uuid4

import httpx
import msgspec
from PIL import Image

from visionai import locks
from visionai.settings import Settings
from visionai.trainers.contract import Manifest, ModelEntry, Objective

T = TypeVar("T")
HERE = Path(__file__).parent
SHELL_TRAINER = HERE.parents[1] / "examples/trainers/shell.sh"
ACCOUNT = {"email": "ada@example.org", "password": "correct horse battery"}
WAIT_SECONDS = 120.0
LIMITS = {
    "SWEEP_SECONDS": "0.5", "SILENCE_SECONDS": "5", "START_SECONDS": "6", "STOP_GRACE_SECONDS": "1",
    "EXIT_GRACE_SECONDS": "1", "LEASE_SECONDS": "5", "MIN_FREE_BYTES": str(16 << 20), "LOG_LEVEL": "warning",
    "LOG_FORMAT": "json",
}  # fmt: skip
"""Those of a machine where nobody has time, so that what takes minutes takes seconds here."""


class Process(NamedTuple):
    pid: int
    kind: str
    """``wrapper``; ``trainer``: what a wrapper runs, an import's process too; ``child``: what that has started."""
    launch: str


class Broken(AssertionError):
    """Something that must hold does not."""


class Server:
    """``visionai serve`` on one data directory, always on the same port: its trainers know it by it."""

    def __init__(self, data_dir: Path, environ: Mapping[str, str]) -> None:
        self.data_dir = data_dir
        self.environ = dict(environ)
        self.log = data_dir.with_name(f"{data_dir.name}.log")
        self.process: subprocess.Popen[bytes] | None = None
        self.api = httpx.Client(timeout=90, trust_env=False)

    def serve(self, *, under: Sequence[str] = (), **environ: str) -> dict[str, Any]:
        """Start it and return what it announces. ``under``: a command to run it under."""
        assert self.process is None
        where = ["--port", str(self.api.base_url.port or 0), "--data-dir", str(self.data_dir)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*under, sys.executable, "-m", "visionai.cli", "serve", "--json", *where],
                stdout=subprocess.PIPE, stderr=log, env={**self.environ, **environ},
            )  # fmt: skip
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.gone()
            return {}
        said: dict[str, Any] = json.loads(line)
        self.api.base_url = httpx.URL(said["url"])
        return said

    def end(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.gone()

    def gone(self) -> int:
        """Its exit code, once it has ended."""
        assert self.process is not None
        code = self.process.wait(WAIT_SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None
        return code

    def ask(self, method: str, path: str, **what: Any) -> httpx.Response:
        """One call, with a fresh token where the old one has expired."""
        answer = self.api.request(method, path, **what)
        if answer.status_code == 401:
            self.api.headers.pop("Authorization", None)
            session = self.api.post("/api/v1/auth/login", json=ACCOUNT)
            assert session.is_success, session.text
            self.api.headers["Authorization"] = f"Bearer {session.json()['access_token']}"
            answer = self.api.request(method, path, **what)
        return answer

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.is_success, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None) -> Any:
        answer = self.ask("POST", path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def upload(self, name: str, archive: bytes) -> httpx.Response:
        return self.ask("POST", "/api/v1/datasets/upload", data={"name": name}, files={"file": ("t.zip", archive)})

    def begin_upload(self, size: int) -> str:
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(size), "Upload-Metadata": "name dG9uZXM="}
        return self.ask("POST", "/api/v1/uploads", headers=headers).headers["location"]

    def go_on(self, path: str, archive: bytes) -> str:
        """Send what of it is not there yet. The data set."""
        there = int(self.ask("HEAD", path, headers={"Tus-Resumable": "1.0.0"}).headers["upload-offset"])
        headers = {
            "Tus-Resumable": "1.0.0", "Upload-Offset": str(there), "Content-Type": "application/offset+octet-stream"
        }  # fmt: skip
        answer = self.ask("PATCH", path, content=archive[there:], headers=headers)
        assert answer.is_success, answer.text
        return answer.headers["upload-dataset-id"]

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Of its database, for what the API does not say."""
        with contextlib.closing(sqlite3.connect(f"file:{self.data_dir}/visionai.sqlite3?mode=ro", uri=True)) as db:
            return db.execute(sql, values).fetchall()

    def processes(self) -> list[Process]:
        return processes(self.data_dir)

    def kill_everything(self) -> None:
        """At once: the server, if it runs, and all that it has started."""
        if self.process is not None:
            self.end(signal.SIGKILL)
        for pid in {process.pid for process in self.processes()} | {self.valkey()} - {None}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def valkey(self) -> int | None:
        with contextlib.suppress(OSError, ValueError):
            pid = int((self.data_dir / "valkey.pid").read_text().split(" ", 1)[0])
            if alive(pid):
                return pid
        return None


class Campaign:
    """One data directory and its server under harm. As a context manager: leaves nothing behind, whatever happened."""

    def __init__(self, folder: Path, *, seed: int = 0, say: Callable[[str], None] = print, **environ: str) -> None:
        self.folder, self.random, self.say = folder, random.Random(seed), say
        self.began = time.monotonic()
        self.harms: list[str] = []
        self.jobs: list[str] = []
        folder.mkdir(parents=True, exist_ok=True)
        self.server = Server(folder / "data", environment(folder) | environ)

    def __enter__(self) -> Campaign:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.kill_everything()
        self.server.api.close()

    # --- what people do ---------------------------------------------------------------------------------------------

    def begin(self, **environ: str) -> None:
        """First start: an account and a data set."""
        said = self.server.serve(**environ)
        self.ready()
        token = said["setup_url"].partition("#token=")[2]
        self.server.api.post("/api/v1/auth/setup", json={"token": token, **ACCOUNT}).raise_for_status()
        self.dataset = self.server.upload("tones", images()).json()["id"]
        self.until(lambda: self.server.get(f"/api/v1/datasets/{self.dataset}")["status"] == "ready" or None)
        self.until(lambda: self.server.get("/api/v1/models")["items"][0]["status"] == "ready" or None)

    def again(self, *, under: Sequence[str] = (), **environ: str) -> None:
        """Start it again. A failpoint may have it killed before it is ready."""
        self.server.serve(under=under, **environ)

    def ready(self) -> None:
        self.until(lambda: True if self.server.api.get("/readyz").is_success else None)

    def submit(self, model: str = "behaves", *, epochs: int = 4, **config: Any) -> str:
        """The server may be killed by what the submit sets off, before it can answer."""
        job = {
            "dataset_id": self.dataset, "task_type": "classification", "framework": "timm", "model_name": model,
            "name": f"{model} {uuid4()}", "config": {"epochs": epochs, **config},
        }  # fmt: skip
        with contextlib.suppress(httpx.TransportError):
            self.server.post("/api/v1/training/jobs", job)
        ((job_id,),) = self.server.query("SELECT id FROM jobs WHERE name = ?", job["name"])
        self.jobs.append(str(UUID(job_id)))
        return self.jobs[-1]

    def cancel(self, job_id: str) -> None:
        """Fire and forget: the server may be killed before it answers."""
        with contextlib.suppress(httpx.HTTPError):
            self.server.post(f"/api/v1/training/jobs/{job_id}/cancel")

    def stop(self) -> None:
        """As a person stops it."""
        if self.server.end(signal.SIGTERM) not in (0, -signal.SIGKILL):  # a failpoint may come first
            raise Broken(f"The server did not end as it should.\n{self.tail()}")

    def upload(self, archive: bytes) -> str:
        """The new data set, also where the server is killed before it answers."""
        before = {d["id"] for d in self.datasets()}
        try:
            return str(self.server.upload("more tones", archive).json()["id"])
        except httpx.HTTPError:
            self.lost = before
            return ""

    def datasets(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.server.get("/api/v1/datasets/?limit=200")["items"]
        return found

    def imported(self, dataset: str) -> str:
        """How an import ended."""
        if not dataset:
            (dataset,) = (d["id"] for d in self.datasets() if d["id"] not in self.lost)
        found = self.until(
            lambda: d if (d := self.server.get(f"/api/v1/datasets/{dataset}"))["status"] in ("ready", "error") else None
        )
        return f"ready, {found['version']['image_count']} images" if found["status"] == "ready" else "error"

    def configs(self, job_id: str) -> list[dict[str, Any]]:
        rows = self.server.query("SELECT config FROM attempts WHERE job_id = ? ORDER BY number", UUID(job_id).hex)
        return [json.loads(row[0]) for row in rows]

    def retries_used(self, job_id: str) -> int:
        return int(self.server.query("SELECT retries_used FROM jobs WHERE id = ?", UUID(job_id).hex)[0][0])

    def job(self, job_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.server.get(f"/api/v1/training/jobs/{job_id}")
        return found

    def epochs(self, job_id: str) -> list[int]:
        rows = self.server.get(f"/api/v1/training/jobs/{job_id}/metrics?kind=epoch&limit=1000")["items"]
        return [row["epoch"] for row in rows]

    def silent_for(self, job_id: str) -> float:
        """Seconds since a report of its trainer was taken in."""
        ((seconds,),) = self.server.query(
            "SELECT (julianday('now') - julianday(max(last_report_at))) * 86400 FROM attempts WHERE job_id = ?",
            job_id.replace("-", ""),
        )
        return float(seconds)

    def ended(self, job_id: str) -> dict[str, Any]:
        return self.until(lambda: j if (j := self.job(job_id))["ended_at"] else None)

    def at_epoch(self, job_id: str, epoch: int) -> None:
        self.until(lambda: len(self.epochs(job_id)) >= epoch or None)

    def in_state(self, job_id: str, state: str) -> None:
        self.until(lambda: self.job(job_id)["state"] == state or None)

    def until(self, look: Callable[[], T | None], seconds: float = WAIT_SECONDS) -> T:
        deadline = time.monotonic() + seconds
        while (found := look()) is None:
            if time.monotonic() > deadline:
                raise Broken(f"It did not happen within {seconds:.0f} s.\n{self.tail()}")
            time.sleep(0.1)
        return found

    # --- what harms it ----------------------------------------------------------------------------------------------

    def harm(self, what: str) -> None:
        self.harms.append(what)
        self.say(f"{time.monotonic() - self.began:7.1f} s  {what}")

    def kill_server(self, why: str = "") -> None:
        self.harm(f"server killed{why and f': {why}'}")
        self.server.end(signal.SIGKILL)

    def killed_at(self, failpoint: str) -> None:
        """Wait for the server to be killed at the failpoint that it was started with."""
        assert self.server.process is not None
        try:
            code = self.server.gone()
        except subprocess.TimeoutExpired:
            raise Broken(f"{failpoint} was not reached.\n{self.tail()}") from None
        if code != -signal.SIGKILL:
            raise Broken(f"The server ended with {code} instead of being killed at {failpoint}.\n{self.tail()}")
        self.harm(f"server killed at {failpoint}")

    def kill(self, kind: str, launch: str = "") -> bool:
        """A wrapper or a trainer of this launch (``job-ID``, ``op-ID``; of any, if there is none). False: none runs."""
        found = [p for p in self.server.processes() if p.kind == kind and p.launch.startswith(launch)]
        if not found:
            return False
        victim = self.random.choice(found)
        self.harm(f"{kind} of {victim.launch} killed")
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim.pid, signal.SIGKILL)
        return True

    def kill_valkey(self) -> bool:
        pid = self.server.valkey()
        if pid is None:
            return False
        self.harm("valkey killed")
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return True

    # --- what must hold ---------------------------------------------------------------------------------------------

    def ends(self, job_id: str) -> str:
        """How a job ended, as docs/outcomes.md says it; its history is checked."""
        job = self.ended(job_id)
        if job["error"]:
            model, why = job["name"].partition(" ")[0], job["error"]
            self.say(f"          {model} ended with {why['code']}: {why['message']}")
        epochs = self.epochs(job_id)
        complete = job["config"]["epochs"] if job["state"] == "completed" else len(epochs)
        if epochs != list(range(1, complete + 1)):
            raise Broken(f"{job['name']} {job_id}: epochs {epochs}, expected 1 to {complete}")
        self._history(job_id)
        return f"{job['state']}, {job['attempt']} attempt{'s' if job['attempt'] != 1 else ''}"

    def _history(self, job_id: str) -> None:
        """Events without a gap, and a timeline in which nothing is open once its last process has gone."""

        def closed() -> bool | None:
            timeline = self.server.get(f"/api/v1/training/jobs/{job_id}/timeline")["activities"]
            return not [a for a in timeline if a["ended_at"] is None] or None

        self.until(closed, 30)
        job, seqs, since = self.job(job_id), list[int](), 0
        while page := self.server.get(f"/api/v1/training/jobs/{job_id}/events?since={since}&limit=1000")["items"]:
            seqs += [event["seq"] for event in page]
            since = seqs[-1]
        if seqs != list(range(1, job["event_seq"] + 1)):
            raise Broken(f"{job['name']}: the events' numbers have a gap: {seqs}, the last is {job['event_seq']}")

    def finish(self) -> None:
        """Every job has ended as it should have been looked at already: is anything left over?"""
        if self.server.process is None:
            self.again()
        self.ready()
        for job_id in self.jobs:
            self.ended(job_id)
            self._history(job_id)
        deadline = time.monotonic() + 30
        while left := left_over(self.server):
            if time.monotonic() > deadline:
                raise Broken("Left over:\n" + "\n".join(left))
            time.sleep(0.2)
        if self.server.end(signal.SIGTERM) != 0:
            raise Broken(f"The server did not end as it should.\n{self.tail()}")
        left = [*left_over(self.server), *damage(self.server)]
        left += [f"valkey {pid} runs" for pid in [self.server.valkey()] if pid is not None]
        left += ["the data directory is locked"] if locks.is_locked(self.server.data_dir / "lock") else []
        if left:
            raise Broken("Left over:\n" + "\n".join(left))

    def tail(self) -> str:
        lines = self.server.log.read_text(errors="replace").splitlines() if self.server.log.exists() else []
        return "The end of the server's log:\n" + "\n".join(lines[-15:])


# --- a world to train in --------------------------------------------------------------------------------------------


def environment(folder: Path) -> dict[str, str]:
    """Of the server: nothing of the caller's settings, short limits, and in the place of timm's Python a program that
    runs the trainer which the model's name asks for."""
    kept = {name: value for name, value in os.environ.items() if name.lower() not in Settings.__struct_fields__}
    kept.pop("VISIONAI_FAILPOINTS", None)
    return kept | LIMITS | {"OMP_NUM_THREADS": "1", "TRAINER_PYTHON_TIMM": str(_trainer_python(folder))}


def _trainer_python(folder: Path) -> Path:
    """``describe`` answers with a manifest made here; ``train`` is a trainer of ours, the example in shell, or timm."""
    names = subprocess.run(
        [sys.executable, HERE / "misbehaving.py", "names"], capture_output=True, text=True, check=True
    ).stdout.split()
    manifest = Manifest(
        framework="timm", version="1", tasks=["classification"], presets={}, capabilities=["resume"],
        models=[ModelEntry(name, ["classification"]) for name in (*names, "shell", "test_resnet")],
        schema={"type": "object", "additionalProperties": False, "properties": {
            "epochs": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 4},
            "batch_size": {"type": "integer", "minimum": 1, "default": 64},
            "epoch_seconds": {"type": "number"}, "early_stopping_patience": {"type": ["integer", "null"]},
        }},
        primary_metrics={"classification": Objective("val/accuracy", "max")}, catalogue="complete",
    )  # fmt: skip
    (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    program = folder / "python"
    program.write_text(f"""#!/bin/sh
case "$4" in
  describe) exec cat '{folder}/manifest.json' ;;
  train) case "$MODEL_NAME" in
    shell) EPOCH_SECONDS=0.2 exec sh '{SHELL_TRAINER}' ;;
    test_*) exec '{sys.executable}' "$@" ;;
    *) exec '{sys.executable}' '{HERE}/misbehaving.py' ;;
  esac ;;
esac
""")
    program.chmod(0o755)
    return program


def images(count: int = 40, *, shade: int = 0) -> bytes:
    """Two classes that are easily told apart; every image is another one, and so are those of another shade."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as z:
        for n in range(count):
            png = io.BytesIO()
            image = Image.new("L", (16, 16), color=(n % 2) * 128 + n // 2 % 100)
            image.putpixel((0, 0), shade)
            image.save(png, "PNG")
            z.writestr(f"{'light' if n % 2 else 'dark'}/{n:04}.png", png.getvalue())
    return archive.getvalue()


# --- what is left ---------------------------------------------------------------------------------------------------


def processes(data_dir: Path) -> list[Process]:
    """Those that work for this data directory and no other: their environment, their command or their folder names a
    run of it."""
    runs, wrappers, others = f"{data_dir}/runs/".encode(), list[Process](), list[tuple[Process, int]]()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command, environ = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
            here = f"{(folder / 'cwd').readlink()}/".encode()
            state, parent = (folder / "stat").read_bytes().rpartition(b")")[2].split()[:2]
        except OSError:
            continue
        named = next((text.partition(runs)[2] for text in (command, environ, here) if runs in text), None)
        if named is None or state in (b"Z", b"X"):
            continue
        launch = named.split(b"/")[0].split(b"\0")[0].decode()
        if b"/executors/wrapper.py\0" in command:
            wrappers.append(Process(int(folder.name), "wrapper", launch))
        else:
            others.append((Process(int(folder.name), "child", launch), int(parent)))
    pids = {wrapper.pid for wrapper in wrappers}
    return wrappers + [p._replace(kind="trainer") if parent in pids else p for p, parent in others]


def alive(pid: int) -> bool:
    """A zombie is not: it only waits to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except OSError:
        return False


def left_over(server: Server) -> list[str]:
    """What must not be there once every job has ended and the worker has tidied up."""
    data = server.data_dir
    found = [f"process {p.pid}, a {p.kind} of {p.launch}" for p in server.processes()]
    found += [f"run directory {path.name}" for path in (data / "runs").iterdir()]
    found += [f"{path.relative_to(data)} is half a file" for path in _half_files(data)]
    found += [f"attempt {n} of {job} holds slot {slot}" for job, n, slot in server.query(
        "SELECT job_id, number, slot FROM attempts WHERE released_at IS NULL")]  # fmt: skip
    for table, name in (("jobs", "name"), ("operations", "kind")):
        leases = f"SELECT {name} FROM {table} WHERE lease_token IS NOT NULL"
        found += [f"lease on {table} {row[0]}" for row in server.query(leases)]
    found += [f"operation {kind} is {status}, its traces are there: {traces}" for kind, status, traces in server.query(
        "SELECT kind, status, launch_id FROM operations WHERE launch_id IS NOT NULL OR status IN ('pending', 'running')"
    )]  # fmt: skip
    found += [f"artifact {name} was announced and never came" for (name,) in server.query(
        "SELECT name FROM artifacts WHERE completed_at IS NULL OR superseded")]  # fmt: skip
    found += [f"{name} of attempt {n} is open in the timeline" for name, n in server.query(
        "SELECT name, attempt FROM job_activities WHERE ended_at IS NULL")]  # fmt: skip
    found += [f"data set {name} is {status}" for name, status in server.query(
        "SELECT name, status FROM datasets WHERE status NOT IN ('ready', 'error')")]  # fmt: skip
    return found


def _half_files(data: Path) -> Iterator[Path]:
    for folder, _, files in os.walk(data):  # which minds no folder that goes meanwhile
        for name in files:
            if folder.endswith(("/storage/.incoming", "/storage/incoming")) or name.endswith(".part"):
                yield Path(folder, name)


def damage(server: Server) -> list[str]:
    """What the database says against itself and against the files, once nobody writes."""
    data = server.data_dir
    found = [f"integrity_check: {row[0]}" for row in server.query("PRAGMA integrity_check") if row[0] != "ok"]
    found += [f"foreign_key_check: {row}" for row in server.query("PRAGMA foreign_key_check")]
    named = dict[str, tuple[int, str]]()
    for key, size, sha256 in server.query("SELECT storage_key, size, sha256 FROM artifacts"):
        named[key] = (size, sha256)
    for (files,) in server.query("SELECT files FROM dataset_versions"):
        named |= {f["key"]: (f["size"], f["sha256"]) for f in json.loads(files)}
    for project, sha256, size in server.query(
        "SELECT v.project_id, i.sha256, i.size FROM dataset_images i JOIN dataset_versions v ON v.id = i.version_id"
    ):
        named[f"blobs/{UUID(project)}/{sha256[:2]}/{sha256}"] = (size, sha256)
    for key, (size, sha256) in named.items():
        path = data / "storage" / key
        if not path.is_file():
            found.append(f"{key} is not there")
        elif path.stat().st_size != size or hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            found.append(f"{key} is not what it was")
    for folder in ("checkpoints", "blobs", "datasets/*/versions", "datasets/*/uploads"):
        for path in (p for top in (data / "storage").glob(folder) for p in top.rglob("*") if p.is_file()):
            if str(path.relative_to(data / "storage")) not in named:
                found.append(f"{path.relative_to(data)} belongs to nothing")
    for job, last, count, highest in server.query(
        "SELECT j.name, event_seq, count(e.seq), max(e.seq) FROM jobs j JOIN job_events e ON job_id = id GROUP BY id"
    ):
        if not last == count == highest:
            found.append(f"{job} has {count} events, the last is {highest}, the row says {last}")
    for job, epoch in server.query(
        "SELECT job_id, epoch FROM job_metrics WHERE kind = 'epoch' AND NOT superseded GROUP BY 1, 2 HAVING sum(1) > 1"
    ):
        found.append(f"epoch {epoch} of {job} counts twice")
    return found


def scratch() -> contextlib.AbstractContextManager[Path]:
    """A folder outside of pytest's, whose names are long."""
    return _scratch()


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
