"""what a deleted data set holds is freed"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from visionai.db import UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("datasets", sa.Column("freed_at", UtcDateTime(timezone=True), nullable=True))
    op.create_index("ix_dataset_images_sha256", "dataset_images", ["sha256"])


def downgrade() -> None:
    op.drop_index("ix_dataset_images_sha256", "dataset_images")
    with op.batch_alter_table("datasets") as table:
        table.drop_column("freed_at")
