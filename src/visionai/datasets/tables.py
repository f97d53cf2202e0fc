"""Data sets, their immutable versions, and a version's images (an index of its ``annotations.ndjson`` for the UI)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from visionai.db import Base, utcnow
from visionai.ids import uuid7


class Dataset(Base):
    __tablename__ = "datasets"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"), index=True)
    created_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(200))
    format: Mapped[str] = mapped_column(String(40), default="auto")
    status: Mapped[str] = mapped_column(String(16))  # uploading, processing, ready, error
    error: Mapped[dict[str, Any] | None]  # {code, message, hint}
    report: Mapped[dict[str, Any] | None]  # faults of an import that ended in error; a version has its own
    current_version_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("dataset_versions.id", use_alter=True, ondelete="SET NULL")
    )
    upload_bytes: Mapped[int] = mapped_column(BigInteger, default=0)  # of the archive that it was imported from
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    updated_at: Mapped[datetime] = mapped_column(default=utcnow, onupdate=utcnow)
    deleted_at: Mapped[datetime | None]
    freed_at: Mapped[datetime | None]  # when its objects had been removed too


class DatasetUpload(Base):
    """An archive that comes in over several requests. The row is kept after its end until it expires, for a sender who
    has not heard of that."""

    __tablename__ = "dataset_uploads"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    dataset_id: Mapped[UUID] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"), unique=True)
    created_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    operation_id: Mapped[UUID] = mapped_column(default=uuid7)  # its import's, which begins when all is there
    size: Mapped[int] = mapped_column(BigInteger)
    received: Mapped[int] = mapped_column(BigInteger, default=0)  # stored for good
    said: Mapped[str] = mapped_column(String(4096), default="")  # Upload-Metadata, as it was sent
    lease_token: Mapped[UUID | None]  # of the request that is adding to it
    lease_expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class DatasetVersion(Base):
    """Immutable once written. ``content_hash`` is over classes and annotations; ``split_hash`` over the split."""

    __tablename__ = "dataset_versions"
    __table_args__ = (UniqueConstraint("dataset_id", "number"), UniqueConstraint("dataset_id", "content_hash"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    dataset_id: Mapped[UUID] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"), index=True)
    number: Mapped[int]
    content_hash: Mapped[str] = mapped_column(String(64))
    split_hash: Mapped[str] = mapped_column(String(64))
    task_types: Mapped[list[str]]
    classes: Mapped[list[Any]]  # [{name, total, train, val}], in class order
    image_count: Mapped[int]
    train_count: Mapped[int]
    val_count: Mapped[int]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    statistics: Mapped[dict[str, Any]]
    report: Mapped[dict[str, Any]]  # {faults: [{code, severity, message, hint, files, file_count}]}
    files: Mapped[list[Any]]  # what a trainer fetches: [{name, kind, key, size, sha256}]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class DatasetImage(Base):
    __tablename__ = "dataset_images"
    __table_args__ = (Index("ix_dataset_images_version_label", "version_id", "label", "n"),)

    version_id: Mapped[UUID] = mapped_column(ForeignKey("dataset_versions.id", ondelete="CASCADE"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)  # line of annotations.ndjson, from 0
    file_name: Mapped[str] = mapped_column(String(1024))
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    suffix: Mapped[str] = mapped_column(String(8))
    width: Mapped[int]
    height: Mapped[int]
    size: Mapped[int] = mapped_column(BigInteger)
    split: Mapped[str] = mapped_column(String(8))
    label: Mapped[str | None] = mapped_column(String(200))  # the first label, to filter by
    labels: Mapped[list[str]]
    objects: Mapped[list[Any]]
