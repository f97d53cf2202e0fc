"""going on from a job that has ended, deleting one, taking turns, and creations that may be repeated"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from visionai.db import UtcDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("resume_artifact_id", sa.Uuid(), nullable=True))
    op.add_column("jobs", sa.Column("resume_epoch", sa.Integer(), nullable=True))
    op.add_column("jobs", sa.Column("deleted_at", UtcDateTime(timezone=True), nullable=True))
    op.create_table(
        "queue_turns",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("served_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_queue_turns_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_queue_turns")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_idempotency_keys_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"])


def downgrade() -> None:
    op.drop_table("idempotency_keys")
    op.drop_table("queue_turns")
    with op.batch_alter_table("jobs") as table:
        table.drop_column("deleted_at")
        table.drop_column("resume_epoch")
        table.drop_column("resume_artifact_id")
