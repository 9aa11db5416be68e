"""What the API shows of sessions and of the town's days off."""

from datetime import date, datetime

from pydantic import Field

from libs.contracts.card import Place, Text
from libs.contracts.offers import SessionStatus
from libs.servicekit.values import Body
from libs.town.calendar import SchoolHoliday
from services.offers.bookings.openings import Opening
from services.offers.sessions.domain import LeftOut
from services.offers.sessions.models import OfferSession


class SessionView(Body):
    """A session (Termin)."""

    id: str
    offer_id: str
    series_id: str | None
    starts_at: datetime
    ends_at: datetime
    status: SessionStatus
    venue: Place | None = Field(description="Where, if not at the offer's own place.")
    places_max: int | None
    places_free: int | None = Field(description="How many places are left; null without a limit.")
    bookable_until: datetime | None = Field(
        description="Until when it can be booked; null when it cannot, or not by itself."
    )
    reason: str | None = Field(description="Why it was moved or cancelled.")
    version: int
    changed_at: datetime


class Gap(Body):
    """A day that a rule names and on which nothing takes place."""

    day: date
    because: LeftOut


class Scheduled(Body):
    """The dates that an offer got, and those that its rule names but leaves out."""

    series_id: str | None
    items: list[SessionView]
    left_out: list[Gap]


class PublicHoliday(Body):
    """A public holiday of the town."""

    day: date
    name: Text


class Holidays(Body):
    """The town's days off that a series can leave out."""

    year: int
    public: list[PublicHoliday]
    school: list[SchoolHoliday]
    school_known_until: date | None


def view(row: OfferSession, found: Opening) -> SessionView:
    """The session as the API shows it, with how it can be booked."""
    plain = row.model_dump(exclude={"told", "over", "status", "venue"})
    return SessionView(
        status=SessionStatus(row.status),
        venue=row.place,
        places_free=found.free,
        bookable_until=found.until,
        **plain,
    )
