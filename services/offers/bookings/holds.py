"""What a booking holds: places of its dates, of the whole offer, or an interval of a resource. All of it, or nothing."""

from sqlmodel import Session

from services.offers.bookings import queries
from services.offers.bookings.models import Booking
from services.offers.offers.models import Offer
from services.offers.places import commands as places
from services.offers.slots import commands as slots
from services.offers.slots import queries as slot_queries


def take(session: Session, offer: Offer, booking: Booking, stock_ids: list[str]) -> bool:
    """Take what the booking is about, of these stocks; False when it is not all to be had. Hold the offer first."""
    if booking.slot:
        most = slot_queries.most_of(session, booking.offer_id)
        booking.held = slots.take(session, booking.offer_id, booking.slot, booking.places, most)
    else:
        wanted = dict.fromkeys(stock_ids, booking.places)
        booking.held = bool(wanted) and places.take(session, offer, wanted)
    return booking.held


def release(session: Session, offer: Offer, booking: Booking) -> None:
    """Give back what the booking holds of its offer, once."""
    if not booking.held:
        return
    booking.held = False
    if booking.slot:
        slots.give_back(session, booking.offer_id, booking.slot, booking.places)
    elif held := queries.dates_of(session, booking):
        places.give_back(session, offer, dict.fromkeys(held, booking.places))
