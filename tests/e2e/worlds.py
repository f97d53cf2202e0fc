"""The worlds that every page is looked at in: nothing yet, a usual day, a thousand jobs, names without end, failures.

Each is a real server with a data directory of its own. What the API can make, it makes: people, projects, real imports,
a conversation. What would need trainers at work is written as the product's own rows; their leases are held by nobody
who ends, so that no worker touches a job that only seems to run.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import random
import shlex
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
from PIL import Image, ImageDraw
from serving import Server, serving
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from visionai.datasets.tables import Dataset, DatasetUpload, DatasetVersion
from visionai.db import JSON_COLUMNS, utcnow
from visionai.identity.tables import Project, User
from visionai.ids import uuid7
from visionai.jobs.tables import ActivityRow, Artifact, Attempt, Job, JobEvent, LogChunk, MetricRow, Validation
from visionai.operations.tables import Operation
from visionai.storage import keys
from visionai.trainers.contract import ERROR_CODES, Manifest, ModelEntry
from visionai.trainers.timm import catalogue

ADA, VERA = "ada@example.org", "vera@example.org"
PASSWORD = "an analytical engine"
IMPORT_SECONDS = 60.0
LEASE = timedelta(hours=6)
MANY_JOBS, MANY_DATASETS, MANY_PEOPLE, MANY_CLASSES = 1_000, 300, 150, 80
STATES = ("completed", "completed", "completed", "failed", "cancelled")
CLASSES = ("bolt", "nut", "washer", "screw")
LONG = "a_name_without_a_single_space_in_it_" * 5 + "that_goes_to_the_end"
KOREAN, ARABIC, EMOJI = (
    "한글로 쓴 아주 긴 이름의 데이터 세트" * 4,
    "مجموعة بيانات الصور الصناعية",
    "🔩🪛 parts 👩‍🔬 é ﷽",
)


class World(msgspec.Struct):
    """``ids``: what is in it, by the names that addresses use (`/jobs/{job}`)."""

    url: str
    ids: dict[str, str]


class Site:
    """A server that is being filled."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.ids: dict[str, str] = {"nowhere": str(UUID(int=7))}
        self.api = httpx.Client(base_url=f"{server.url}/api/v1", timeout=30, trust_env=False)

    def ask(self, method: str, path: str, body: Any = None, **given: Any) -> Any:
        answer = self.api.request(method, path, **({"json": body} if body is not None else {}), **given)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def begin(self, name: str) -> None:
        token = self.server.setup_url.partition("#token=")[2]
        signed_in = self.ask("POST", "/auth/setup", {"token": token, "email": ADA, "password": PASSWORD, "name": name})
        self.api.headers["authorization"] = f"Bearer {signed_in['access_token']}"
        self.ids["project"] = self.ask("GET", "/projects")["items"][0]["id"]

    def upload(self, name: str, files: dict[str, bytes]) -> str:
        """A real import, to its end."""
        given = {"files": {"file": ("archive.zip", zipped(files))}, "data": {"name": name}}
        made: str = self.ask("POST", "/datasets/upload", **given)["id"]
        until = time.monotonic() + IMPORT_SECONDS
        while self.ask("GET", f"/datasets/{made}")["status"] == "processing":
            assert time.monotonic() < until, f"the import of {name} does not end"
            time.sleep(0.05)
        return made

    @contextmanager
    def rows(self) -> Iterator[Rows]:
        database = next(self.server.data_dir.glob("*.sqlite3"))
        engine = create_engine(f"sqlite:///{database}", connect_args={"timeout": 30}, **JSON_COLUMNS)
        with Session(engine) as session, session.begin():
            yield Rows(session, self.server.data_dir, UUID(self.ids["project"]))
        engine.dispose()


class Rows:
    """Adds the rows that trainers, long imports and time would have made."""

    def __init__(self, session: Session, data_dir: Path, project_id: UUID) -> None:
        self.session = session
        self._storage = data_dir / "storage"
        self._project = session.get_one(Project, project_id)
        self._ada = session.scalars(select(User).where(User.email == ADA)).one()
        self.now = utcnow()

    def version_of(self, dataset_id: str) -> DatasetVersion:
        dataset = self.session.get_one(Dataset, UUID(dataset_id))
        return self.session.get_one(DatasetVersion, dataset.current_version_id)

    def dataset(self, name: str, status: str = "ready", **given: Any) -> Dataset:
        made = Dataset(project_id=self._project.id, created_by=self._ada.id, name=name, status=status, **given)
        self.session.add(made)
        self.session.flush()
        return made

    def version(self, dataset: Dataset, classes: Sequence[str] = CLASSES, number: int = 1, images: int = 400) -> None:
        counts = [images // (n + 2) for n in range(len(classes))]
        made = DatasetVersion(
            dataset_id=dataset.id, project_id=dataset.project_id, number=number, task_types=["classification"],
            content_hash=hashlib.sha256(f"{dataset.id} {number}".encode()).hexdigest(), split_hash="0" * 64,
            classes=[
                {"name": c, "total": n, "train": n - n // 5, "val": n // 5}
                for c, n in zip(classes, counts, strict=True)
            ],
            image_count=images, train_count=images - images // 5, val_count=images // 5, size_bytes=images * 48_123,
            statistics={}, report={"faults": []}, files=[], created_at=self.now - timedelta(days=40 - number),
        )  # fmt: skip
        self.session.add(made)
        self.session.flush()
        dataset.current_version_id = dataset.current_version_id or made.id

    def at_work(self, dataset: Dataset, progress: float, message: str) -> None:
        self.session.add(
            Operation(
                project_id=dataset.project_id, created_by=self._ada.id, kind="dataset_import", subject_id=dataset.id,
                status="running", progress=progress, message=message, started_at=self.now, lease_token=uuid7(),
                lease_expires_at=self.now + LEASE,
            )
        )  # fmt: skip

    def arriving(self, dataset: Dataset, size: int, received: int) -> None:
        expires = self.now + timedelta(days=1)
        self.session.add(
            DatasetUpload(
                dataset_id=dataset.id, created_by=self._ada.id, size=size, received=received, expires_at=expires,
                lease_token=uuid7(), lease_expires_at=self.now + LEASE,
            )
        )  # fmt: skip

    def job(self, version: DatasetVersion, name: str, state: str, minutes: float, **given: Any) -> Job:
        """``minutes`` ago it was made."""
        begun, ended = self.now - timedelta(minutes=minutes), state in STATES
        waits = state in ("pending", "validating", "queued")
        usual: dict[str, Any] = {
            "framework": "timm", "model_name": "resnet18", "config": {"epochs": 20, "batch_size": 32}, "epoch": 0,
            "total_epochs": 20, "state_reason": "", "progress": 0.0, "trace_id": "0" * 32, "attempt": 0 if waits else 1,
            "started_at": None if waits else begun + timedelta(seconds=20), "queued_at": begun, "created_at": begun,
            "ended_at": begun + timedelta(minutes=minutes * 0.6) if ended else None,
            **({} if ended else {"lease_token": uuid7(), "lease_expires_at": self.now + LEASE}),
        }  # fmt: skip
        if state == "completed":
            usual |= {"epoch": 20, "progress": 100.0, "run_seconds": minutes * 36}
        made = Job(
            project_id=self._project.id, created_by=self._ada.id, name=name, state=state,
            dataset_id=version.dataset_id, dataset_version_id=version.id, task_type="classification", **usual | given,
        )  # fmt: skip
        self.session.add(made)
        self.session.flush()
        return made

    def trained(self, job: Job, epochs: int, good: float = 0.9, extra: Sequence[str] = ()) -> None:
        """What a trainer reports of so many epochs: their rows, some steps, what it said of the machine."""
        begun = job.started_at or job.created_at
        for epoch in range(1, epochs + 1):
            reached = good * (1 - math.exp(-epoch / 4))
            metrics = {
                "train/loss": 2.2 * math.exp(-epoch / 5) + 0.1, "val/loss": 2.3 * math.exp(-epoch / 6) + 0.2,
                "train/accuracy": min(1.0, reached * 1.04), "val/accuracy": reached, "lr": 1e-3 * (1 - epoch / 60),
                **dict.fromkeys(extra, 1e6 / epoch),
            }  # fmt: skip
            at = begun + timedelta(seconds=30 * epoch)
            self._metrics(job, "epoch", epoch, 0, at, metrics)
            for step in range(epoch * 10 - 9, epoch * 10 + 1, 3):
                self._metrics(job, "step", epoch, step, at, {"train/loss": 2.3 * math.exp(-step / 50) + 0.1})
        job.epoch, job.metrics = epochs, metrics
        job.best = {"name": "val/accuracy", "value": metrics["val/accuracy"], "mode": "max", "epoch": epochs}

    def _metrics(self, job: Job, kind: str, epoch: int, step: int, at: datetime, metrics: dict[str, float]) -> None:
        self.session.add(
            MetricRow(job_id=job.id, kind=kind, attempt=1, epoch=epoch, step=step, time=at, metrics=metrics)
        )

    def validated(self, job: Job, classes: Sequence[str], epoch: int) -> None:
        some = random.Random(7)
        matrix = [[some.randrange(30, 60) if i == j else some.randrange(6) for j in classes] for i in classes]
        per_class = [
            {
                "class": name, "support": sum(matrix[i]), "recall": matrix[i][i] / sum(matrix[i]),
                "precision": matrix[i][i] / sum(row[i] for row in matrix),
            }
            for i, name in enumerate(classes)
        ]  # fmt: skip
        self.session.add(
            Validation(
                job_id=job.id, attempt=1, epoch=epoch, time=job.created_at, is_best=True, metrics={"val/loss": 0.31},
                primary_metric={"name": "val/accuracy", "value": 0.9, "mode": "max"}, per_class=per_class,
                confusion_matrix=matrix,
            )
        )  # fmt: skip

    def predicted(self, job: Job, lines: list[dict[str, Any]]) -> None:
        self.artifact(job, "predictions", "predictions.ndjson", "\n".join(map(json.dumps, lines)).encode(), epoch=20)

    def artifact(self, job: Job, kind: str, name: str, data: bytes, **given: Any) -> None:
        made = uuid7()
        key = keys.checkpoint(job.id, 1, made)
        path = self._storage / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        usual = {"size": len(data), "completed_at": self.now, "attempt": 1}
        self.session.add(
            Artifact(
                id=made, job_id=job.id, project_id=job.project_id, kind=kind, name=name, storage_key=key,
                sha256=hashlib.sha256(data).hexdigest(), **usual | given,
            )
        )  # fmt: skip

    def log(self, job: Job, texts: Sequence[tuple[str, str]]) -> None:
        """``texts`` of (level, text)."""
        at = (job.started_at or job.created_at).isoformat()
        lines = [{"time": at, "level": level, "text": text} for level, text in texts]
        self.session.add(LogChunk(job_id=job.id, first_line=0, count=len(lines), attempt=1, lines=lines))
        job.log_lines = len(lines)

    def attempts(self, job: Job, *ends: tuple[str, dict[str, Any] | None]) -> None:
        """(outcome, error) of each; those of a job that has ended are over."""
        for number, (outcome, error) in enumerate(ends, start=1):
            at = job.created_at + timedelta(minutes=number)
            self.session.add(
                Attempt(
                    job_id=job.id, number=number, launch_id=f"job-{job.id}-{number}", host_id="elsewhere", slot=number,
                    config=job.config, created_at=at, launched_at=at, first_report_at=at, error=error,
                    outcome=outcome, exit_code=0 if outcome == "succeeded" else 137,
                    resume_epoch=4 if number > 1 else None, ended_at=at + timedelta(minutes=3),
                    released_at=at + timedelta(minutes=3),
                )
            )  # fmt: skip
        job.attempt = len(ends)

    def timeline(self, job: Job, *activities: tuple[str, str, str]) -> None:
        """(name, status, message) of each."""
        at = job.created_at
        for name, status, message in activities:
            over = at + timedelta(seconds=47) if status != "running" else None
            self.session.add(
                ActivityRow(
                    job_id=job.id, name=name, attempt=0 if name == "validate_dataset" else 1, status=status,
                    message=message, tries=2 if status == "failed" else 1, started_at=at, ended_at=over,
                )
            )  # fmt: skip
            at += timedelta(seconds=47)
        job.event_seq += 1
        data = {"state": job.state, "reason": job.state_reason}
        self.session.add(JobEvent(job_id=job.id, seq=job.event_seq, type="state", time=job.created_at, data=data))


DONE = (
    ("validate_dataset", "completed", ""), ("create_training_job", "completed", ""),
    ("monitor_training", "completed", ""), ("cleanup_training_job", "completed", ""),
)  # fmt: skip


# --- the worlds -------------------------------------------------------------------------------------------------------


def empty(site: Site) -> None:
    site.begin("")


def normal(site: Site) -> None:
    site.begin("Ada Lovelace")
    people(site)
    site.ids["dataset"] = site.upload("parts", pictures(CLASSES, 12) | {"nut/torn.png": picture(7)[:80]})
    with site.rows() as rows:
        version = rows.version_of(site.ids["dataset"])
        usual_jobs(site, rows, version)
        rows.version(rows.session.get_one(Dataset, version.dataset_id), number=2, images=52)
        rows.at_work(rows.dataset("leaves", "processing"), 42.0, "Looking at images: 4,210 of 10,000")
        rows.arriving(rows.dataset("street signs", "uploading"), 2_400_000_000, 910_000_000)
        rows.version(rows.dataset("digits"), [str(n) for n in range(10)], images=1_797)
    talk(site, "train resnet18 on parts for 30 epochs")


def many(site: Site) -> None:
    site.begin("Ada Lovelace")
    people(site)
    classes = [f"class {n:02}" for n in range(MANY_CLASSES)]
    site.ids["dataset"] = site.upload("everything", pictures(classes, 4))
    with site.rows() as rows:
        version = rows.version_of(site.ids["dataset"])
        for n in range(MANY_JOBS):
            error = {"error": fault("oom")} if n % 5 == 3 else {}
            rows.job(
                version, f"run {n:04}", STATES[n % 5], 3.0 * (MANY_JOBS - n), **error,
                model_name=("resnet18", "resnet50", "vit_tiny_patch16_224")[n % 3],
                best={"name": "val/accuracy", "value": n / MANY_JOBS, "mode": "max", "epoch": 7},
            )  # fmt: skip
        usual_jobs(site, rows, version, classes)
        for n in range(30):
            rows.job(version, f"waiting {n}", "queued", 1.0 + n, state_reason="Waits for a free slot.")
        for n in range(MANY_DATASETS):
            rows.version(rows.dataset(f"data set {n:03}"), classes[: 2 + n % 70], images=100 * (n + 1))
        for n in range(MANY_PEOPLE):
            rows.session.add(User(email=f"p{n}@example.org", name=f"Person {n}", password_hash="", role="engineer"))
    talk(site, "train resnet18 on everything for 30 epochs")


def long(site: Site) -> None:
    site.begin(LONG)
    people(site, LONG, KOREAN)
    classes = [LONG[:120], KOREAN[:60], ARABIC, EMOJI, "short", *(f"{LONG[:60]}_{n}" for n in range(9))]
    site.ids["dataset"] = site.upload(LONG, pictures([c.replace("/", "_")[:80] for c in classes], 3))
    with site.rows() as rows:
        version = rows.version_of(site.ids["dataset"])
        usual_jobs(
            site, rows, version, [c["name"] for c in version.classes], name=LONG, model_name=LONG[:190],
            config={"epochs": 10**9, "a_setting_" + "with_a_long_name_" * 6: LONG, "learning_rate": 1.2345678901e-12},
            extra=[f"val/{LONG[:100]}"], error=fault("internal", LONG + " " + "It says a lot. " * 40),
        )  # fmt: skip
        for name in (KOREAN[:200], ARABIC * 6, EMOJI * 9, LONG):
            rows.job(version, name[:200], "completed", 99.0, best=None)
            rows.version(rows.dataset(name[:200]), classes, images=9_876_543_210)
        rows.at_work(rows.dataset(LONG, "processing"), 1.0, LONG + " " + KOREAN)
        rows.arriving(rows.dataset(KOREAN[:200], "uploading"), 107_374_182_400, 1)
    talk(site, LONG + " " + KOREAN)


def errors(site: Site) -> None:
    site.begin("Ada Lovelace")
    people(site)
    site.ids["dataset"] = site.upload(
        "damaged",
        pictures(("a", "b"), 4)
        | {f"a/torn {n}.png": picture(n)[: 60 + n] for n in range(60)}
        | {"b/notes.txt": b"no image", "alone/one.png": picture(3), "a/copy.png": picture(0)},
    )
    site.ids["broken"] = site.upload("torn", {"a/1.png": b"not one image", "a/2.png": b"nor this one"})
    with site.rows() as rows:
        version = rows.version_of(site.ids["dataset"])
        for n, code in enumerate(ERROR_CODES):
            rows.job(version, f"failed: {code}", "failed", 20.0 + n, error=fault(code), epoch=n, progress=5.0 * n)
        usual_jobs(site, rows, version, ("a", "b"), error=fault("diverged"), reported=False)
        refused = {"code": "no_space", "message": "The disk is full.", "hint": "Free some space, then upload again."}
        rows.dataset("too large", "error", error=refused)
    talk(site, "train resnet999 on nothing for -3 epochs")


WORLDS: dict[str, Callable[[Site], None]] = {
    "empty": empty,
    "normal": normal,
    "many": many,
    "long": long,
    "errors": errors,
}


@contextmanager
def world(name: str, folder: Path) -> Iterator[World]:
    """``new`` has not even been set up."""
    environ = {"LEASE_SECONDS": "86400", "SLOTS": "0", "TRAINER_PYTHON_TIMM": str(stand_in(folder, name))}
    environ |= {f"RATE_LIMIT_{kind}": "0" for kind in ("AUTH", "READ", "WRITE")}
    with ExitStack() as stack:
        site = Site(stack.enter_context(serving(folder, environ)))
        stack.callback(site.api.close)
        site.ids["setup"] = site.server.setup_url.partition("#token=")[2]
        if name in WORLDS:
            WORLDS[name](site)
        yield World(site.server.url, site.ids)


def usual_jobs(
    site: Site, rows: Rows, version: DatasetVersion, classes: Sequence[str] = CLASSES, *, name: str = "",
    extra: Sequence[str] = (), error: dict[str, Any] | None = None, reported: bool = True, **given: Any,
) -> None:  # fmt: skip
    """One of each state, and eight that can be compared."""
    compared = []
    for n in range(7):
        made = rows.job(
            version, name or f"resnet18, try {n + 1}", "completed", 300.0 - n,
            **{"config": {"epochs": 20, "batch_size": 16 * (1 + n % 3), "learning_rate": 0.001 * (n + 1)}, **given},
        )  # fmt: skip
        rows.trained(made, 20, 0.8 + n / 50)
        rows.validated(made, classes, 20)
        compared.append(str(made.id))
    waiting = {"state_reason": "Waits for a free slot: 2 are before it."}
    usual_failure = error or fault("oom")
    running = rows.job(
        version, name or "nuts and bolts, at work", "running", 9.0, progress=35.0, eta_seconds=754.0, **given
    )
    queued = rows.job(version, name or "next in turn", "queued", 4.0, **waiting | given)
    rows.job(version, name or "after that", "queued", 3.0, **waiting | given)
    failed = rows.job(
        version, name or "too large a batch", "failed", 50.0, error=usual_failure, epoch=3, progress=15, **given
    )
    rows.job(version, name or "given up", "cancelled", 70.0, epoch=2, progress=10.0, **given)
    done = rows.job(version, name or "resnet18 on parts", "completed", 30.0, **given)
    compared.append(str(done.id))
    rows.trained(running, 7, extra=extra)
    rows.timeline(running, *DONE[:2], ("monitor_training", "running", "Epoch 7 of 20"))
    rows.timeline(failed, *DONE[:2], ("monitor_training", "failed", usual_failure["message"]), DONE[3])
    rows.attempts(failed, ("lost", fault("internal")), ("failed", usual_failure))
    rows.log(failed, [("info", "Epoch 1"), ("warning", "loss rises"), ("error", usual_failure["message"])])
    rows.log(running, [("info", f"step {n}: loss {2 / (n + 1):.4f}") for n in range(80)])
    if reported:
        report_all(rows, done, version, classes, extra)
    site.ids |= {
        "job": str(done.id), "running": str(running.id), "queued": str(queued.id), "failed": str(failed.id),
        "jobs": ",".join(reversed(compared)), "class": classes[0], "image": "3",
    }  # fmt: skip


def report_all(
    rows: Rows, job: Job, version: DatasetVersion, classes: Sequence[str], extra: Sequence[str]
) -> None:  # fmt: skip
    levels = ("debug", "info", "info", "info", "warning", "error")
    rows.trained(job, 20, 0.93, extra)
    rows.validated(job, classes, 20)
    rows.timeline(job, *DONE)
    rows.attempts(job, ("lost", fault("internal")), ("succeeded", None))
    rows.log(
        job,
        [
            (levels[n % 6], f"epoch {n // 10}, step {n}: {extra[0] if extra else 'loss'} {1 / (n + 1):.5f}")
            for n in range(400)
        ],
    )
    for kind, file in (("model", "model.pt"), ("checkpoint_best", "best.pt"), ("checkpoint_last", "last.pt")):
        rows.artifact(job, kind, (extra[0][4:] if extra else "") + file, b"weights" * 900, epoch=20)
    names = [f"{classes[0]}/{n:03}.png" for n in range(3)]
    rows.predicted(
        job,
        [
            {
                "file_name": file, "label": classes[0], "predicted": classes[1], "confidence": 0.71,
                "top": [{"class": classes[1], "confidence": 0.71}, {"class": classes[0], "confidence": 0.2}],
            }
            for file in names
        ],
    )  # fmt: skip


def people(site: Site, *more: str) -> None:
    """A viewer who may read the project, some others, tokens, and links that are still open."""
    project = site.ids["project"]
    for email, name, role in (
        (VERA, more[0] if more else "Vera Rubin", "viewer"), ("grace@example.org", "Grace Hopper", "engineer"),
        ("max@example.org", more[1] if more else "", "manager"),
    ):  # fmt: skip
        made = site.ask("POST", "/users", {"email": email, "name": name, "role": role, "password": PASSWORD})
        site.ids[email] = made["id"]
    site.ask("POST", f"/projects/{project}/members", {"user_id": site.ids[VERA], "role": "reader"})
    site.ask("POST", f"/projects/{project}/members", {"user_id": site.ids["grace@example.org"], "role": "editor"})
    site.ask("PATCH", f"/users/{site.ids['grace@example.org']}", {"disabled": True})
    for name in ("notebook", *more):
        site.ask("POST", "/tokens", {"name": name[:200], "scope": "read", "expires_in_days": 90})
    into = {"role": "viewer", "project_id": project, "project_role": "reader"}
    site.ids["invitation"] = token_of(site.ask("POST", "/invitations", into))
    site.ask("POST", "/invitations", {"role": "engineer", "email": "linus@example.org"})
    site.ids["reset"] = token_of(site.ask("POST", f"/users/{site.ids['max@example.org']}/reset"))


def token_of(link: dict[str, Any]) -> str:
    return str(link["url"]).partition("#token=")[2]


def talk(site: Site, content: str) -> None:
    site.ids["conversation"] = site.ask("POST", "/chat/message", {"content": content})["conversation_id"]


def fault(code: str, message: str = "") -> dict[str, Any]:
    known = ERROR_CODES[code]
    return {"code": code, "message": message or known.sentence, "hint": known.hint}


# --- what is put in ---------------------------------------------------------------------------------------------------


def stand_in(folder: Path, name: str) -> Path:
    """In an interpreter's place: says of the framework what the trainer would, installed or not, without torch."""
    models = [
        ModelEntry(model, ["classification"], parameters, size, True, n % 3 == 0, "apache-2.0", n < 4)
        for n, (model, parameters, size) in enumerate(
            [
                *(("resnet18", 11_689_512, 224), ("resnet50", 25_557_032, 224), ("convnext_tiny", 28_589_128, 288)),
                *(("vit_tiny_patch16_224", 5_717_416, 224), ("swin_tiny_patch4_window7_224", 28_288_354, 224)),
                *((f"efficientnet_{n}.{LONG[:90] if name == 'long' else 'in1k'}", n * 10**9, 512) for n in range(300)),
            ]
        )
    ]  # fmt: skip
    known = {
        "empty": {"version": "1.0.31", "catalogue": "partial", "models": []},
        "errors": {"version": None, "catalogue": "absent", "models": []},
    }
    usual: dict[str, Any] = {"version": "1.0.31", "catalogue": "complete", "models": models}
    manifest: Manifest = msgspec.structs.replace(catalogue.manifest(None), **known.get(name, usual))
    said = folder / "manifest.json"
    said.write_bytes(msgspec.json.encode(manifest))
    program = folder / "trainer"
    program.write_text(f"#!/bin/sh\ncat {shlex.quote(str(said))}\n")
    program.chmod(0o700)
    return program


def pictures(classes: Sequence[str], each: int) -> dict[str, bytes]:
    return {f"{c}/{n:03}.png": picture(n, i) for i, c in enumerate(classes) for n in range(each)}


def picture(n: int, of_class: int = 0) -> bytes:
    some = random.Random(n * 97 + of_class)
    image = Image.new("RGB", (96 + 8 * (n % 5), 72), tuple(some.randrange(140, 235) for _ in range(3)))
    box = (16 + n % 9, 10, 74, 62)
    shape = (ImageDraw.Draw(image).ellipse, ImageDraw.Draw(image).rectangle)[of_class % 2]
    shape(box, fill=tuple(some.randrange(20, 110) for _ in range(3)))
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()
