"""Placements become approved bookings, a few children in one transaction, each child once.

What cannot be booked, since the offer is gone or was filled otherwise, is logged and stays a placement without a booking.
"""

from collections.abc import Sequence
from functools import partial

import structlog
from sqlmodel import Session, col, select

from libs.servicekit.batches import each_apart
from libs.servicekit.errors import UseCaseError
from services.offers.allocation import queries
from services.offers.allocation.models import Activity, Period, WishingChild
from services.offers.bookings import commands as bookings
from services.offers.bookings.domain import Wish
from services.offers.bookings.messages import Desk
from services.offers.offers.models import Offer
from services.offers.places import queries as stocks
from services.offers.sessions import queries as sessions
from services.offers.sessions.domain import day_begins, day_ends

AT_ONCE = 10
MOST_DATES = 50

log = structlog.get_logger(__name__)


def book_some(session: Session, desk: Desk) -> int:
    """Book for the next children with a place; returns how many these were."""
    open_ = col(WishingChild.booked).is_(False), col(WishingChild.placed) > 0
    query = select(WishingChild).where(*open_).order_by(WishingChild.id).limit(AT_ONCE)
    children = session.exec(query.with_for_update(skip_locked=True)).all()
    _hold_offers(session, children)
    return each_apart(session, "offers.allocation", children, partial(_book, session, desk))


def _book(session: Session, desk: Desk, child: WishingChild) -> None:
    recipient = queries.wishlist(session, child.wishlist_id).recipient_id
    child.answers = [_with_booking(session, desk, child, recipient, answer) for answer in child.answers]
    child.booked = True


def _hold_offers(session: Session, children: Sequence[WishingChild]) -> None:
    """All at once and in one order: a booking that comes between would wait for us, and we for it."""
    wanted = {str(answer["activity"]) for child in children for answer in child.answers if answer["activity"]}
    offers = session.exec(select(Activity.offer_id).where(col(Activity.id).in_(wanted)).distinct())
    query = select(Offer.id).where(col(Offer.id).in_(offers.all())).order_by(Offer.id)
    session.exec(query.with_for_update()).all()


def _with_booking(
    session: Session, desk: Desk, child: WishingChild, recipient: str, answer: dict[str, object]
) -> dict[str, object]:
    activity = answer["activity"] and session.get(Activity, answer["activity"])
    if not isinstance(activity, Activity):
        return answer
    try:
        with session.begin_nested():
            wish = Wish(session_ids=_dates(session, desk, activity))
            booking = bookings.place(session, desk, activity.offer_id, recipient, wish)
    except UseCaseError as error:
        log.warning(
            "placement without a booking", child=child.id, offer=activity.offer_id, reason=error.detail
        )
        return answer
    return {**answer, "booking": booking.id}


def _dates(session: Session, desk: Desk, activity: Activity) -> list[str]:
    """The dates to book: the activity's own, else all of its offer within the slot, none where it is booked as a whole."""
    own = stocks.own(session, activity.offer_id)
    if own is not None and own.limited:
        return []
    if activity.session_id is not None:
        return [activity.session_id]
    if not sessions.any_of(session, activity.offer_id):
        return []
    period = queries.period(session, activity.period_id)
    return _within(session, desk, period, activity)


def _within(session: Session, desk: Desk, period: Period, activity: Activity) -> list[str]:
    slot = next(slot for slot in period.slotted if slot.name == activity.slot)
    since, before = day_begins(slot.start, desk.zone), day_ends(slot.end, desk.zone)
    found = sessions.page(session, activity.offer_id, MOST_DATES, None, since, before)
    return [date.id for date in found if date.status == "scheduled"][:MOST_DATES]
