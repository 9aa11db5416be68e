"""Many in one transaction: one that cannot be handled is left as it is, and an outage ends the work."""

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, select

from libs.servicekit.batches import LEFT, each_apart
from libs.servicekit.db import Database
from tests.servicekit.probe.service import Note, write


def noted(db: Database) -> dict[str, int]:
    with db.reading() as session:
        return {note.text: note.version for note in session.exec(select(Note))}


def bump(session: Session, note: Note) -> None:
    write(session, f"{note.text}!")
    note.version += 1
    session.flush()
    if note.text == "bad":
        raise ValueError("cannot be handled")


def test_one_that_fails_leaves_nothing_behind_and_keeps_no_other_waiting(db: Database) -> None:
    with db.transaction() as session:
        session.add_all([Note(text=text) for text in ("a", "bad", "c")])
    left = LEFT.labels("probe")._value.get()
    with db.transaction() as session:
        notes = session.exec(select(Note).order_by(Note.text)).all()
        assert each_apart(session, "probe", notes, lambda note: bump(session, note)) == 2
    assert noted(db) == {"a": 2, "a!": 1, "bad": 1, "c": 2, "c!": 1}
    assert LEFT.labels("probe")._value.get() == left + 1


def test_an_outage_ends_the_work(db: Database) -> None:
    def away(_note: Note) -> None:
        raise OperationalError("SELECT 1", None, ConnectionError("away"))

    with db.reading() as session, pytest.raises(OperationalError):
        each_apart(session, "probe", [Note(text="a")], away)
