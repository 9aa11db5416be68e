"""Retention: rows of the kit's own tables that are of no more use are deleted."""

from sqlalchemy import delete, select, text

from libs.servicekit.db import Database, now
from libs.servicekit.tables import KEPT, outbox

BATCH = 500


def clean(db: Database) -> None:
    """Drop what is of no more use; the outbox in small steps, so that nobody waits for all of it."""
    with db.transaction() as session:
        for since, length in KEPT.items():
            if since.table is not outbox:
                session.execute(delete(since.table).where(since < now() - length))
    ids = [0]
    while ids := _useless(db, ids[-1]):
        with db.transaction() as session:
            session.execute(delete(outbox).where(outbox.c.id.in_(ids)))


def _useless(db: Database, after: int) -> list[int]:
    newer = outbox.alias("newer")
    followed = select(newer.c.id).where(newer.c.thing == outbox.c.thing, newer.c.id > outbox.c.id)
    replaced = followed.where(text("newer.subject LIKE 'city.%'")).exists()
    due = outbox.c.sent_at < now() - KEPT[outbox.c.sent_at]
    query = select(outbox.c.id).where(
        outbox.c.id > after, due, outbox.c.subject.not_like("city.%") | replaced
    )
    with db.reading() as session:
        return list(session.execute(query.order_by(outbox.c.id).limit(BATCH)).scalars())
