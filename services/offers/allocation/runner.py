"""What allocation does of its own accord: open and close periods when their time has come, give out places as ordered,
turn them into bookings, erase what families wrote when the board's time for keeping it is over."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog

from libs.servicekit.db import Database, now
from libs.servicekit.kit import Kit
from libs.servicekit.links import Links, links_of
from libs.servicekit.outages import is_database_outage
from libs.servicekit.periodic import in_batches, one_by_one
from services.offers.allocation import commands, drawing, placing, queries, wishlists
from services.offers.allocation.models import Period
from services.offers.allocation.wishlists import Signer
from services.offers.bookings.messages import desk_of

USE = "wishlist"

log = structlog.get_logger(__name__)


def signer(links: Links) -> Signer:
    """Signs links to wish lists, which open them as long as they are kept."""

    def sign(period: Period, wishlist_id: str) -> str:
        end = datetime.combine(period.erase_on + timedelta(days=1), time.min, UTC)
        return links.sign(USE, wishlist_id, end)

    return sign


def allocate(kit: Kit) -> Iterator[None]:
    """Do what is due by now."""
    db, at = kit.database, now()
    sign, today = (
        signer(links_of(kit.settings)),
        at.astimezone(ZoneInfo(kit.settings.town["timezone"])).date(),
    )
    with db.reading() as session:
        turning, ordered = queries.turning(session, at), queries.ordered(session)
        stale = queries.to_erase(session, today)
    yield from one_by_one(
        db, turning, lambda session, each: commands.keep_time(session, queries.locked(session, each), at)
    )
    for period_id in ordered:
        _carry_out(db, period_id, sign, today)
        yield
    yield from one_by_one(db, stale, wishlists.erase)
    desk = desk_of(kit.settings)
    yield from in_batches(db, lambda session: placing.book_some(session, desk))


def _carry_out(db: Database, period_id: str, sign: Signer, today: date) -> None:
    started = now()
    try:
        with db.reading() as session:
            result = drawing.prepare(session, period_id, sign)
        if result is None:
            return
        with db.transaction() as session:
            drawing.carry_out(session, period_id, result, today)
    except Exception as error:
        if is_database_outage(error):
            raise  # the job starts anew
        log.error("allocation failed", id=period_id, exc_info=error)
        with db.transaction() as session:
            commands.fail(session, period_id, str(error) or type(error).__name__)
        return
    log.info("allocation done", id=period_id, seconds=(now() - started).total_seconds())
