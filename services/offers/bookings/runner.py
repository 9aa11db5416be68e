"""What happens to bookings by time alone, one process at a time: deadlines, the line, the end of retention."""

import asyncio
from collections.abc import Callable

import structlog
from sqlmodel import Session

from libs.httpkit.app import Kit
from libs.servicekit.db import Database, now
from libs.servicekit.lease import Lease
from services.offers.bookings import following, queries
from services.offers.bookings.messages import Desk, desk_of

log = structlog.get_logger(__name__)
EVERY_SECONDS = 5.0
AT_ONCE = 200


async def run(kit: Kit) -> None:
    """Look again and again for what is due."""
    lease, desk = Lease(kit.database, "offers.bookings"), desk_of(kit.settings)
    while True:
        if await asyncio.to_thread(lease.hold):
            await asyncio.to_thread(sweep, kit.database, desk)
        await asyncio.sleep(EVERY_SECONDS)


def sweep(db: Database, desk: Desk) -> None:
    """Expire, move up, forget; each booking in a transaction of its own."""
    with db.reading() as session:
        overdue = queries.overdue(session, now(), AT_ONCE)
        lines = queries.lines(session)
        forgettable = queries.forgettable(session, now(), AT_ONCE)
    _each(db, overdue, lambda session, thing: following.expire(session, desk, thing))
    _each(db, lines, lambda session, thing: following.advance(session, desk, thing))
    _each(db, forgettable, lambda session, thing: following.forget(session, desk, thing))


def _each(db: Database, things: list[str], effect: Callable[[Session, str], object]) -> None:
    for thing in things:
        try:
            with db.transaction() as session:
                effect(session, thing)
        except Exception as error:  # one that cannot be handled must not keep the others waiting
            log.error("booking left as it is", thing=thing, exc_info=error)
