"""a job may leave its number of retries to the server"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    _anew(nullable=True)


def downgrade() -> None:
    op.execute("UPDATE jobs SET max_retries = 3 WHERE max_retries IS NULL")
    _anew(nullable=False)


def _anew(*, nullable: bool) -> None:
    """In place: SQLite changes a column by copying the table, which takes along what refers to it."""
    op.add_column("jobs", sa.Column("anew", sa.Integer(), nullable=nullable, server_default=None if nullable else "3"))
    op.execute("UPDATE jobs SET anew = max_retries")
    op.execute("ALTER TABLE jobs DROP COLUMN max_retries")
    op.execute("ALTER TABLE jobs RENAME COLUMN anew TO max_retries")
