"""Rules of bookings: their life, and what a board and an offer allow. Values in, values out."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from libs.contracts.card import Name
from libs.contracts.event import UUID7
from libs.servicekit.values import Body
from libs.town.calendar import ends, shifted
from services.offers.bookings.forms import FormField, FormKind
from services.offers.slots.domain import SlotRules, WantedSlot

MOST_DATES = 50
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
MOST_WAITING = 200
Days = Annotated[int, Field(ge=0, le=3650)]
Places = Annotated[int, Field(ge=1, le=10_000)]
Dates = Annotated[int, Field(ge=1, le=MOST_DATES)]


class BookingStatus(StrEnum):
    """Where a booking stands in its life."""

    PENDING = "pending"
    WAITING = "waiting"
    OFFERED = "offered"
    APPROVED = "approved"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


# Which state may follow which; what is not here is a conflict.
FOLLOWS = {
    BookingStatus.OFFERED: (BookingStatus.WAITING,),
    BookingStatus.PENDING: (
        BookingStatus.OFFERED,
        BookingStatus.PENDING,
        BookingStatus.APPROVED,
        BookingStatus.WAITING,
    ),
    BookingStatus.APPROVED: (
        BookingStatus.OFFERED,
        BookingStatus.PENDING,
        BookingStatus.APPROVED,
        BookingStatus.WAITING,
    ),
    BookingStatus.WAITING: (BookingStatus.WAITING,),
    BookingStatus.DECLINED: (BookingStatus.PENDING, BookingStatus.WAITING),
    BookingStatus.CANCELLED: (
        BookingStatus.PENDING,
        BookingStatus.WAITING,
        BookingStatus.OFFERED,
        BookingStatus.APPROVED,
    ),
    BookingStatus.EXPIRED: (BookingStatus.PENDING, BookingStatus.WAITING, BookingStatus.OFFERED),
}
ACTIVE = (BookingStatus.PENDING, BookingStatus.WAITING, BookingStatus.OFFERED, BookingStatus.APPROVED)


class Reason(StrEnum):
    """Why a booking ended; a code, so that nobody writes about a person."""

    FULL = "full"
    NOT_SUITABLE = "not_suitable"
    INCOMPLETE = "incomplete"
    TOO_LATE = "too_late"
    OTHER = "other"
    BY_REQUESTER = "by_requester"
    ERASED = "erased"
    UNANSWERED = "unanswered"
    LAPSED = "lapsed"
    TOO_FEW_PLACES = "too_few_places"
    SESSION_CANCELLED = "session_cancelled"
    OFFER_WITHDRAWN = "offer_withdrawn"
    OFFER_OVER = "offer_over"


# What a provider may give as a reason.
ProviderReason = Literal["full", "not_suitable", "incomplete", "too_late", "other"]


class WaitingRules(Body):
    """`[booking.waiting]`: for how many hours a freed place is held for whoever is next, and whether a smaller
    entry may go before a larger one that does not fit."""

    hours: Annotated[int, Field(ge=1, le=720)] = 48
    overtake: bool = True


class BookingRules(Body):
    """`[booking]` of a board; without it, its offers cannot be booked here.

    `counted_by` names the number of the form that says how many places are wanted, `closes` the field of an offer that
    holds the last day on which it can be booked. With `hold` a request holds its
    places while it is unanswered; without, only an approval takes them.
    """

    form: list[FormField] = Field(default=[], max_length=30)
    counted_by: Name | None = None
    closes: Name | None = None
    auto_accept: bool = False
    hold: bool = True
    deadline_days: Days = 0
    min_dates: Dates = 1
    max_dates: Dates = 1
    max_places: Places = 10
    max_open: Annotated[int, Field(ge=1, le=1000)] = 10
    answer_days: Annotated[int, Field(ge=1, le=365)] = 14
    retention_days: Days = 90
    waiting: WaitingRules | None = None
    slots: SlotRules | None = None

    @model_validator(mode="after")
    def _fits(self) -> "BookingRules":
        names = [field.name for field in self.form]
        if len(names) != len(set(names)):
            raise ValueError("a field of the form is declared twice")
        numbers = {field.name for field in self.form if field.type is FormKind.INTEGER and field.required}
        if self.counted_by is not None and self.counted_by not in numbers:
            raise ValueError("counted_by names a required integer of the form")
        if self.max_dates < self.min_dates:
            raise ValueError("max_dates lies below min_dates")
        return self


class Terms(Body):
    """What an offer has otherwise than its board; null leaves the board's rule."""

    bookable: bool = True
    auto_accept: bool | None = None
    deadline_days: Days | None = None
    min_dates: Dates | None = None
    max_dates: Dates | None = None
    max_places: Places | None = None
    answer_days: Annotated[int, Field(ge=1, le=365)] | None = None


class Wish(Body):
    """What is asked for: dates by their sessions' ids, or an interval, or the offer as a whole; for how many, and the
    answers to the form."""

    session_ids: list[Annotated[str, Field(pattern=UUID7)]] = Field(default=[], max_length=MOST_DATES)
    slot: WantedSlot | None = None
    places: Places | None = None
    form: dict[Name, Any] = Field(default={}, max_length=30)


def rules_of(board: BookingRules, terms: Terms) -> BookingRules:
    """The rules that hold for an offer; ValueError when its terms contradict themselves."""
    own = terms.model_dump(exclude={"bookable"}, exclude_none=True)
    return BookingRules.model_validate({**dict(board), **own})


def in_force(board: BookingRules | None, own: Terms) -> BookingRules | None:
    """The rules that hold for an offer with these terms; None where it cannot be booked here."""
    if board is None or not own.bookable:
        return None
    try:
        return rules_of(board, own)
    except ValueError:  # the board has changed since, and they no longer go together
        return board


def closed_until(rules: BookingRules | None, now: datetime, zone: tzinfo) -> datetime:
    """Dates that begin until then can no longer be booked; where nothing is booked here, none is closed."""
    return shifted(now, rules.deadline_days, zone) if rules else NEVER


def may_become(status: BookingStatus, following: BookingStatus) -> bool:
    """Whether a booking may go from one state to another."""
    return status in FOLLOWS[following]


def answer_until(rules: BookingRules, now: datetime, starts_at: datetime | None, zone: tzinfo) -> datetime:
    """When an unanswered request ends by itself: after the board's days, or when its first date begins."""
    until = shifted(now, rules.answer_days, zone)
    return until if starts_at is None else min(until, starts_at)


def offer_until(waiting: WaitingRules, now: datetime, starts_at: datetime | None) -> datetime:
    """How long a freed place is held for whoever was next."""
    until = now + timedelta(hours=waiting.hours)
    return until if starts_at is None else min(until, starts_at)


def bookable_until(
    rules: BookingRules, fields: Mapping[str, Any], starts_at: datetime | None, zone: tzinfo
) -> datetime | None:
    """Until when an offer with these fields, or its date, can be booked or changed: days are those of the calendar. None
    when nothing ends it."""
    day = fields.get(rules.closes or "")
    ends_ = [ends(date.fromisoformat(day), zone)] if day else []
    if starts_at:
        ends_.append(shifted(starts_at, -rules.deadline_days, zone))
    return min(ends_, default=None)


def forget_at(
    rules: BookingRules, status: BookingStatus, now: datetime, ends_at: datetime | None
) -> datetime:
    """When the personal data of a booking have served their time."""
    since = now if status not in ACTIVE or ends_at is None else max(now, ends_at)
    return since + timedelta(days=rules.retention_days)


def places_wanted(rules: BookingRules, places: int | None, form: dict[str, Any]) -> int:
    """How many places a request is about; ValueError when two figures of it differ."""
    if rules.counted_by is None:
        return 1 if places is None else places
    counted = int(form[rules.counted_by])
    if places not in (None, counted):
        raise ValueError(f"is not what form.{rules.counted_by} says")
    return counted
