"""Events that share a transaction: one that fails keeps no other waiting, on either database."""

from collections.abc import Callable

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, select

from libs.contracts.offers import ProviderChanged
from libs.servicekit import turns
from libs.servicekit.db import Database
from libs.servicekit.delivery import Delivered
from libs.servicekit.outages import Transient
from libs.servicekit.turns import in_turns
from tests.servicekit.probe.service import Note
from tests.servicekit.test_subscriptions import body

Effect = Callable[[Session, Delivered], None]


def delivered(thing: str) -> Delivered:
    return Delivered(Msg(Client(), f"city.{ProviderChanged.name}.{thing}", data=body(thing)), "probe")


def noting(*, failing: dict[str, Exception] | None = None) -> tuple[list[str], Effect]:
    """An effect that writes a note for each event, and what it was asked to do."""
    asked = list[str]()

    def effect(session: Session, each: Delivered) -> None:
        thing = each.event.subject
        asked.append(thing)
        session.add(Note(text=thing))
        session.flush()
        if error := (failing or {}).get(thing):
            raise error

    return asked, effect


def noted(db: Database) -> set[str]:
    with db.reading() as session:
        return {note.text for note in session.exec(select(Note))}


def commits(db: Database) -> list[None]:
    found = list[None]()
    event.listen(db.engine, "commit", lambda _: found.append(None))
    return found


def test_what_came_together_shares_a_transaction(db: Database) -> None:
    events, made = [delivered(f"thing-{number}") for number in range(20)], commits(db)
    in_turns(db, events, noting()[1])
    assert len(noted(db)) == 20
    assert len(made) < 20


def test_a_transaction_is_over_before_others_wait_long(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "TURN_SECONDS", 0)
    made = commits(db)
    in_turns(db, [delivered(f"thing-{number}") for number in range(5)], noting()[1])
    assert len(made) == 5


def test_a_bug_takes_back_its_own_event_alone(db: Database) -> None:
    events, bug = [delivered(name) for name in ("a", "b", "c")], KeyError("b")
    in_turns(db, events, noting(failing={"b": bug})[1])
    assert [each.error for each in events] == [None, bug, None]
    assert noted(db) == {"a", "c"}


def test_what_cannot_be_committed_is_found_by_trying_each_by_itself(db: Database) -> None:
    events = [delivered(name) for name in ("a", "b", "c")]

    def effect(session: Session, each: Delivered) -> None:
        session.add(Note(text=each.event.subject))
        if each.event.subject == "b":
            session.info["spoilt"] = True

    def spoil(session: Session) -> None:
        if session.info.get("spoilt") and not session.in_nested_transaction():
            raise ValueError("a rule that shows at the end")

    event.listen(Session, "before_commit", spoil)
    try:
        in_turns(db, events, effect)
    finally:
        event.remove(Session, "before_commit", spoil)
    assert [type(each.error) for each in events] == [type(None), ValueError, type(None)]
    assert noted(db) == {"a", "c"}


def test_once_something_is_away_nothing_more_is_tried(db: Database) -> None:
    events = [delivered(name) for name in ("a", "b", "c", "d")]
    asked, effect = noting(failing={"b": Transient("away")})
    in_turns(db, events, effect)
    assert [type(each.error) for each in events] == [type(None), Transient, Transient, Transient]
    assert asked == ["a", "b", "a", "b"]  # together, then each by itself
    assert noted(db) == {"a"}


def test_an_absent_database_fails_all_of_them(db: Database) -> None:
    events = [delivered(name) for name in ("a", "b")]
    with db.engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    event.listen(db.engine, "begin", away)
    in_turns(db, events, noting()[1])
    assert [type(each.error) for each in events] == [OperationalError, OperationalError]


def away(_connection: object) -> None:
    raise OperationalError("BEGIN", {}, ConnectionRefusedError())
