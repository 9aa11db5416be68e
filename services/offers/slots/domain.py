"""Rules of slots: how long, how far ahead, within which opening hours. Values in, values out.

An interval is kept as the quarters of an hour that it covers, numbered from 1970 in UTC: whoever holds a quarter holds
it alone, or shares it with as many as the resource takes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import groupby
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from libs.contracts.card import Name
from libs.servicekit.values import Body, Instant, Moment
from libs.town.calendar import Calendar, lasts, shifted
from libs.town.calendar import begins as begins_at
from libs.town.hours import is_open, readable, spans
from services.offers.sessions.recurrence import Unfit, aware, exists

QUARTER_SECONDS = 15 * 60
DAY_MINUTES = 24 * 60
LONGEST_MINUTES = 31 * DAY_MINUTES


class Billing(Body):
    """`[booking.slots.billing]`: the choice of an offer that says what its price is for, and how many minutes each
    answer means."""

    field: Name
    minutes: dict[Name, Annotated[int, Field(ge=1, le=LONGEST_MINUTES)]] = Field(max_length=20)


class SlotRules(Body):
    """`[booking.slots]` of a board: the grid and the bounds of its intervals, in minutes; `hours` and
    `opens` name the fields of an offer that hold its opening hours and its first day. Without `billing` a price is for
    the interval, however long."""

    minutes: Annotated[int, Field(ge=15, le=1440, multiple_of=15)] = 60
    min_minutes: Annotated[int, Field(ge=15, le=LONGEST_MINUTES)] = 60
    max_minutes: Annotated[int, Field(ge=15, le=LONGEST_MINUTES)] = 8 * 60
    ahead_days: Annotated[int, Field(ge=1, le=730)] = 180
    hours: Name | None = None
    opens: Name | None = None
    billing: Billing | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "SlotRules":
        if self.max_minutes < self.min_minutes:
            raise ValueError("max_minutes lies below min_minutes")
        return self


def _bounded(value: datetime) -> datetime:
    if not 2000 <= value.year <= 2100:
        raise ValueError("lies too far away")
    return value.astimezone(UTC)


Bounded = Annotated[Instant, AfterValidator(_bounded)]


class Slot(Body):
    """An interval on a resource; the end is not part of it."""

    starts_at: Bounded
    ends_at: Bounded


class WantedSlot(Body):
    """An interval as somebody asks for it: with a zone, or without one in the town's time."""

    starts_at: Moment
    ends_at: Moment

    def fixed(self, zone: tzinfo) -> Slot:
        """The interval; Unfit for a local time that the clocks never show, or one far off."""
        found = {
            name: _instant(f"slot.{name}", getattr(self, name), zone) for name in ("starts_at", "ends_at")
        }
        return Slot(**found)


def _instant(field: str, moment: datetime, zone: tzinfo) -> datetime:
    if not 2000 <= moment.year <= 2100:
        raise Unfit(field, "lies too far away")
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    if not exists(moment, zone):
        raise Unfit(field, "does not exist: the clocks are put forward then")
    return aware(moment, zone)


@dataclass(frozen=True)
class Use:
    """A run of quarters in which the same number of places is taken."""

    starts_at: datetime
    ends_at: datetime
    taken: int


def quarters(slot: Slot) -> range:
    """The quarters of an hour that the interval covers."""
    start, end = slot.starts_at.timestamp(), slot.ends_at.timestamp()
    return range(int(start // QUARTER_SECONDS), int(-(-end // QUARTER_SECONDS)))


def billed(rules: SlotRules, slot: Slot, fields: Mapping[str, Any], zone: tzinfo) -> int:
    """How many times an offer with these values takes its price for an interval; what was begun counts in full, and
    days are those of the calendar."""
    unit = rules.billing.minutes.get(fields.get(rules.billing.field, "")) if rules.billing else None
    if not unit:
        return 1
    if unit % DAY_MINUTES:
        return -(-(slot.ends_at - slot.starts_at) // timedelta(minutes=unit))
    start, end = (each.astimezone(zone).replace(tzinfo=None) for each in (slot.starts_at, slot.ends_at))
    return -(-(end - start) // timedelta(minutes=unit))


def begins(quarter: int) -> datetime:
    """When a quarter begins."""
    return datetime.fromtimestamp(quarter * QUARTER_SECONDS, UTC)


def runs(taken: list[tuple[int, int]]) -> list[Use]:
    """Quarters and what is taken of each, in order, as intervals."""
    pieces = groupby(enumerate(taken), key=lambda each: (each[1][0] - each[0], each[1][1]))
    found = [(key[1], [quarter for _, (quarter, _) in run]) for key, run in pieces]
    return [Use(begins(run[0]), begins(run[-1] + 1), count) for count, run in found]


def free_runs(
    rules: SlotRules,
    window: Slot,
    uses: Mapping[int, int],
    most: int,
    fields: Mapping[str, Any],
    now: datetime,
    calendar: Calendar,
) -> list[Use]:
    """Where places are left within a window, within opening hours, from now on and as far ahead as the rules allow;
    `taken` is then how many are left. Hours that nobody can evaluate close nothing."""
    last = shifted(now, rules.ahead_days, calendar.zone)
    day = fields.get(rules.opens or "")
    first = max(now, begins_at(date.fromisoformat(day), calendar.zone)) if day else now
    hours = fields.get(rules.hours or "")
    open_ = _open_quarters(hours, window, calendar) if hours and readable(hours) else quarters(window)
    left = [(quarter, most - uses.get(quarter, 0)) for quarter in open_ if first <= begins(quarter) <= last]
    return runs([(quarter, count) for quarter, count in left if count > 0])


def _open_quarters(hours: str, window: Slot, calendar: Calendar) -> Iterator[int]:
    open_: dict[date, list[tuple[int, int]]] = {}
    for quarter in quarters(window):
        local = begins(quarter).astimezone(calendar.zone)
        minute, day = local.hour * 60 + local.minute, local.date()
        if day not in open_:
            open_[day] = [span[:2] for span in spans(hours, day, calendar)]
        if any(low <= minute and minute + QUARTER_SECONDS // 60 <= high for low, high in open_[day]):
            yield quarter


def check_slot(
    rules: SlotRules, slot: Slot, fields: Mapping[str, Any], now: datetime, calendar: Calendar
) -> Iterator[tuple[str, str]]:
    """Yield (field, reason) for everything that keeps an interval of an offer with these fields from being booked."""
    zone = calendar.zone
    start = slot.starts_at.astimezone(zone)
    minutes = lasts(slot.starts_at, slot.ends_at, zone).total_seconds() / 60
    if not (_on_grid(start, rules.minutes) and minutes % rules.minutes == 0):
        yield "slot.starts_at", f"begins and lasts in steps of {rules.minutes} minutes"
    if not rules.min_minutes <= minutes <= rules.max_minutes:
        yield "slot.ends_at", f"lasts {rules.min_minutes} to {rules.max_minutes} minutes"
        return
    if slot.starts_at <= now:
        yield "slot.starts_at", "lies in the past"
    if slot.starts_at > shifted(now, rules.ahead_days, zone):
        yield "slot.starts_at", f"at most {rules.ahead_days} days ahead"
    if (day := fields.get(rules.opens or "")) and start.date() < date.fromisoformat(day):
        yield "slot.starts_at", f"can be booked from {day}"
    if opens(rules, slot, fields, calendar) is False:
        yield "slot.starts_at", "lies outside the opening hours"


def opens(rules: SlotRules, slot: Slot, fields: Mapping[str, Any], calendar: Calendar) -> bool | None:
    """Whether the offer is open all the while; None when its hours, such as `nach Vereinbarung`, do not tell."""
    if not (hours := fields.get(rules.hours or "")):
        return True
    start, end = (
        each.astimezone(calendar.zone).replace(tzinfo=None) for each in (slot.starts_at, slot.ends_at)
    )
    return is_open(hours, start, end, calendar)


def _on_grid(start: datetime, minutes: int) -> bool:
    return (start.hour * 60 + start.minute) % minutes == 0 and start.second == start.microsecond == 0
