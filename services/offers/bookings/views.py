"""What the API shows of bookings: without what is personal in lists, in full to the two sides."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from libs.httpkit.transactions import Reading
from services.offers.bookings import queries
from services.offers.bookings.domain import BookingRules, BookingStatus, Terms
from services.offers.bookings.models import Booking
from services.offers.funding import queries as funding
from services.offers.funding.domain import GrantState


class SlotView(BaseModel):
    """The interval that is booked."""

    starts_at: datetime
    ends_at: datetime


class GrantView(BaseModel):
    """What the board pays towards the booking, in cents; a refused one goes on without."""

    state: GrantState
    cents: int


class BookingView(BaseModel):
    """A booking without what is personal of it."""

    id: str
    board: str
    offer_id: str
    status: BookingStatus
    reason: str | None
    places: int
    session_ids: list[str]
    slot: SlotView | None
    starts_at: datetime | None
    ends_at: datetime | None
    deadline_at: datetime | None = Field(description="Until when somebody must answer, or it ends by itself.")
    overtaken: int = Field(description="How often somebody behind in the line went before, wanting less.")
    grant: GrantView | None = Field(description="Null when the board pays nothing towards it.")
    version: int
    created_at: datetime
    changed_at: datetime


class BookingInFull(BookingView):
    """A booking as its two sides see it."""

    form: dict[str, Any] | None
    position: int | None = Field(description="The place in the line.")
    forget_at: datetime | None = Field(description="When the personal data are deleted.")


class BookingAsked(BookingView):
    """A booking as the answer to its request shows it."""

    position: int | None = Field(description="The place in the waiting list.")


class Booked(BaseModel):
    """What a request came to, and the token that opens it from now on."""

    booking: BookingAsked
    token: str


class Export(BaseModel):
    """Everything that is kept of a requester in this booking."""

    recipient_id: str | None
    booking: BookingInFull


class TermsView(BaseModel):
    """How an offer is booked: the board's rules with the offer's own, and what the offer has of its own."""

    bookable: bool
    bookable_until: datetime | None = Field(
        description="Until when something of it can be booked; null without an end."
    )
    rules: BookingRules | None
    own: Terms
    version: int


def _grant(session: Reading, booking: Booking) -> GrantView | None:
    grant = funding.grant(session, booking.id)
    if grant is None:
        return None
    return GrantView(state=GrantState(grant.state), cents=grant.held_cents)


def _plain(session: Reading, booking: Booking) -> dict[str, Any]:
    stock_ids = queries.dates_of(session, booking)
    return booking.model_dump(exclude={"recipient_id", "slotted", "held", "queued_at"}) | {
        "status": BookingStatus(booking.status),
        "session_ids": [each for each in stock_ids if each != booking.offer_id],
        "grant": _grant(session, booking),
        "slot": booking.slot and SlotView(**dict(booking.slot)),
    }


def view(session: Reading, booking: Booking) -> BookingView:
    """The booking as lists and answers show it."""
    return BookingView(**_plain(session, booking))


def asked(session: Reading, booking: Booking) -> BookingAsked:
    """The booking as the answer to its request shows it."""
    return BookingAsked(position=queries.position(session, booking), **_plain(session, booking))


def in_full(session: Reading, booking: Booking) -> BookingInFull:
    """The booking with the answers to the form."""
    plain = _plain(session, booking)
    return BookingInFull(position=queries.position(session, booking), **plain)
