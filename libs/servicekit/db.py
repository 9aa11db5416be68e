"""A service's database: SQLite (WAL) or PostgreSQL by URL, one transaction per request or event, migrations.

`transaction` is the only place that commits.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, DateTime, Dialect, Engine, TypeDecorator, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from libs.servicekit.writers import in_line

MIGRATIONS = Path(__file__).parent / "migrations"
MIGRATION_LOCK = 727_201
# Alembic keeps the migration that runs in a global of the process.
_migrating = threading.Lock()
SWITCH_SECONDS = 30.0

# How long one writer waits for another on SQLite.
BUSY_SECONDS = 30
# How long a database may take to answer the first word; a frozen one never does.
CONNECT_SECONDS = 5


class UtcDateTime(TypeDecorator[datetime]):
    """An instant, kept as UTC; SQLite forgets the time zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """UTC, whatever zone the caller spoke in."""
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """UTC, whatever the database answered."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def now() -> datetime:
    """This instant, UTC."""
    return datetime.now(UTC)


def leave_work(session: Session) -> None:
    """What this transaction writes is something for a job of this process to do: it need not wait for its next round."""
    session.info["work"] = True


# An INSERT that can say what is to happen on a conflict, by dialect.
INSERTS: dict[str, Callable[[Any], Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def dialect_of(session: Session) -> str:
    """The words of the session's database: a key of INSERTS."""
    return session.get_bind().dialect.name


def insert_into(session: Session, table: Any) -> Any:
    """An INSERT that can say what is to happen on a conflict, in the words of the session's database."""
    return INSERTS[dialect_of(session)](table)


class Database:
    """An engine and what its sessions carry. `publisher` travels in `session.info` for the outbox."""

    def __init__(self, url: str, publisher: Any = None) -> None:
        self.engine = _engine(url)
        self.publisher = publisher
        self._wakes: list[Callable[[], object]] = []

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One unit of work: all of it is durable when the block ends, nothing of it when the block raises."""
        with self._session(write=True) as session:
            yield session
            session.commit()
        if session.info.get("events") or session.info.get("work"):
            for wake in tuple(self._wakes):
                wake()

    @contextmanager
    def after_commit(self, wake: Callable[[], object]) -> Iterator[None]:
        """Have something called, in any thread, after each transaction that told something or left work behind."""
        self._wakes.append(wake)
        try:
            yield
        finally:
            self._wakes.remove(wake)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A consistent look that changes nothing."""
        with self._session(write=False) as session:
            yield session

    @contextmanager
    def _session(self, *, write: bool) -> Iterator[Session]:
        with Session(self.engine, info={"publisher": self.publisher}, expire_on_commit=False) as session:
            session.connection(execution_options={"write": write})
            yield session

    def ping(self) -> None:
        """Raise sqlalchemy.exc.OperationalError while the database cannot be reached."""
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def migrate(self, folder: Path) -> None:
        """Bring the tables of servicekit and of the service (`folder`) to their newest revision."""
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.set_main_option("version_locations", f"{MIGRATIONS / 'versions'}:{folder}")
        config.set_main_option("path_separator", ":")
        with (
            _migrating,
            self.engine.connect().execution_options(write=True) as connection,
            connection.begin(),
        ):
            _lock_migrations(connection)
            config.attributes["connection"] = connection
            command.upgrade(config, "heads")

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _lock_migrations(connection: Connection) -> None:
    # On SQLite BEGIN IMMEDIATE already keeps a second starter waiting.
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
        arguments = {"connect_timeout": CONNECT_SECONDS}
        return create_engine(
            url,
            pool_pre_ping=True,
            pool_size=10,
            max_overflow=30,
            connect_args=arguments,
            hide_parameters=True,
        )
    Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    connected = {"check_same_thread": False, "factory": in_line()}
    engine = create_engine(url, pool_size=10, max_overflow=30, connect_args=connected, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own BEGIN comes too late for a write lock; `_begin_sqlite` says it instead.
    connection.isolation_level = None
    for pragma in (f"busy_timeout={BUSY_SECONDS * 1000}", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    _switch_to_wal(connection)


def _switch_to_wal(connection: Any) -> None:
    # The first to open a database switches it; SQLite lets nobody wait for that, whatever busy_timeout says.
    deadline = time.monotonic() + SWITCH_SECONDS
    while not _switched(connection):
        if time.monotonic() > deadline:
            raise sqlite3.OperationalError("another process keeps the database from its journal")
        time.sleep(0.01)


def _switched(connection: Any) -> bool:
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError:
        return False
    return True


def _begin_sqlite(connection: Connection) -> None:
    # A reader that becomes a writer would fail at once with "database is locked"; a writer says so first.
    if not connection.get_execution_options().get("write"):
        connection.exec_driver_sql("BEGIN")
        return
    writer: Any = connection.connection.dbapi_connection
    if not writer.take_turn(BUSY_SECONDS):
        raise OperationalError("BEGIN IMMEDIATE", {}, sqlite3.OperationalError("database is locked"))
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    except BaseException:
        writer.end_turn()
        raise
