"""What a board pays towards a booking: promised when it is asked for, for good when approved, given back when it ends.

Where a request holds no place it holds no money either: whoever asks ten day-care centres would else empty the budget.
"""

from datetime import date

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
from services.offers.slots.domain import billed


def follow(session: Session, desk: Desk, booking: Booking) -> dict[str, int]:
    """Let the grant follow the state that a booking came into; returns the figure that its requester is told."""
    if booking.status in (Status.WAITING, Status.OFFERED):
        return {}
    if booking.status == Status.APPROVED:
        _promise(session, desk, booking)
        funding.settle(session, booking.id)
    elif booking.status == Status.PENDING:
        if _holds(session, booking):
            _promise(session, desk, booking)
    else:
        funding.release(session, booking.id)
    grant = funding_queries.grant(session, booking.id)
    return {} if grant is None else {"granted_cents": grant.cents if grant.state in HELD else 0}


def _promise(session: Session, desk: Desk, booking: Booking) -> None:
    rules = boards.declaration(session, booking.board).funding
    if rules is None:
        return
    offer = session.get_one(Offer, booking.offer_id)
    funding.reserve(
        session,
        booking.board,
        booking.id,
        booking.places,
        _price(session, offer, booking),
        _day(session, desk, booking),
        accompanying=_accompanying(rules, booking),
        group=booking.recipient_id,
    )


def _holds(session: Session, booking: Booking) -> bool:
    rules = boards.declaration(session, booking.board).booking
    return rules is None or rules.hold


def _day(session: Session, desk: Desk, booking: Booking) -> date:
    """The day whose period pays. What has no date of its own stays in the period that once promised it something."""
    paying = None if booking.starts_at else funding_queries.paying(session, booking.id)
    return paying.starts_on if paying else (booking.starts_at or now()).astimezone(desk.zone).date()


def _price(session: Session, offer: Offer, booking: Booking) -> int:
    """What the whole booking costs, in cents: its dates together once, an interval by what its offer's price is for."""
    price, rules = price_of(offer.said, booking.places), boards.declaration(session, offer.board).booking
    if rules is None or rules.slots is None or booking.slot is None:
        return price
    return price * billed(rules.slots, booking.slot, offer.said.fields)


def _accompanying(rules: Funding, booking: Booking) -> int:
    """How many come along, where the board counts them by a number of its form."""
    count = (booking.form or {}).get(rules.accompanied_by or "", 0)
    return count if isinstance(count, int) else 0
