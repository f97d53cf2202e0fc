"""What a trainer is started with: its command and its environment, pure functions of the rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

from visionai.executors.base import Launch
from visionai.executors.subprocess import trainer_environment
from visionai.frameworks import python_of
from visionai.identity import tokens
from visionai.jobs import slots
from visionai.jobs.tables import Attempt, Job
from visionai.settings import Settings


def launch_id(job_id: UUID, attempt: int) -> str:
    return f"job-{job_id}-{attempt}"


def build(settings: Settings, environ: Mapping[str, str], job: Job, attempt: Attempt, run_dir: Path) -> Launch:
    cache = settings.data_dir / "cache" / "trainers"
    env = trainer_environment(environ) | {
        "JOB_ID": str(job.id),
        "ATTEMPT": str(attempt.number),
        "TRACE_ID": job.trace_id,
        "TRACEPARENT": f"00-{job.trace_id}-{job.id.hex[-16:]}-01",
        "BACKEND_BASE_URL": settings.callback_url,
        "CALLBACK_TOKEN": tokens.callback_token(settings, job.id, attempt.number),
        "FRAMEWORK": job.framework,
        "TASK_TYPE": job.task_type,
        "MODEL_NAME": job.model_name,
        "DATASET_ID": str(job.dataset_id),
        "DATASET_VERSION": str(job.dataset_version_id),
        "STORAGE_TYPE": settings.storage_type,
        "TRAINING_CONFIG": json.dumps(attempt.config),
        "WORKSPACE": str(run_dir / "work"),
        "CACHE_DIR": str(cache),
        "PYTHONUNBUFFERED": "1",
    }
    if slots.gpus():
        env["CUDA_VISIBLE_DEVICES"] = str(attempt.slot)
    if settings.allow_downloads:
        env["ALLOW_DOWNLOADS"] = "1"
    argv = [python_of(settings, job.framework), "-m", "visionai.trainers", job.framework, "train"]
    return Launch(attempt.launch_id, argv, env)


def config_of_next(job: Job, previous: Attempt | None) -> dict[str, object]:
    """The job's configuration; after an attempt that ran out of memory, with half of its batch size."""
    if previous is None:
        return dict(job.config)
    config = dict(previous.config)
    batch = config.get("batch_size")
    if (previous.error or {}).get("code") == "oom" and isinstance(batch, int) and batch > 1:
        config["batch_size"] = batch // 2
    return config
