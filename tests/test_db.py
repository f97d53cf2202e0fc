"""The database's own rules, apart from what is kept in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Integer, MetaData, Table, create_engine, text
from sqlalchemy.exc import OperationalError

from visionai.db import Database, database_url, migrate, newest_revision, refuse_unusable
from visionai.errors import SettingsError

REVISIONS = ["0001", "0002", "0003", "0004", "0005", "0006"]


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


def with_one_row_of_everything(file: Path, revision: str) -> dict[str, int]:
    """A database of an older release, in which each table has a row and all of them hang together."""
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parents[1] / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    with engine.begin() as connection:
        there = MetaData()
        there.reflect(connection)
        tables = [table for table in there.tables.values() if table.name != "alembic_version"]
        for table in tables:
            row = {column.name: _value(column) for column in table.columns if column.name != "revoked_at"}
            names, values = ", ".join(f'"{name}"' for name in row), ", ".join(repr(value) for value in row.values())
            connection.execute(
                text(f"INSERT INTO {table.name} ({names}) VALUES ({values.replace(':', chr(92) + ':')})")
            )
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
        counts = _counts(connection, tables)
    engine.dispose()
    return counts


def _value(column: Any) -> Any:
    if column.foreign_keys or column.name.endswith("id"):
        return 1 if isinstance(column.type, Integer) else "0" * 32
    if isinstance(column.type, Integer) or column.type.python_type in (int, float, bool):
        return 1
    if "JSON" in str(column.type):
        return "{}"
    return "2099-01-01 00:00:00" if column.name == "expires_at" else "2026-01-01 00:00:00"


def _counts(connection: Connection, tables: list[Table]) -> dict[str, int]:
    return {t.name: connection.scalar(text(f"SELECT count(*) FROM {t.name}")) or 0 for t in tables}


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_database_of_an_older_release_keeps_every_row(tmp_path: Path, revision: str) -> None:
    file = tmp_path / "visionai.sqlite3"
    before = with_one_row_of_everything(file, revision)
    assert set(before.values()) == {1}
    migrate(database_url(None, tmp_path))
    engine = create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == newest_revision()
        there = MetaData()
        there.reflect(connection)
        after = _counts(connection, [there.tables[name] for name in before])
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
    engine.dispose()
    assert after == before
    assert file.with_name(f"{file.name}.before-{revision}").exists()


async def test_a_database_of_a_newer_release_is_refused_with_what_to_do(tmp_path: Path) -> None:
    url = database_url(None, tmp_path)
    migrate(url)
    refuse_unusable(url)
    db = Database(url)
    async with db.write() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await db.close()
    (tmp_path / "visionai.sqlite3.before-0003").touch()
    with pytest.raises(SettingsError, match=r"newer VisionAI \(its schema is 9999.*put back a copy \(.*before-0003"):
        refuse_unusable(url)


async def test_a_database_without_a_table_it_should_have_is_refused(tmp_path: Path) -> None:
    url = database_url(None, tmp_path)
    migrate(url)
    db = Database(url)
    async with db.write() as session:
        await session.execute(text("DROP TABLE queue_turns"))
    await db.close()
    with pytest.raises(SettingsError, match="lacks queue_turns"):
        refuse_unusable(url)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "visionai.sqlite3").write_bytes(b"no database" * 1000)
    with pytest.raises(SettingsError, match=r"visionai.sqlite3 cannot be read \(file is not a database\)"):
        refuse_unusable(database_url(None, tmp_path))


def test_where_there_is_no_database_yet_there_is_nothing_to_refuse(tmp_path: Path) -> None:
    refuse_unusable(database_url(None, tmp_path))
