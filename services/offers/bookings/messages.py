"""What people are told of their bookings: a message is asked for, with ids, counts, dates and the signed link."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from libs.contracts.messages import BookingMessage
from libs.contracts.notify import Occasion, Subject
from libs.servicekit import messages
from libs.servicekit.db import now
from libs.servicekit.links import Links, links_of
from libs.servicekit.settings import Settings
from libs.town import calendar
from libs.town.calendar import Calendar
from services.offers.bookings import queries
from services.offers.bookings.models import Booking
from services.offers.sessions.models import OfferSession

USE = "booking"
LINK_DAYS = 400


@dataclass(frozen=True)
class Desk:
    """What answering a booking takes of its surroundings: the town's days, and the pen that signs links."""

    calendar: Calendar
    links: Links

    @property
    def zone(self) -> ZoneInfo:
        """The town's time."""
        return self.calendar.zone

    def token(self, booking: Booking) -> str:
        """The token with which the requester comes back to his booking."""
        until = max(booking.ends_at or now(), now()) + timedelta(days=LINK_DAYS)
        return self.links.sign(USE, booking.id, until)


def desk_of(settings: Settings) -> Desk:
    """What answering a booking takes, as the settings have it."""
    return Desk(calendar.read(settings.city), links_of(settings))


def tell(
    session: Session,
    desk: Desk,
    booking: Booking,
    template: type[BookingMessage],
    *,
    dates: Sequence[Occasion] | None = None,
    **more: datetime | int | None,
) -> None:
    """Ask notify to tell the requester; one whose data are erased is told nothing. `dates` are for the calendar where
    they are not simply the booking's own."""
    if booking.recipient_id is None:
        return
    facts = {
        "booking": booking.id,
        "version": booking.version,
        "places": booking.places,
        "token": desk.token(booking),
        "starts_at": booking.starts_at,
        "ends_at": booking.ends_at,
        "deadline_at": booking.deadline_at,
        "reason": booking.reason,
        **more,
    }
    if dates is None:
        dates = _dates(session, booking) if template.calendar else []
    messages.request(
        session,
        booking.recipient_id,
        template.model_validate(facts),
        Subject(kind="offer", id=booking.offer_id, board=booking.board),
        dates=dates,
        send_before=booking.ends_at if booking.active and (booking.ends_at or now()) > now() else None,
    )


def _dates(session: Session, booking: Booking) -> list[Occasion]:
    if booking.slot:
        slot = booking.slot
        return [Occasion(id=booking.id, starts_at=slot.starts_at, ends_at=slot.ends_at)]
    return [occasion(row) for row in queries.sessions(session, queries.dates_of(session, booking))]


def occasion(row: OfferSession, *, cancelled: bool = False) -> Occasion:
    """A date as it enters a calendar, or leaves it."""
    return Occasion(id=row.id, starts_at=row.starts_at, ends_at=row.ends_at, cancelled=cancelled)
