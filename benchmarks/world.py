"""A database to measure on: a user, a project, a data set, and jobs in any number, without having trained any."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar, cast
from uuid import UUID

import msgspec
from sqlalchemy import insert

from visionai.datasets.tables import Dataset, DatasetVersion
from visionai.db import Database, database_url, migrate, utcnow
from visionai.executors import wrapper
from visionai.executors.base import Handle
from visionai.executors.subprocess import SubprocessExecutor
from visionai.identity.projects import add_project
from visionai.identity.tables import Session, User
from visionai.identity.tokens import Credential
from visionai.ids import uuid7
from visionai.jobs.tables import Artifact, Attempt, Job, JobEvent, MetricRow
from visionai.settings import Settings, prepare

T = TypeVar("T")

CONFIG = {"epochs": 10, "batch_size": 64, "learning_rate": 1e-3, "optimizer": "adamw", "image_size": 224, "workers": 2}
METRICS = {"train/loss": 0.31, "val/loss": 0.42, "val/accuracy": 0.91, "val/f1": 0.9, "lr": 1e-3}
DATASETS = 50
EPOCHS = 2


class World(msgspec.Struct, frozen=True):
    credential: Credential
    """Of somebody who is signed in."""
    project_id: UUID
    datasets: list[tuple[UUID, UUID]]
    """Data sets with their versions."""

    @property
    def user_id(self) -> UUID:
        return self.credential.user_id


def settings_of(data_dir: Path, **more: Any) -> Settings:
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return prepare(Settings(data_dir=data_dir, **more))


async def make(db: Database) -> World:
    async with db.write() as session:
        user = User(email="bench@example.org", password_hash="", role="engineer")
        session.add(user)
        await session.flush()
        project = await add_project(session, user.id, "bench")
        signed_in = Session(user_id=user.id, expires_at=utcnow() + timedelta(days=1))
        session.add(signed_in)
        datasets = [
            Dataset(project_id=project.id, created_by=user.id, name=f"d{n}", status="ready") for n in range(DATASETS)
        ]
        session.add_all(datasets)
        await session.flush()
        versions = [
            DatasetVersion(
                dataset_id=dataset.id, project_id=project.id, number=1, content_hash="c", split_hash="s",
                task_types=["classification"], classes=[], image_count=0, train_count=0, val_count=0, size_bytes=0,
                statistics={}, report={"faults": []}, files=[],
            )
            for dataset in datasets
        ]  # fmt: skip
        session.add_all(versions)
        await session.flush()
    return World(Credential(user.id, signed_in.id), project.id, [(v.dataset_id, v.id) for v in versions])


def job_row(world: World, n: int, state: str, **more: Any) -> dict[str, Any]:
    dataset_id, version_id = world.datasets[n % len(world.datasets)]
    return {
        "id": uuid7(), "project_id": world.project_id, "created_by": world.user_id, "name": f"job {n}",
        "dataset_id": dataset_id, "dataset_version_id": version_id, "task_type": "classification",
        "framework": "timm", "model_name": "test_resnet", "config": CONFIG, "max_retries": 3, "trace_id": "0" * 32,
        "state": state, **more,
    }  # fmt: skip


async def add_running(db: Database, world: World, count: int, executor: SubprocessExecutor | None = None) -> list[UUID]:
    """Jobs whose first attempt has reported already. There is no process; where there has to be one, for this
    ``executor`` to look at, it is the one that runs this."""
    rows = [job_row(world, n, "running", attempt=1) for n in range(count)]
    attempts = [
        {"job_id": row["id"], "number": 1, "launch_id": f"job-{row['id']}-1", "host_id": "bench", "slot": n,
         "config": {}, "first_report_at": utcnow(), "handle": _this_process(executor, n) if executor else None}
        for n, row in enumerate(rows)
    ]  # fmt: skip
    async with db.write() as session:
        await session.execute(insert(Job), rows)
        await session.execute(insert(Attempt), attempts)
    return [row["id"] for row in rows]


def _this_process(executor: SubprocessExecutor, n: int) -> dict[str, Any]:
    pid, run_dir = os.getpid(), str(executor.runs / f"job-{n}")
    handle = Handle(executor.host_id, executor.boot_id, run_dir, pid, wrapper.start_time(pid))
    return cast(dict[str, Any], msgspec.to_builtins(handle))


async def add_ended(db: Database, world: World, count: int) -> None:
    """Completed jobs with what they left: an attempt, events, the metrics of two epochs, two files."""
    for start in range(0, count, 1000):
        now = utcnow()
        jobs = [
            job_row(
                world, n, "completed", attempt=1, progress=100.0, epoch=EPOCHS, total_epochs=EPOCHS, metrics=METRICS,
                best={"name": "val/accuracy", "value": 0.91, "mode": "max", "epoch": EPOCHS}, event_seq=2 * EPOCHS,
                created_at=now, queued_at=now, started_at=now, ended_at=now,
            )
            for n in range(start, min(start + 1000, count))
        ]  # fmt: skip
        ids = [job["id"] for job in jobs]
        attempts = [
            {"job_id": i, "number": 1, "launch_id": f"job-{i}-1", "host_id": "bench", "slot": 0, "config": CONFIG,
             "first_report_at": now, "ended_at": now, "released_at": now, "outcome": "succeeded", "exit_code": 0}
            for i in ids
        ]  # fmt: skip
        events = [
            {"job_id": i, "seq": seq, "type": "progress", "time": now, "data": {"epoch": seq, "metrics": METRICS}}
            for i in ids for seq in range(1, 2 * EPOCHS + 1)
        ]  # fmt: skip
        metrics = [
            {"job_id": i, "kind": "epoch", "attempt": 1, "epoch": epoch, "time": now, "metrics": METRICS}
            for i in ids for epoch in range(1, EPOCHS + 1)
        ]  # fmt: skip
        files = [
            {"job_id": i, "project_id": world.project_id, "attempt": 1, "kind": kind, "name": "x.pt", "size": 1,
             "sha256": "0" * 64, "epoch": EPOCHS, "storage_key": f"checkpoints/{i}/{kind}", "completed_at": now}
            for i in ids for kind in ("checkpoint_last", "checkpoint_best")
        ]  # fmt: skip
        async with db.write() as session:
            for table, rows in (
                (Job, jobs), (Attempt, attempts), (JobEvent, events), (MetricRow, metrics), (Artifact, files)
            ):  # fmt: skip
                await session.execute(insert(table), rows)


async def add_queued(db: Database, world: World, count: int) -> None:
    now = utcnow() - timedelta(hours=1)
    rows = [job_row(world, n, "queued", created_at=now, queued_at=now) for n in range(count)]
    async with db.write() as session:
        if rows:
            await session.execute(insert(Job), rows)


def run_on(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    """``work(db)`` in an event loop of its own."""

    async def main() -> T:
        url = database_url(None, settings.data_dir)
        await asyncio.to_thread(migrate, url)
        db = Database(url)
        try:
            return await work(db)
        finally:
            await db.close()

    return asyncio.run(main())
