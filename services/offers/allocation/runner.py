"""What allocation does of its own accord, one process at a time: open and close periods when their time has come, give
out places as ordered, turn them into bookings, erase what families wrote when the board's time for keeping it is over."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog

from libs.httpkit.app import Kit
from libs.servicekit.db import AWAY, Database, now
from libs.servicekit.lease import Lease
from services.offers.allocation import commands, drawing, placing, queries, wishlists
from services.offers.allocation.models import Period
from services.offers.allocation.wishlists import Signer
from services.offers.bookings.messages import Desk, desk_of
from services.offers.links import Links, links_of

POLL_SECONDS = 1.0
USE = "wishlist"

log = structlog.get_logger(__name__)


def signer(links: Links) -> Signer:
    """Signs links to wish lists, which open them as long as they are kept."""

    def sign(period: Period, wishlist_id: str) -> str:
        end = datetime.combine(period.erase_on + timedelta(days=1), time.min, UTC)
        return links.sign(USE, wishlist_id, end)

    return sign


async def run(kit: Kit) -> None:
    """Do what is due, as long as the service runs."""
    lease = Lease(kit.database, "offers.allocation")
    zone, sign = ZoneInfo(kit.settings.town["timezone"]), signer(links_of(kit.settings))
    desk = desk_of(kit.settings)
    while True:
        if await asyncio.to_thread(lease.hold):
            await asyncio.to_thread(_round, kit.database, zone, sign)
        while await asyncio.to_thread(lease.hold) and await asyncio.to_thread(_book_some, kit.database, desk):
            pass
        await asyncio.sleep(POLL_SECONDS)


def _round(db: Database, zone: ZoneInfo, sign: Signer) -> None:
    at = now()
    with db.reading() as session:
        turning, ordered = queries.turning(session, at), queries.ordered(session)
        stale = queries.to_erase(session, at.astimezone(zone).date())
    for period_id in turning:
        with db.transaction() as session:
            commands.keep_time(session, queries.locked(session, period_id), at)
    for period_id in ordered:
        _carry_out(db, period_id, sign, at.astimezone(zone).date())
    for period_id in stale:
        with db.transaction() as session:
            wishlists.erase(session, period_id)


def _book_some(db: Database, desk: Desk) -> bool:
    with db.transaction() as session:
        return placing.book_some(session, desk) > 0


def _carry_out(db: Database, period_id: str, sign: Signer, today: date) -> None:
    started = now()
    try:
        with db.transaction() as session:
            drawing.carry_out(session, period_id, sign, today)
    except AWAY:
        raise  # the job starts anew
    except Exception as error:
        log.error("allocation failed", id=period_id, exc_info=error)
        with db.transaction() as session:
            commands.fail(session, period_id, str(error) or type(error).__name__)
        return
    log.info("allocation done", id=period_id, seconds=(now() - started).total_seconds())
