"""The database: migrations that meet, transactions that are whole, instants that keep their zone."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError
from sqlmodel import select

from libs.servicekit.db import Database
from libs.servicekit.outages import is_database_outage
from tests.servicekit.probe.service import MIGRATIONS, Note


def texts(db: Database) -> list[str]:
    with db.reading() as session:
        return list(session.exec(select(Note.text).order_by(Note.text)))


def test_migrating_again_changes_nothing(db: Database) -> None:
    with db.transaction() as session:
        session.add(Note(text="kept"))
    db.migrate(MIGRATIONS)
    assert texts(db) == ["kept"]
    assert {"note", "outbox", "inbox", "lease", "idempotency"} <= set(inspect(db.engine).get_table_names())


def test_many_first_openers_wait_for_each_other(tmp_path: Path) -> None:
    """Who switches a new SQLite file to its journal is alone with it for a moment."""
    for number in range(30):
        openers = [Database(f"sqlite:///{tmp_path / str(number)}") for _ in range(4)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(Database.ping, openers))
        for db in openers:
            db.dispose()


def test_many_starters_migrate_an_empty_database_once(database_url: str) -> None:
    starters = [Database(database_url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda db: db.migrate(MIGRATIONS), starters))
    assert texts(starters[0]) == []
    for db in starters:
        db.dispose()


def test_a_transaction_is_kept_as_a_whole_or_not_at_all(db: Database) -> None:
    with db.transaction() as session:
        session.add_all([Note(text="a"), Note(text="b")])
    with pytest.raises(ValueError, match="no"), db.transaction() as session:
        session.add(Note(text="c"))
        session.flush()
        raise ValueError("no")
    assert texts(db) == ["a", "b"]


def test_reading_keeps_nothing(db: Database) -> None:
    with db.reading() as session:
        session.add(Note(text="lost"))
        session.flush()
    assert texts(db) == []


def test_writers_wait_for_each_other(db: Database) -> None:
    """A read and the write it leads to must not be torn apart, or one of two updates is lost."""
    with db.transaction() as session:
        session.add(Note(id=1, text="counter"))

    def count(_: int) -> None:
        with db.transaction() as session:
            note = session.exec(select(Note).where(Note.id == 1).with_for_update()).one()
            note.version += 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(40)))
    with db.reading() as session:
        assert session.get_one(Note, 1).version == 41


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=2))])
def test_an_instant_comes_back_as_utc(db: Database, zone: timezone) -> None:
    instant = datetime(2026, 6, 1, 12, 30, 15, 123456, tzinfo=zone)
    with db.transaction() as session:
        session.add(Note(id=1, text="t", at=instant))
    with db.reading() as session:
        kept = session.get_one(Note, 1).at
    assert kept == instant
    assert kept.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("statement", "outage"),
    [("SELECT nothing FROM note", False), ("SELEKT", False), ("SELECT * FROM nothing", False)],
)
def test_what_was_asked_wrongly_is_no_outage(db: Database, statement: str, outage: bool) -> None:
    with pytest.raises(DBAPIError) as failure, db.reading() as session:
        session.execute(text(statement))
    assert is_database_outage(failure.value) is outage


def test_a_database_that_is_not_there_is_an_outage(tmp_path: Path) -> None:
    (tmp_path / "folder.db").mkdir()
    for url in ("postgresql://127.0.0.1:9/none", f"sqlite:///{tmp_path / 'folder.db'}"):
        db = Database(url)
        with pytest.raises(DBAPIError) as failure:
            db.ping()
        assert is_database_outage(failure.value)
        db.dispose()


def test_a_full_disk_and_a_lost_race_are_outages() -> None:
    full, race, wrong = (
        sqlite3.OperationalError("full"),
        psycopg.errors.DeadlockDetected(),
        psycopg.errors.UndefinedTable(),
    )
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    assert is_database_outage(OperationalError("", None, full))
    assert is_database_outage(OperationalError("", None, race))
    assert not is_database_outage(ProgrammingError("", None, wrong))
