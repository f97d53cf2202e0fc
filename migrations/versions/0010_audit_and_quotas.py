"""what people did, append-only; quotas"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from visionai.db import UtcDateTime

revision = "0010"
down_revision = "0009"

SAYS = "audit entries are never changed"


def upgrade() -> None:
    op.create_table(
        "quotas",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("datasets", sa.Integer(), nullable=True),
        sa.Column("storage_bytes", sa.BigInteger(), nullable=True),
        sa.Column("gpu_seconds", sa.BigInteger(), nullable=True),
        sa.Column("running", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_quotas")),
    )
    op.add_column("datasets", sa.Column("upload_bytes", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute(
        "UPDATE datasets SET upload_bytes = (SELECT size FROM dataset_uploads WHERE dataset_id = datasets.id) "
        "WHERE id IN (SELECT dataset_id FROM dataset_uploads)"
    )
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("time", UtcDateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.Column("via", sa.String(length=8), nullable=False),
        sa.Column("token_name", sa.String(length=200), nullable=True),
        sa.Column("ip", sa.String(length=45), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=True),
        sa.Column("target_type", sa.String(length=20), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=True),
        sa.Column("target_name", sa.String(length=254), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    for column in ("user_id", "project_id", "target_id"):
        op.create_index(f"ix_audit_entries_{column}", "audit_entries", [column, "id"])
    op.create_index("ix_audit_entries_time", "audit_entries", ["time"])
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_entries_{verb.lower()} BEFORE {verb} ON audit_entries "
                f"BEGIN SELECT RAISE(ABORT, '{SAYS}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{SAYS}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_entries_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()"
    )


def downgrade() -> None:
    op.drop_column("datasets", "upload_bytes")
    op.drop_table("quotas")
    op.drop_table("audit_entries")
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION refuse_audit_change()")
