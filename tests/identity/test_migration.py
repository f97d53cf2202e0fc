"""What 0007 makes of the sign-ins that there were, that 0008 goes there and back, and what 0010 leaves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from visionai.db import Base, Database, database_url, migrate
from visionai.errors import Unauthorised
from visionai.identity import sessions, tokens
from visionai.identity.sessions import Client
from visionai.ids import uuid7
from visionai.settings import Settings

ROOT = Path(__file__).parents[2]
ADA = uuid7()
Go = Callable[[str], None]


@pytest.fixture
def go(tmp_path: Path) -> Go:
    """To this revision, up or down."""

    def to(revision: str) -> None:
        engine = sa.create_engine(f"sqlite:///{tmp_path / 'visionai.sqlite3'}")
        config = Config()
        config.set_main_option("script_location", str(ROOT / "migrations"))
        with engine.begin() as connection:
            connection.exec_driver_sql("PRAGMA foreign_keys=ON")
            config.attributes["connection"] = connection
            (command.downgrade if revision == "0006" and has_sessions(connection) else command.upgrade)(
                config, revision
            )
        engine.dispose()

    return to


def has_sessions(connection: sa.Connection) -> bool:
    return sa.inspect(connection).has_table("sessions")


def add_chain(folder: Path, *names: str, revoked: bool = False, days: int = 30) -> UUID:
    """A chain of refresh tokens as 0006 kept it; all but the last were used."""
    family, now = uuid7(), datetime.now(UTC)
    engine = sa.create_engine(f"sqlite:///{folder / 'visionai.sqlite3'}")
    with engine.begin() as connection:
        for n, name in enumerate(names):
            values = ":id, :family, :user, :hash, :used, :revoked, :expires, :at"
            connection.execute(
                sa.text(f"INSERT INTO refresh_tokens VALUES ({values})"),
                {
                    "id": uuid7().hex, "family": family.hex, "user": ADA.hex, "hash": tokens.digest(name),
                    "used": now if n < len(names) - 1 else None, "revoked": now if revoked else None,
                    "expires": now + timedelta(days=days), "at": now + timedelta(seconds=n),
                },
            )  # fmt: skip
    engine.dispose()
    return family


def add_ada(folder: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{folder / 'visionai.sqlite3'}")
    with engine.begin() as connection:
        ada = {"id": ADA.hex, "at": datetime.now(UTC)}
        connection.execute(
            sa.text("INSERT INTO users VALUES (:id, 'ada@example.org', 'Ada', '-', 'admin', NULL, :at)"), ada
        )  # fmt: skip
    engine.dispose()


async def test_who_is_signed_in_stays_so_and_what_was_ended_stays_ended(go: Go, tmp_path: Path) -> None:
    go("0006")
    add_ada(tmp_path)
    open_ = add_chain(tmp_path, "first", "second")
    add_chain(tmp_path, "signed out", revoked=True)
    add_chain(tmp_path, "expired", days=-1)
    migrate(f"sqlite:///{tmp_path / 'visionai.sqlite3'}")
    assert (tmp_path / "visionai.sqlite3.before-0006").exists(), "it was copied before"
    db, settings = Database(database_url(None, tmp_path)), Settings(data_dir=tmp_path)
    async with db.read() as session:
        assert [s.id for s in await sessions.all_of(session, ADA)] == [open_]
    for token in ("signed out", "expired"):
        with pytest.raises(Unauthorised):
            await sessions.refresh(db, settings, token, Client())
    assert (await sessions.refresh(db, settings, "second", Client())).session_id == open_
    await db.close()


async def test_there_and_back_and_there_again(go: Go, tmp_path: Path) -> None:
    go("0006")
    add_ada(tmp_path)
    add_chain(tmp_path, "first")
    for revision in ("0008", "0006", "0008"):
        go(revision)
    db = Database(database_url(None, tmp_path))
    async with db.read() as session:
        assert await session.scalar(sa.text("SELECT count(*) FROM users")) == 1
        assert await sessions.all_of(session, ADA) == []
    await db.close()


def test_the_tables_are_what_the_models_say(go: Go, tmp_path: Path) -> None:
    go("0010")
    metadata = sa.MetaData(naming_convention=Base.metadata.naming_convention)
    identity = ("users", "projects", "sessions", "refresh_tokens", "api_tokens", "password_resets", "invitations")
    for name in (*identity, "audit_entries", "quotas"):
        Base.metadata.tables[name].to_metadata(metadata)
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'visionai.sqlite3'}")
    with engine.connect() as connection:
        options = {"include_name": lambda name, kind, _: kind != "table" or name in metadata.tables}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []
    engine.dispose()
