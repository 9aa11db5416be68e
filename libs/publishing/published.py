"""What the outbox holds of facts that were published: those of some days, and of each thing the newest for ever.

So the publisher can say at any time what the bus should hold: byte for byte what was told, not what a row says by now.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select, text, update
from sqlmodel import Session

from libs.servicekit.db import Database
from libs.servicekit.tables import outbox

PUBLIC: ColumnElement[bool] = text("subject LIKE 'city.%'")  # type: ignore[assignment]  # as the index says it
BATCH = 500
PAGE = 2000

Published = Row[Any]


def newest(session: Session, things: Sequence[str]) -> dict[str, Published]:
    """The newest public fact of each of these things, without its body; sent or not."""
    last = select(func.max(outbox.c.id)).where(outbox.c.thing.in_(things), PUBLIC, outbox.c.refused.is_(None))
    last = last.group_by(outbox.c.thing)
    columns = (outbox.c.id, outbox.c.thing, outbox.c.event_id, outbox.c.version, outbox.c.sent_at)
    return {row.thing: row for row in session.execute(select(*columns).where(outbox.c.id.in_(last)))}


def newest_after(session: Session, after: int) -> list[Published]:
    """The newest public facts of things whose row is the next in the table; only those that were sent."""
    later = outbox.alias("later")
    followed = select(later.c.id).where(later.c.thing == outbox.c.thing, later.c.id > outbox.c.id)
    followed = followed.where(text("later.subject LIKE 'city.%'"), later.c.refused.is_(None))
    columns = (outbox.c.id, outbox.c.thing, outbox.c.sent_at)
    query = select(*columns).where(outbox.c.id > after, outbox.c.sent_at.is_not(None), ~followed.exists())
    query = query.where(outbox.c.subject.like("city.%"), outbox.c.refused.is_(None))
    return list(session.execute(query.order_by(outbox.c.id).limit(PAGE)))


def version(session: Session, row: Published) -> int:
    """A fact's version; read from its body when it was written by an earlier release."""
    if row.version is not None:
        return int(row.version)
    body = session.execute(select(outbox.c.body).where(outbox.c.id == row.id)).scalar_one()
    return int(json.loads(body)["sequence"])


def from_there_on(session: Session, first: dict[str, int]) -> list[int]:
    """All facts of these things from a row on."""
    things, found = list(first), []
    for start in range(0, len(things), BATCH):
        some = outbox.c.thing.in_(things[start : start + BATCH])
        rows = session.execute(select(outbox.c.id, outbox.c.thing).where(some))
        found += [row.id for row in rows if row.id >= first[row.thing]]
    return sorted(found)


def publish_again(session: Session, ids: Iterable[int]) -> int:
    """Have the relay send these facts once more, in their order; returns how many that were sent before."""
    found, wanted = 0, list(ids)
    again = update(outbox).values(sent_at=None, again=outbox.c.again + 1)
    for start in range(0, len(wanted), BATCH):
        some = outbox.c.id.in_(wanted[start : start + BATCH])
        result = session.execute(again.where(some, outbox.c.sent_at.is_not(None)))
        found += int(result.rowcount)  # type: ignore[attr-defined]
    session.info["events"] = session.info.get("events", 0) + found
    return found


def is_ours(db: Database, event_id: str) -> bool:
    """Whether this database told the event."""
    with db.reading() as session:
        return session.execute(select(outbox.c.id).where(outbox.c.event_id == event_id)).first() is not None


def newest_sent(db: Database) -> Published | None:
    """The public fact that was sent last, whole."""
    query = select(outbox.c.event_id, outbox.c.subject, outbox.c.body, outbox.c.thing)
    query = query.where(outbox.c.sent_at.is_not(None), outbox.c.subject.like("city.%"))
    with db.reading() as session:
        return session.execute(query.order_by(outbox.c.sent_at.desc(), outbox.c.id.desc()).limit(1)).first()
