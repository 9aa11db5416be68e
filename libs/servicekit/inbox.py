"""The inbox: an event's effect happens once, however often the broker delivers it.

An `Ear` joins a listener of the topology to its effect; `attach` puts it on the bus.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import insert, select
from sqlmodel import Session

from libs.contracts.event import Envelope
from libs.contracts.topology import Listener
from libs.servicekit.broker import Bus, listen
from libs.servicekit.db import Database, now
from libs.servicekit.tables import inbox


class Ear(NamedTuple):
    """A listener, and what an event does to the service: `effect` writes into the transaction it is given."""

    listener: Listener
    effect: Callable[[Session, Envelope[Any]], None]


def attach(ear: Ear, bus: Bus, db: Database) -> None:
    """Have the effect of every event in one transaction with its note in the inbox; before the bus starts."""

    @listen(bus, ear.listener)
    def hear(event: Envelope[Any]) -> None:
        with db.transaction() as session:
            if first_time(session, ear.listener.name, event.id):
                ear.effect(session, event)


def first_time(session: Session, consumer: str, event_id: str) -> bool:
    """Note the event in the caller's transaction; False when its effect is already there.

    Two deliveries at once collide on the primary key: the later transaction fails and is delivered again.
    """
    seen = select(inbox.c.event_id).where(inbox.c.consumer == consumer, inbox.c.event_id == event_id)
    if session.execute(seen).first():
        return False
    session.execute(insert(inbox).values(consumer=consumer, event_id=event_id, at=now()))
    return True
