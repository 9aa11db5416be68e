"""What the outbox holds of facts that were published: the newest of each thing, and whose event one is."""

from sqlalchemy import update

from libs.publishing import published
from libs.servicekit.db import Database, now
from libs.servicekit.tables import outbox as table
from tests.publishing.test_relay import tell


def test_the_newest_fact_of_each_thing_stands_for_it(db: Database) -> None:
    for thing, version in (("a", 1), ("b", 1), ("a", 2)):
        tell(db, thing, version)
    things = ["provider.a", "provider.b", "provider.c"]
    with db.reading() as session:
        newest = published.newest(session, things)
        assert {thing: row.version for thing, row in newest.items()} == {"provider.a": 2, "provider.b": 1}
        assert published.newest_after(session, 0) == [], "nothing was sent"
    assert published.newest_sent(db) is None
    assert published.is_ours(db, newest["provider.a"].event_id)
    assert not published.is_ours(db, "another")


def test_what_was_sent_is_published_again_and_nothing_else(db: Database) -> None:
    for version in (1, 2, 3):
        tell(db, "a", version)
    with db.transaction() as session:
        session.execute(update(table).where(table.c.version < 3).values(sent_at=now()))
    with db.transaction() as session:
        ids = published.from_there_on(session, {"provider.a": 2})
        assert published.publish_again(session, ids) == 1, "the third was never sent"
