"""What a board pays towards a booking: promised when it is asked for, for good when approved, given back when it ends.

Where a request holds no place it holds no money either: whoever asks ten day-care centres would else empty the budget.
"""

from datetime import date, tzinfo

from sqlmodel import Session

from libs.servicekit.db import now
from services.offers.boards import queries as boards
from services.offers.boards.domain import Declaration
from services.offers.bookings.domain import BookingStatus
from services.offers.bookings.messages import Desk
from services.offers.bookings.models import Booking
from services.offers.funding import commands as funding
from services.offers.funding import queries as budgets
from services.offers.funding.domain import Funding
from services.offers.funding.models import Budget, Grant
from services.offers.offers.domain import price_of
from services.offers.offers.models import Offer
from services.offers.slots.domain import billed


def follow(session: Session, desk: Desk, booking: Booking) -> int | None:
    """Let the grant follow the state that a booking came into; returns the cents that its requester is told."""
    if booking.status in (BookingStatus.WAITING, BookingStatus.OFFERED):
        return None
    board = boards.declaration(session, booking.board)
    # A new one was never promised anything.
    grant = None if booking.version == 1 else budgets.locked_grant(session, booking.id)
    if booking.status in (BookingStatus.PENDING, BookingStatus.APPROVED):
        if board.funding and (booking.status == BookingStatus.APPROVED or _holds(board)):
            grant = _promise(session, desk, board, board.funding, booking, grant)
        if booking.status == BookingStatus.APPROVED:
            funding.settle(session, grant)
    else:
        funding.release(session, grant)
    return None if grant is None else grant.held_cents


def _holds(board: Declaration) -> bool:
    return board.booking is None or board.booking.hold


def _promise(
    session: Session, desk: Desk, board: Declaration, rules: Funding, booking: Booking, grant: Grant | None
) -> Grant | None:
    offer = session.get_one(Offer, booking.offer_id)
    return funding.reserve(
        session,
        grant,
        booking.board,
        booking.id,
        booking.places,
        _price(board, offer, booking, desk.zone),
        _day(session, desk, booking, grant),
        accompanying=_accompanying(rules, booking),
        group=booking.recipient_id,
    )


def _day(session: Session, desk: Desk, booking: Booking, grant: Grant | None) -> date:
    """The day whose period pays. What has no date of its own stays in the period that once promised it something."""
    if booking.starts_at is None and grant and grant.held:
        return session.get_one(Budget, grant.budget_id).starts_on
    return (booking.starts_at or now()).astimezone(desk.zone).date()


def _price(board: Declaration, offer: Offer, booking: Booking, zone: tzinfo) -> int:
    """What the whole booking costs, in cents: its dates together once, an interval by what its offer's price is for."""
    price, rules = price_of(offer.said, booking.places), board.booking
    if rules is None or rules.slots is None or booking.slot is None:
        return price
    return price * billed(rules.slots, booking.slot, offer.said.fields, zone)


def _accompanying(rules: Funding, booking: Booking) -> int:
    """How many come along, where the board counts them by a number of its form."""
    count = (booking.form or {}).get(rules.accompanied_by or "", 0)
    return count if isinstance(count, int) else 0
