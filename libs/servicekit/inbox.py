"""The inbox: an event's effect happens once, however often the broker delivers it, and never goes back in time."""

from typing import Any, NamedTuple

from sqlmodel import Session

from libs.servicekit.db import INSERTS, dialect_of, now
from libs.servicekit.tables import inbox, seen


class _Statements(NamedTuple):
    first_time: Any
    newer: Any


def _statements(insert: Any) -> _Statements:
    first = insert(inbox).on_conflict_do_nothing().returning(inbox.c.event_id)
    entry = insert(seen)
    entry = entry.on_conflict_do_update(
        index_elements=["consumer", "thing"],
        set_={"version": entry.excluded.version},
        where=seen.c.version < entry.excluded.version,
    )
    return _Statements(first, entry.returning(seen.c.version))


# Made once: every event passes here.
_OF = {dialect: _statements(insert) for dialect, insert in INSERTS.items()}


def first_time(session: Session, consumer: str, event_id: str) -> bool:
    """Note the event in the caller's transaction; False when its effect is already there.

    Of two deliveries at once the later waits for the earlier one's transaction.
    """
    row = {"consumer": consumer, "event_id": event_id, "at": now()}
    return session.execute(_OF[dialect_of(session)].first_time, row).first() is not None


def newer(session: Session, consumer: str, thing: str, version: int) -> bool:
    """Note a thing's version in the caller's transaction; False when this one or a later one is known already.

    The guard of a read model: events of one thing may arrive in any order, and again from STATE.
    """
    row = {"consumer": consumer, "thing": thing, "version": version}
    return session.execute(_OF[dialect_of(session)].newer, row).first() is not None
