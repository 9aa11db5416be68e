"""The inbox: an event's effect happens once, however often the broker delivers it."""

from sqlalchemy import insert, select
from sqlmodel import Session

from libs.servicekit.db import now
from libs.servicekit.tables import inbox


def first_time(session: Session, consumer: str, event_id: str) -> bool:
    """Note the event in the caller's transaction; False when its effect is already there.

    Two deliveries at once collide on the primary key: the later transaction fails and is delivered again.
    """
    seen = select(inbox.c.event_id).where(inbox.c.consumer == consumer, inbox.c.event_id == event_id)
    if session.execute(seen).first():
        return False
    session.execute(insert(inbox).values(consumer=consumer, event_id=event_id, at=now()))
    return True
