"""Where each object lies: pure functions, and the only place that knows."""

from __future__ import annotations

from uuid import UUID

INCOMING = "incoming/"


def upload(dataset_id: UUID, operation_id: UUID) -> str:
    """The archive as it was sent, until its import has ended."""
    return f"{dataset(dataset_id)}uploads/{operation_id}"


def dataset(dataset_id: UUID) -> str:
    """Prefix of everything that belongs to a data set alone."""
    return f"datasets/{dataset_id}/"


def version_file(dataset_id: UUID, content_hash: str, name: str) -> str:
    return f"{dataset(dataset_id)}versions/{content_hash}/{name}"


def thumbnail(dataset_id: UUID, sha256: str) -> str:
    return f"{dataset(dataset_id)}thumbnails/{sha256[:2]}/{sha256}.webp"


def blob(project_id: UUID, sha256: str) -> str:
    """An image's bytes, shared between the versions and data sets of a project."""
    return f"blobs/{project_id}/{sha256[:2]}/{sha256}"


def checkpoint(job_id: UUID, attempt: int, artifact_id: UUID) -> str:
    return f"checkpoints/job-{job_id}/attempt-{attempt}/{artifact_id}"


def incoming(artifact_id: UUID) -> str:
    """Where a trainer puts an artifact. It is moved away before it is checked, so its signed address changes nothing
    that anybody sees."""
    return f"{INCOMING}{artifact_id}"


def job_checkpoints(job_id: UUID) -> str:
    return f"checkpoints/job-{job_id}/"


def job_logs(job_id: UUID) -> str:
    return f"logs/job-{job_id}/"
