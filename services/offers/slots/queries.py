"""Reads of slots."""

from datetime import datetime

from sqlmodel import Session, col, select

from libs.town.calendar import Calendar
from services.offers.bookings.domain import BookingRules
from services.offers.offers.models import Offer
from services.offers.places import queries as places
from services.offers.slots.domain import Slot, Use, free_runs, quarters, runs
from services.offers.slots.models import SlotUse


def uses(session: Session, resource_id: str, window: Slot) -> list[Use]:
    """When the resource is in use within a window, and by how many."""
    return runs(list(_taken(session, resource_id, window).items()))


def free(
    session: Session,
    offer: Offer,
    rules: BookingRules | None,
    window: Slot,
    now: datetime,
    calendar: Calendar,
) -> list[Use]:
    """When places of the resource are left within a window, and how many; nothing where it cannot be booked by slot."""
    if rules is None or rules.slots is None:
        return []
    taken, most = _taken(session, offer.id, window), most_of(session, offer.id)
    return free_runs(rules.slots, window, taken, most, offer.said.fields, now, calendar)


def most_of(session: Session, resource_id: str) -> int:
    """How many a resource takes at once; one, unless somebody said otherwise."""
    own = places.own(session, resource_id)
    return 1 if own is None or own.max is None else own.max


def _taken(session: Session, resource_id: str, window: Slot) -> dict[int, int]:
    span = quarters(window)
    query = select(SlotUse.quarter, SlotUse.taken).where(
        SlotUse.resource_id == resource_id, col(SlotUse.quarter).between(span.start, span.stop - 1)
    )
    found = session.exec(query.order_by(col(SlotUse.quarter)))
    return {row[0]: row[1] for row in found}
