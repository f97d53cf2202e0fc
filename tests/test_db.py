"""The database's own rules, apart from what is kept in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from visionai.db import Database, database_url, newest_revision


async def test_what_is_read_from_refuses_to_be_written_to(tmp_path: Path) -> None:
    db = Database(database_url(None, tmp_path))
    async with db.write() as session:
        await session.execute(text("CREATE TABLE t (n INTEGER)"))
    for _ in range(2):  # also when the connection is used again
        with pytest.raises(OperationalError, match="readonly"):
            async with db.read() as session:
                await session.execute(text("INSERT INTO t VALUES (1)"))
    await db.close()


def test_the_names_of_the_migrations_say_which_is_the_newest() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[1] / "migrations"))
    script = ScriptDirectory.from_config(config)
    assert newest_revision() == script.get_current_head()
    assert all(Path(revision.path).name.startswith(f"{revision.revision}_") for revision in script.walk_revisions())
