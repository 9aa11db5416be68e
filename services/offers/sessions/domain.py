"""Rules of sessions: when they may be, where, and which dates a recurrence rule names. Values in, values out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from libs.contracts import card as cards
from libs.contracts.card import PRINTABLE
from libs.contracts.offers import Reason
from libs.servicekit.errors import FieldError, Invalid
from libs.servicekit.values import Body, Day, Moment
from libs.town.accessibility import invalid_parts
from libs.town.calendar import lasts
from libs.town.places import SaidPlace
from services.offers.sessions.recurrence import MAX_SESSIONS, Unfit, aware, exists, occurrences

HORIZON = timedelta(days=731)
PAST = timedelta(days=366)
MAX_LENGTH = timedelta(days=31)

Skip = Literal["public_holidays", "school_holidays"]
LeftOut = Literal["exdates", "public_holidays", "school_holidays", "past"]
D = TypeVar("D", date, datetime)


def _near(value: D) -> D:
    if not 2000 <= value.year <= 2100:
        raise ValueError("lies too far off")
    return value


def _to_the_minute(value: datetime) -> datetime:
    if value.second or value.microsecond:
        raise ValueError("is given to the minute")
    return value


Minute = Annotated[Moment, AfterValidator(_near), AfterValidator(_to_the_minute)]
Places = Annotated[int, Field(ge=0, le=1_000_000)]


class Repeat(Body):
    """How a date recurs: an RRULE of RFC 5545 that starts with the first date, and what it leaves out."""

    rule: Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=PRINTABLE)]
    exdates: list[Day] = Field(default=[], max_length=MAX_SESSIONS)
    skip: list[Skip] = Field(default=[], max_length=2)


class When(Body):
    """From when to when, to the minute: with a zone, or without one in the town's time."""

    starts_at: Minute
    ends_at: Minute


class SessionContent(Body):
    """What is said of a session beside its time; both fall back to what the offer says."""

    venue: SaidPlace | None = None
    places_max: Places | None = None


class NewSessions(When, SessionContent):
    """One date of an offer, or with `repeat` a series of them."""

    repeat: Repeat | None = None


class Cancellation(Body):
    """Why a session does not take place as was said; public."""

    reason: Reason


class SeriesCancellation(Cancellation):
    """The first day, in the town's time, on which the series does not take place any more."""

    since: Annotated[Day, AfterValidator(_near)]


class Move(Cancellation):
    """A new time, a new venue or both, and why; what is absent stays."""

    starts_at: Minute | None = None
    ends_at: Minute | None = None
    venue: SaidPlace | None = None

    @model_validator(mode="after")
    def _both_times(self) -> "Move":
        if (self.starts_at is None) != (self.ends_at is None):
            raise ValueError("starts_at and ends_at come together")
        return self


@dataclass(frozen=True)
class Span:
    """When a session is, UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class DaysOff:
    """Days on which a series may pause, and the last day up to which they are known."""

    days: frozenset[date]
    until: date


def one_date(when: When, zone: tzinfo, now: datetime) -> Span:
    """A single date as it was asked for; Unfit when it cannot be."""
    span = Span(
        _instant("starts_at", when.starts_at, zone),
        _instant("ends_at", when.ends_at, zone),
    )
    if span.end <= span.start:
        raise Unfit("ends_at", "lies not after starts_at")
    if lasts(span.start, span.end, zone) > MAX_LENGTH:
        raise Unfit("ends_at", f"a session lasts {MAX_LENGTH.days} days at most")
    if span.end <= now:
        raise Unfit("starts_at", "lies in the past")
    if span.start > now + HORIZON:
        raise Unfit("starts_at", "lies more than two years ahead")
    return span


def moved(order: Move, before: Span, zone: tzinfo, now: datetime) -> Span:
    """When a session is after a move; Unfit when it cannot be then."""
    if order.starts_at is None or order.ends_at is None:
        return before
    return one_date(When(starts_at=order.starts_at, ends_at=order.ends_at), zone, now)


def series(
    when: When, repeat: Repeat, zone: tzinfo, now: datetime, off: Mapping[Skip, DaysOff]
) -> tuple[list[Span], list[tuple[date, LeftOut]]]:
    """Every date that a rule names and does not leave out, and those it leaves out with the reason.

    The local wall time is kept: ten o'clock stays ten o'clock when the clocks change.
    """
    first, last = _local("starts_at", when.starts_at, zone), _local("ends_at", when.ends_at, zone)
    if not timedelta() < last - first <= MAX_LENGTH:
        raise Unfit("ends_at", f"lies after starts_at, by {MAX_LENGTH.days} days at most")
    local_now = now.astimezone(zone).replace(tzinfo=None)
    if not local_now - PAST <= first <= local_now + HORIZON:
        raise Unfit("starts_at", "lies within two years ahead, or one year back")
    starts = occurrences(repeat.rule, first, local_now + HORIZON, zone)
    taken, left_out = list[Span](), list[tuple[date, LeftOut]]()
    _check_known(starts, repeat.skip, off)
    for start in starts:
        span = Span(aware(start, zone), aware(start + (last - first), zone))
        why = _left_out(start.date(), repeat, off) or ("past" if span.end <= now else None)
        if why is None:
            taken.append(span)
        else:
            left_out.append((start.date(), why))
    if not taken:
        raise Unfit("repeat", "leaves no date that is still to come")
    return taken, left_out


def _check_known(starts: list[datetime], skip: Iterable[Skip], off: Mapping[Skip, DaysOff]) -> None:
    for kind in skip:
        if kind not in off:
            raise Unfit("repeat.skip", f"this town has no list of {kind}")
        if starts[-1].date() > off[kind].until:
            raise Unfit("repeat.skip", f"{kind} are known until {off[kind].until} only")


def _left_out(day: date, repeat: Repeat, off: Mapping[Skip, DaysOff]) -> LeftOut | None:
    if day in repeat.exdates:
        return "exdates"
    return next((kind for kind in repeat.skip if day in off[kind].days), None)


def _instant(field: str, moment: datetime, zone: tzinfo) -> datetime:
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    if not exists(moment, zone):
        raise Unfit(field, "does not exist: the clocks are put forward then")
    return aware(moment, zone)


def _local(field: str, moment: datetime, zone: tzinfo) -> datetime:
    """The wall time that a series keeps; of a time that comes twice in a night it means the first."""
    there = _instant(field, moment, zone).astimezone(zone)
    if there.fold:
        raise Unfit(field, "comes twice that night, and a series can only mean the first")
    return there.replace(tzinfo=None)


def check_period(spans: Iterable[Span], zone: tzinfo, start: date | None, end: date | None) -> None:
    """Sessions lie within the offer's period, since it is no longer shown after it; Unfit otherwise."""
    days = [span.start.astimezone(zone).date() for span in spans]
    if start and min(days) < start:
        raise Unfit("starts_at", f"{min(days)} lies before the offer's period, which begins on {start}")
    if end and max(days) > end:
        raise Unfit("starts_at", f"{max(days)} lies after the offer's period, which ends on {end}")


def check_venue(venue: SaidPlace | None, known: Iterable[str]) -> None:
    """A venue has both coordinates or none, and its accessibility is told in the town's words; Unfit otherwise."""
    for field, reason in invalid_parts(venue, known):
        raise Unfit(f"venue.{field}", reason)


def elsewhere(before: cards.Place | None, after: cards.Place | None) -> bool:
    """Whether two venues are different places; what is said of one may change without a move."""
    where = {"lat", "lon", "street", "postcode", "locality"}
    return (before and before.model_dump(include=where)) != (after and after.model_dump(include=where))


def day_begins(day: date, zone: tzinfo) -> datetime:
    """The instant at which a day of the town begins."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def day_ends(day: date, zone: tzinfo) -> datetime:
    """The instant at which it ends, and the next begins."""
    return day_begins(day + timedelta(days=1), zone)


def cursor(starts_at: datetime, session_id: str) -> str:
    """Where a page of sessions ended."""
    return f"{starts_at.astimezone(UTC).replace(tzinfo=None).isoformat()}~{session_id}"


def read_cursor(text: str) -> tuple[datetime, str] | None:
    """The same read back, None at the beginning; Invalid for what is no cursor."""
    if not text:
        return None
    start, _, session_id = text.partition("~")
    try:
        return datetime.fromisoformat(start).replace(tzinfo=UTC), session_id
    except ValueError:
        raise Invalid(FieldError(field="after", reason="is not the `next` of a page")) from None
