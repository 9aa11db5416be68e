"""The inbox: an event's effect happens once, however often the broker delivers it, and never goes back in time."""

from sqlalchemy import insert, select
from sqlmodel import Session

from libs.servicekit.db import insert_into, now
from libs.servicekit.tables import inbox, seen


def first_time(session: Session, consumer: str, event_id: str) -> bool:
    """Note the event in the caller's transaction; False when its effect is already there.

    Two deliveries at once collide on the primary key: the later transaction fails and is delivered again.
    """
    known = select(inbox.c.event_id).where(inbox.c.consumer == consumer, inbox.c.event_id == event_id)
    if session.execute(known).first():
        return False
    session.execute(insert(inbox).values(consumer=consumer, event_id=event_id, at=now()))
    return True


def newer(session: Session, consumer: str, thing: str, version: int) -> bool:
    """Note a thing's version in the caller's transaction; False when this one or a later one is known already.

    The guard of a read model: events of one thing may arrive in any order, and again from STATE.
    """
    row = {"consumer": consumer, "thing": thing, "version": version}
    statement = insert_into(session, seen).values(row)
    statement = statement.on_conflict_do_update(
        index_elements=["consumer", "thing"], set_={"version": version}, where=seen.c.version < version
    )
    return session.execute(statement.returning(seen.c.version)).first() is not None
