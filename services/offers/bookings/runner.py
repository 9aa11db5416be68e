"""What happens to bookings by time alone: deadlines, the line, the end of retention."""

from collections.abc import Callable, Iterator

import structlog
from sqlmodel import Session

from libs.servicekit.db import Database, now
from libs.servicekit.kit import Kit
from services.offers.bookings import following, queries
from services.offers.bookings.messages import Desk, desk_of

log = structlog.get_logger(__name__)
AT_ONCE = 200


def answer_due(kit: Kit) -> Iterator[None]:
    """Do what is due by now."""
    return sweep(kit.database, desk_of(kit.settings))


def sweep(db: Database, desk: Desk) -> Iterator[None]:
    """Expire, move up, forget; each booking in a transaction of its own."""
    with db.reading() as session:
        overdue = queries.overdue(session, now(), AT_ONCE)
        lines = queries.lines(session)
        forgettable = queries.forgettable(session, now(), AT_ONCE)
    yield from _each(db, desk, overdue, following.expire)
    yield from _each(db, desk, lines, following.advance)
    yield from _each(db, desk, forgettable, following.forget)


def _each(
    db: Database, desk: Desk, things: list[str], effect: Callable[[Session, Desk, str], object]
) -> Iterator[None]:
    for thing in things:
        try:
            with db.transaction() as session:
                effect(session, desk, thing)
        except Exception as error:  # one that cannot be handled must not keep the others waiting
            log.error("booking left as it is", thing=thing, exc_info=error)
        yield
