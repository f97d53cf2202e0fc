"""A world for jobs: a real SQLite, a fake executor, a framework that says it is ready, a data set that is."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import msgspec

from visionai.datasets.tables import Dataset, DatasetVersion
from visionai.db import Database, database_url, migrate
from visionai.executors.fake import FakeExecutor
from visionai.frameworks import Framework, Frameworks
from visionai.identity.access import CurrentUser
from visionai.identity.projects import add_project
from visionai.identity.tables import ProjectMember, User
from visionai.jobs import submit
from visionai.jobs.tables import Attempt, Job
from visionai.parts import Parts
from visionai.settings import Settings
from visionai.storage.local import LocalStorage
from visionai.trainers.contract import Manifest, ModelEntry, Objective

MANIFEST = Manifest(
    framework="timm", version="1", tasks=["classification"], models=[ModelEntry("tiny", ["classification"])],
    schema={
        "type": "object", "additionalProperties": False,
        "properties": {
            "epochs": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 10},
            "batch_size": {"type": "integer", "minimum": 1, "default": 64},
        },
    },
    presets={}, primary_metrics={"classification": Objective("val/accuracy", "max")}, capabilities=["resume"],
    catalogue="complete",
)  # fmt: skip


class World(msgspec.Struct):
    parts: Parts
    executor: FakeExecutor
    user: CurrentUser
    other: CurrentUser
    """A member of the same project."""
    dataset_id: UUID

    async def submit(self, user: CurrentUser | None = None, **changes: object) -> UUID:
        given = {"task_type": "classification", "framework": "timm", "model_name": "tiny", "config": {"epochs": 3}}
        spec = submit.JobSpec(**{"dataset_id": self.dataset_id, **given, **changes})
        async with self.parts.db.write() as session:
            job = await submit.submit(session, self.parts.frameworks, user or self.user, spec)
        return job.id

    async def job(self, job_id: UUID) -> Job:
        async with self.parts.db.read() as session:
            return await session.get_one(Job, job_id)

    async def attempt(self, job_id: UUID) -> Attempt | None:
        from visionai.jobs.reconcile import _latest_attempt

        async with self.parts.db.read() as session:
            return await _latest_attempt(session, job_id)


async def make_world(folder: Path, *, slots: int = 1) -> World:
    settings = Settings(data_dir=folder, jwt_secret="s" * 40, slots=slots)
    url = database_url(None, folder)
    migrate(url)
    executor = FakeExecutor(folder / "runs")
    frameworks = Frameworks(settings, {})
    frameworks.know(Framework("timm", "ready", "", MANIFEST))
    parts = Parts(
        settings=settings, environ={}, db=Database(url), redis=None,  # type: ignore[arg-type]  # no hints: the tests wake
        storage=LocalStorage(folder / "storage", settings.secret), executor=executor, frameworks=frameworks,
        subscriber=None,  # type: ignore[arg-type]
    )  # fmt: skip
    async with parts.db.write() as session:
        user = User(email="ada@example.org", password_hash="", role="engineer")
        other = User(email="bob@example.org", password_hash="", role="engineer")
        session.add_all([user, other])
        await session.flush()
        project = await add_project(session, user.id, "p")
        session.add(ProjectMember(project_id=project.id, user_id=other.id, role="editor"))
        dataset = Dataset(project_id=project.id, created_by=user.id, name="digits", status="ready")
        session.add(dataset)
        await session.flush()
        version = DatasetVersion(
            dataset_id=dataset.id, project_id=project.id, number=1, content_hash="c", split_hash="s",
            task_types=["classification"], classes=[{"name": "0", "total": 2, "train": 1, "val": 1}], image_count=2,
            train_count=1, val_count=1, size_bytes=2, statistics={}, report={"faults": []}, files=[],
        )  # fmt: skip
        session.add(version)
        await session.flush()
        dataset.current_version_id = version.id
    ada, bob = (CurrentUser(u.id, u.email, "", "engineer") for u in (user, other))
    return World(parts, executor, ada, bob, dataset.id)
