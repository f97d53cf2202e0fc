"""uploads that may break off and go on"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from visionai.db import UtcDateTime

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "dataset_uploads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("operation_id", sa.Uuid(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("said", sa.String(length=4096), nullable=False),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("lease_expires_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["datasets.id"], name=op.f("fk_dataset_uploads_dataset_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_dataset_uploads_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dataset_uploads")),
        sa.UniqueConstraint("dataset_id", name=op.f("uq_dataset_uploads_dataset_id")),
    )
    op.create_index(op.f("ix_dataset_uploads_expires_at"), "dataset_uploads", ["expires_at"])


def downgrade() -> None:
    op.drop_table("dataset_uploads")
