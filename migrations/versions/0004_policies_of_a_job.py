"""policies of a job, and files that are kept for good"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("time_limit_seconds", sa.Float(), nullable=True))
    op.add_column("jobs", sa.Column("silence_seconds", sa.Float(), nullable=True))
    op.add_column("jobs", sa.Column("keep_every", sa.Integer(), nullable=True))
    op.add_column("jobs", sa.Column("run_seconds", sa.Float(), nullable=False, server_default="0"))
    op.add_column("artifacts", sa.Column("pinned", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    with op.batch_alter_table("artifacts") as table:
        table.drop_column("pinned")
    with op.batch_alter_table("jobs") as table:
        for name in ("run_seconds", "keep_every", "silence_seconds", "time_limit_seconds"):
            table.drop_column(name)
