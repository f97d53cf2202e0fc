"""Alembic's entry: runs on the connection that ``visionai.db.migrate`` hands over."""

from __future__ import annotations

from alembic import context

from visionai.chat import tables as chat
from visionai.datasets import tables as datasets
from visionai.db import Base
from visionai.identity import tables as identity
from visionai.jobs import tables as jobs
from visionai.operations import tables as operations

TABLES = (identity, operations, datasets, jobs, chat)  # imported so that the metadata is whole

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    user_module_prefix="",
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
