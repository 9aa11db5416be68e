"""What a board pays towards a booking: promised when it is asked for, for good when approved, given back when it ends."""

from sqlmodel import Session

from libs.servicekit.db import now
from services.offers.boards import queries as boards
from services.offers.bookings.domain import Status
from services.offers.bookings.messages import Desk
from services.offers.bookings.models import Booking
from services.offers.funding import commands as funding
from services.offers.funding import queries as funding_queries
from services.offers.funding.domain import HELD, Funding
from services.offers.offers.domain import price_of
from services.offers.offers.models import Offer


def follow(session: Session, desk: Desk, booking: Booking) -> dict[str, int]:
    """Let the grant follow the state that a booking came into; returns the figure that its requester is told."""
    if booking.status in (Status.WAITING, Status.OFFERED):
        return {}
    if booking.status in (Status.PENDING, Status.APPROVED):
        _promise(session, desk, booking)
        if booking.status == Status.APPROVED:
            funding.settle(session, booking.id)
    else:
        funding.release(session, booking.id)
    grant = funding_queries.grant(session, booking.id)
    return {} if grant is None else {"granted_cents": grant.cents if grant.state in HELD else 0}


def _promise(session: Session, desk: Desk, booking: Booking) -> None:
    rules = boards.declaration(session, booking.board).funding
    if rules is None:
        return
    offer = session.get_one(Offer, booking.offer_id)
    on = (booking.starts_at or now()).astimezone(desk.zone).date()
    price, beside = price_of(offer.said, booking.places), _accompanying(rules, booking)
    funding.reserve(
        session,
        booking.board,
        booking.id,
        booking.places,
        price,
        on,
        accompanying=beside,
        group=booking.recipient_id,
    )


def _accompanying(rules: Funding, booking: Booking) -> int:
    """How many come along, where the board counts them by a number of its form."""
    count = (booking.form or {}).get(rules.accompanied_by or "", 0)
    return count if isinstance(count, int) else 0
