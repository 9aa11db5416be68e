"""Writers on SQLite stand in line: a turn ends with its transaction, however that ends."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import select

from libs.servicekit.db import Database
from libs.servicekit.outages import is_database_outage
from libs.servicekit.writers import in_line
from tests.servicekit.probe.service import Note


def write(db: Database) -> None:
    with db.transaction() as session:
        session.add(Note(text="written"))


def texts(db: Database) -> list[str]:
    with db.reading() as session:
        return list(session.exec(select(Note.text)))


def test_who_waits_too_long_to_write_is_told_so(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("libs.servicekit.db.BUSY_SECONDS", 0.05)
    with ThreadPoolExecutor(1) as pool, sqlite.transaction(), pytest.raises(OperationalError) as told:
        pool.submit(write, sqlite).result()
    assert is_database_outage(told.value)
    write(sqlite)
    assert texts(sqlite) == ["written"]


def test_who_rolled_back_keeps_nobody_from_writing(sqlite: Database) -> None:
    """A use case that failed may note why, in a transaction of its own, before the first one's block ends."""
    with sqlite.transaction() as session:
        session.add(Note(text="in vain"))
        session.flush()
        session.rollback()
        write(sqlite)
    assert texts(sqlite) == ["written"]


def test_who_could_not_commit_keeps_nobody_from_writing(sqlite: Database) -> None:
    """Nobody rolls back behind a commit that failed, such as on a full disk or over a key that is checked at the end."""
    with sqlite.transaction() as session:
        session.execute(
            text("CREATE TABLE page (note INTEGER REFERENCES note(id) DEFERRABLE INITIALLY DEFERRED)")
        )
    with pytest.raises(IntegrityError), sqlite.transaction() as session:
        session.execute(text("INSERT INTO page VALUES (4711)"))
    write(sqlite)
    assert texts(sqlite) == ["written"]


def test_a_connection_that_is_closed_ends_its_turn() -> None:
    connect = in_line()
    one, other = connect(":memory:"), connect(":memory:")
    assert one.take_turn(0)  # type: ignore[attr-defined]
    assert not other.take_turn(0)  # type: ignore[attr-defined]
    one.close()
    assert other.take_turn(0)  # type: ignore[attr-defined]
