"""What happens to bookings by time alone: deadlines, the line, the end of retention."""

from collections.abc import Iterator

from sqlmodel import Session

from libs.servicekit.db import Database, now
from libs.servicekit.kit import Kit
from libs.servicekit.periodic import one_by_one
from services.offers.bookings import following, queries
from services.offers.bookings.messages import Desk, desk_of
from services.offers.bookings.steps import is_closed

AT_ONCE = 200


def answer_due(kit: Kit) -> Iterator[None]:
    """Do what is due by now."""
    return sweep(kit.database, desk_of(kit.settings))


def sweep(db: Database, desk: Desk) -> Iterator[None]:
    """Expire, move up, forget; each booking in a transaction of its own."""
    with db.reading() as session:
        overdue = queries.overdue(session, now(), AT_ONCE)
        lines = lines_due(session, desk)
        forgettable = queries.forgettable(session, now(), AT_ONCE)
    yield from one_by_one(db, overdue, lambda session, each: following.expire(session, desk, each))
    yield from one_by_one(db, lines, lambda session, each: following.advance(session, desk, each))
    yield from one_by_one(db, forgettable, lambda session, each: following.forget(session, desk, each))


def lines_due(session: Session, desk: Desk) -> list[str]:
    """The offers in whose line somebody's time is over, or somebody fits whose turn it is; others are not touched."""
    due, shut = dict[str, None](), set[str]()
    for waiting in queries.in_line(session):
        offer = waiting.offer
        if offer.id in due or offer.id in shut:
            continue
        rules = queries.rules_or_none(session, offer) or queries.retention(session, offer)
        if waiting.fits or is_closed(desk, offer, rules, waiting.starts_at):
            due[offer.id] = None
        elif rules.waiting and not rules.waiting.overtake:
            shut.add(offer.id)  # nobody goes before this one
    return list(due)
