"""What is kept beside a thing's row goes with it, and with time, whether or not the broker is there."""

from datetime import timedelta

from fastapi.testclient import TestClient
from sqlalchemy import func, insert, select
from uuid_utils import uuid7

from libs.servicekit import erasure
from libs.servicekit.db import Database, now
from libs.servicekit.tables import KEPT, idempotency, inbox, outbox
from tests.servicekit.conftest import settings
from tests.servicekit.probe import service as probe
from tests.waiting import until

GONE, OTHER = str(uuid7()), str(uuid7())


def fill(db: Database, days: int = 0) -> None:
    """An answer and a sent message of each of two things, a message that waits, a public fact, an event heard."""
    at = now() - timedelta(days=days)
    with db.transaction() as session:
        for thing in (GONE, OTHER):
            body = f'{{"id":"{thing}","token":"t"}}'.encode()
            row = {"key": f"{thing} {days}", "fingerprint": "f", "at": at, "body": body}
            session.execute(insert(idempotency).values(row))
            for subject, sent in (
                ("internal.notify.x", at),
                ("internal.notify.x", None),
                ("city.offers.x", at),
            ):
                sending = {"event_id": str(uuid7()), "subject": subject, "thing": "x", "body": body}
                session.execute(insert(outbox).values(**sending, created_at=at, sent_at=sent))
        session.execute(insert(inbox).values(consumer="x", event_id=str(uuid7()), at=at))


def held(db: Database) -> list[int]:
    with db.reading() as session:
        tables = (idempotency, outbox, inbox)
        return [session.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]


def test_answers_and_sent_messages_go_with_their_thing(db: Database) -> None:
    fill(db)
    with db.transaction() as session:
        erasure.forget(session, GONE)
    assert held(db) == [1, 5, 1], "what waits to be sent, and what is public, stays"


def test_what_is_old_goes_while_the_broker_is_away(sqlite: Database) -> None:
    fill(sqlite, days=31)
    fill(sqlite)
    assert max(KEPT.values()) < timedelta(days=31)
    away = settings(sqlite.engine.url.render_as_string(False), nats_url="nats://127.0.0.1:9")
    with TestClient(probe.make(away)):
        until(lambda: held(sqlite) == [2, 8, 1])
