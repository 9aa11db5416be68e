"""What people are told of their bookings: a message is asked for, with ids, counts, dates and the signed link."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session
from uuid_utils import uuid7

from libs.contracts import notify
from libs.httpkit.links import Links, links_of
from libs.servicekit import outbox
from libs.servicekit.db import now
from libs.servicekit.settings import Settings
from libs.town import calendar
from libs.town.calendar import Calendar
from services.offers.bookings.models import Booking

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


def tell(session: Session, desk: Desk, booking: Booking, template: str, **more: str | int) -> None:
    """Ask notify to tell the requester; one whose data are erased is told nothing."""
    if booking.recipient_id is None:
        return
    facts: dict[str, str | int | bool] = {"booking": booking.id, "places": booking.places, **more}
    facts |= {name: instant(value) for name, value in _dates(booking).items() if value}
    if booking.reason:
        facts["reason"] = booking.reason
    message = notify.MessageRequested(
        recipient_id=booking.recipient_id,
        template=template,
        about=notify.Subject(kind="offer", id=booking.offer_id, board=booking.board),
        facts=facts | {"token": desk.token(booking)},
        send_before=booking.ends_at if booking.active and (booking.ends_at or now()) > now() else None,
    )
    outbox.add(session, message, thing_id=str(uuid7()), version=1)


def _dates(booking: Booking) -> dict[str, datetime | None]:
    return {"starts_at": booking.starts_at, "ends_at": booking.ends_at, "deadline_at": booking.deadline_at}


def instant(value: datetime) -> str:
    """An instant as facts carry it: ISO 8601 in UTC."""
    return value.isoformat().replace("+00:00", "Z")
