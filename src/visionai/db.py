"""The database: engines, transactions and column types. The truth lives here and nowhere else.

SQLite (embedded) has one writer connection that opens every transaction with BEGIN IMMEDIATE, so that
read-modify-write is safe, and a read-only pool beside it. ``synchronous=FULL``: what was committed survives a power
cut. PostgreSQL (``DATABASE_URL``) uses one pool for both.

What must happen after a commit (a wake-up, a publish) is put into the transaction with ``after_commit`` and is handed
to the database's ``deliver``, which waits for nobody, once the commit has succeeded; when it fails, nothing is sent.
"""

from __future__ import annotations

import asyncio
import functools
import json
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

import msgspec
from sqlalchemy import JSON, DateTime, Engine, Insert, MetaData, create_engine, event, inspect, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect, make_url
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

from visionai import failpoints
from visionai.errors import SettingsError
from visionai.groupcommit import GroupCommit, Prepare, Work

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

_VERSION = "alembic_version"  # Alembic's table
_SIZE = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    "postgresql": "SELECT pg_database_size(current_database())",
}

T = TypeVar("T")


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time: always aware, always UTC, also in SQLite, which keeps no zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("times are aware: use datetime.now(UTC)")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {  # noqa: RUF012  (SQLAlchemy's own way of declaring it)
        datetime: UtcDateTime,
        dict[str, Any]: JSON,
        list[Any]: JSON,
        list[str]: JSON,
    }


def _from_json(text: str | bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return json.loads(text)  # NaN and Infinity, which are no JSON, as Python's own module writes them


JSON_COLUMNS: Any = {
    "json_serializer": lambda value: msgspec.json.encode(value).decode(),
    "json_deserializer": _from_json,
}  # five times as fast as Python's own

Deliver = Callable[[Sequence[object]], None]


class About(msgspec.Struct, frozen=True):
    kind: Literal["sqlite", "postgresql"]
    size_bytes: int
    revision: str
    """Of its schema."""


class Database:
    """Opened once per process. ``read()`` and ``write()`` each give a session in one transaction."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.embedded = url.startswith("sqlite")
        self.deliver: Deliver | None = None
        self.refused = False
        """Whether it has taken no writes since somebody looked last (locked, full, away)."""
        if self.embedded:
            self._turn: AbstractAsyncContextManager[None] = asyncio.Lock()  # fair, unlike SQLite's own busy wait
            self._writer = _sqlite(url, pool_size=1, begin="BEGIN IMMEDIATE", query_only="OFF")
            self._reader = _sqlite(url, pool_size=8, begin="BEGIN", query_only="ON")
        else:
            self._turn = nullcontext()
            self._writer = self._reader = create_async_engine(
                url, pool_size=10, max_overflow=10, pool_pre_ping=True, **JSON_COLUMNS
            )
        self._writing = async_sessionmaker(self._writer, expire_on_commit=False)
        self._reading = async_sessionmaker(self._reader, expire_on_commit=False)
        self.group = GroupCommit(self.write)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A snapshot to read from; writing through it is a programming error (SQLite refuses)."""
        async with self._reading() as session, session.begin():
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """One transaction, committed at the end, rolled back on any exception. Keep it short: no network inside."""
        try:
            async with self._turn, self._writing.begin() as session:
                yield session
                await _insert_appended(session)
                failpoints.reach("database.in_transaction")
        except (OperationalError, InterfaceError):
            self.refused = True
            raise
        failpoints.reach("database.committed")
        effects = session.info.pop("after_commit", [])
        if effects and self.deliver is not None:
            self.deliver(effects)

    async def about(self) -> About:
        size = _SIZE["sqlite" if self.embedded else "postgresql"]
        async with self.read() as session:
            revision = await session.scalar(text(f"SELECT version_num FROM {_VERSION}"))  # noqa: S608  (its own name)
            return About(
                "sqlite" if self.embedded else "postgresql", await session.scalar(text(size)) or 0, revision or ""
            )

    async def together(self, work: Work[T], *, prepare: Prepare | None = None, key: object = None) -> T:
        """A small write that shares its transaction with others (groupcommit), committed when this returns."""
        return await self.group.run(work, prepare=prepare, key=key)

    async def close(self) -> None:
        await self.group.close()
        await self._writer.dispose()
        await self._reader.dispose()


def after_commit(session: AsyncSession, effect: object) -> None:
    """Have ``effect`` delivered once this session's transaction is committed."""
    session.info.setdefault("after_commit", []).append(effect)


def append(session: AsyncSession, table: type[Base], row: dict[str, Any], *, replace: bool = False) -> None:
    """Insert a row that this transaction does not read again, just before its commit and together with others of its
    table: many at once cost a tenth of what they cost as objects. With ``replace`` it takes the place of a row with
    its primary key."""
    session.info.setdefault("append", {}).setdefault((table, replace), []).append(row)


async def _insert_appended(session: AsyncSession) -> None:
    appended = session.info.pop("append", {})
    if appended:
        await session.flush()  # what the rows refer to comes first
    for (table, replace), rows in appended.items():
        values = frozenset(rows[0]) if replace else frozenset()
        await session.execute(_insert_into(table, session.get_bind().dialect.name, values), rows)


@functools.cache
def _insert_into(table: type[Base], dialect: str, replaced: frozenset[str]) -> Insert:
    """With columns that are ``replaced`` where a row with this primary key is there."""
    insert: Any = (sqlite if dialect == "sqlite" else postgresql).insert(table.__table__)
    if replaced:
        keys = [column.name for column in table.__table__.primary_key]
        values = {name: insert.excluded[name] for name in sorted(replaced.difference(keys))}
        insert = insert.on_conflict_do_update(index_elements=keys, set_=values)
    return cast(Insert, insert)


def utcnow() -> datetime:
    return datetime.now(UTC)


def database_url(configured: str | None, data_dir: Path) -> str:
    """The URL with its async driver: the configured one, or SQLite in the data directory."""
    if configured is None:
        return f"sqlite+aiosqlite:///{data_dir / 'visionai.sqlite3'}"
    for prefix in ("postgres://", "postgresql://"):
        if configured.startswith(prefix):
            return "postgresql+asyncpg://" + configured.removeprefix(prefix)
    return configured


def migrate(url: str) -> None:
    """Bring the database to the newest revision. An embedded one is copied first if it has anything to migrate."""
    engine = create_engine(url.replace("+aiosqlite", "").replace("+asyncpg", ""))
    if engine.dialect.name == "sqlite":  # whose driver would otherwise commit at each CREATE TABLE
        event.listen(engine, "connect", lambda connection, _record: setattr(connection, "isolation_level", None))
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        revision = _revision(engine)
        if revision != newest_revision():
            _upgrade(engine, revision)
    finally:
        engine.dispose()


def refuse_unusable(url: str) -> None:
    """Raises SettingsError for an embedded database that is damaged, of a newer release, or without what it should
    have: with one of these the app would start, and nothing would work."""
    file = Path(make_url(url).database or "")
    if not url.startswith("sqlite") or not file.exists():
        return
    copies = sorted(str(copy) for copy in file.parent.glob(f"{file.name}.before-*"))
    restore = f"put back a copy ({', '.join(copies)})" if copies else "put back a copy, if you have one"
    try:
        with closing(sqlite3.connect(file)) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            versions = connection.execute("SELECT version_num FROM alembic_version") if _VERSION in tables else []
            revision = next((version for (version,) in versions), "")
    except sqlite3.DatabaseError as e:
        raise SettingsError(f"{file} cannot be read ({e}): {restore}, or name another DATA_DIR.") from e
    if revision > (newest := newest_revision()):
        raise SettingsError(
            f"{file} was written by a newer VisionAI (its schema is {revision}, this one knows {newest}): use that "
            f"version, or {restore} and lose what came after it."
        )
    if revision == newest and (missing := sorted(Base.metadata.tables.keys() - tables)):
        raise SettingsError(f"{file} lacks {', '.join(missing)}, although its schema is {revision}: {restore}.")


def newest_revision() -> str:
    """By the names of the files, which begin with it: Alembic itself takes 0.15 s to say, of every start."""
    return max(file.name for file in (_migrations() / "versions").glob("*_*.py")).partition("_")[0]


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not inspect(connection).has_table(_VERSION):
            return None
        revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return revision


def _upgrade(engine: Engine, revision: str | None) -> None:
    from alembic import command  # noqa: PLC0415  (needed where there is something to migrate)
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_migrations()).replace("%", "%%"))
    if engine.dialect.name == "sqlite" and revision is not None:
        _copy_before(engine, revision)
    with engine.begin() as connection:  # all of it or nothing
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _copy_before(engine: Engine, revision: str) -> None:
    with closing(engine.raw_connection()) as connection:  # no transaction: SQLite refuses a checkpoint within one
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    file = Path(engine.url.database or "")
    shutil.copy2(file, file.with_name(f"{file.name}.before-{revision}"))


def _migrations() -> Path:
    shipped = Path(__file__).parent / "migrations"  # in the wheel
    return shipped if shipped.is_dir() else Path(__file__).parents[2] / "migrations"


def _sqlite(url: str, *, pool_size: int, begin: str, query_only: str) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=60,
        connect_args={"isolation_level": None},
        **JSON_COLUMNS,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=60000", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.execute(f"PRAGMA query_only={query_only}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin_explicitly(connection: Any) -> None:
        connection.exec_driver_sql(begin)  # the driver itself opens none for a SELECT

    return engine
