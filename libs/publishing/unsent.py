"""What of the outbox waits to be sent, in the order in which it may be."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from prometheus_client import Gauge
from sqlalchemy import ColumnElement, Row, func, select, true

from libs.servicekit.db import Database, now
from libs.servicekit.tables import ahead, outbox

BATCH = 2000
IN_FLIGHT = 200

BACKLOG = Gauge("outbox_backlog", "Events committed and not yet acknowledged by the broker")
OLDEST = Gauge("outbox_oldest_seconds", "Age of the oldest event that waits in the outbox")
_UNSENT = outbox.c.sent_at.is_(None) & outbox.c.refused.is_(None)


def unsent(db: Database, after: int = 0) -> Sequence[Row[Any]]:
    """The next of the outbox behind a row, of things that may be told; none whose thing has an earlier one waiting."""
    columns = (outbox.c.id, outbox.c.event_id, outbox.c.subject, outbox.c.thing, outbox.c.body)
    query = (
        select(*columns, outbox.c.traceparent, outbox.c.created_at, outbox.c.version, outbox.c.again)
        .where(_UNSENT, outbox.c.id > after, outbox.c.thing.not_in(select(ahead.c.thing)), _first(after))
        .order_by(outbox.c.id)
        .limit(BATCH)
    )
    with db.reading() as session:
        rows = session.execute(query).all()
        backlog = len(rows)
        if backlog == BATCH:
            waiting = select(func.count()).select_from(outbox).where(_UNSENT)
            backlog = session.execute(waiting).scalar_one()
    if not after:
        BACKLOG.set(backlog)
        OLDEST.set((now() - rows[0].created_at).total_seconds() if rows else 0)
    return rows


def _first(after: int) -> ColumnElement[bool]:
    """Nothing of the same thing waits up to there. What does was committed behind the reader's back, with an earlier id
    than others that were read already: PostgreSQL gives ids out before commits. It goes first, the next time."""
    if not after:
        return true()
    earlier = outbox.alias("earlier")
    waits = select(earlier.c.id).where(earlier.c.thing == outbox.c.thing, earlier.c.id <= after)
    return ~waits.where(earlier.c.sent_at.is_(None), earlier.c.refused.is_(None)).exists()


def waves(rows: Iterable[Row[Any]], size: int = IN_FLIGHT) -> Iterator[list[Row[Any]]]:
    """Cut rows into groups that may be under way together: never two facts of one thing.

    A fact that fails must not be overtaken by a later one of the same thing, or STATE would keep the older.
    """
    wave: list[Row[Any]] = []
    things: set[object] = set()
    for row in rows:
        if row.thing in things or len(wave) == size:
            yield wave
            wave, things = [], set()
        wave.append(row)
        things.add(row.thing)
    if wave:
        yield wave
