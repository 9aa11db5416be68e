"""Rules of slots: how long, how far ahead, within which opening hours. Values in, values out.

An interval is kept as the quarters of an hour that it covers, numbered from 1970 in UTC: whoever holds a quarter holds
it alone, or shares it with as many as the resource takes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import groupby
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from libs.contracts.card import Name
from libs.httpkit.edge import Body, Instant
from services.offers.hours import is_open

QUARTER_SECONDS = 15 * 60
LONGEST_MINUTES = 31 * 24 * 60


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


def billed(rules: SlotRules, slot: Slot, fields: Mapping[str, Any]) -> int:
    """How many times an offer with these values takes its price for an interval; what was begun counts in full."""
    unit = rules.billing.minutes.get(fields.get(rules.billing.field, "")) if rules.billing else None
    return -(-(slot.ends_at - slot.starts_at) // timedelta(minutes=unit)) if unit else 1


def begins(quarter: int) -> datetime:
    """When a quarter begins."""
    return datetime.fromtimestamp(quarter * QUARTER_SECONDS, UTC)


def runs(taken: list[tuple[int, int]]) -> list[Use]:
    """Quarters and what is taken of each, in order, as intervals."""
    pieces = groupby(enumerate(taken), key=lambda each: (each[1][0] - each[0], each[1][1]))
    found = [(key[1], [quarter for _, (quarter, _) in run]) for key, run in pieces]
    return [Use(begins(run[0]), begins(run[-1] + 1), count) for count, run in found]


def check_slot(
    rules: SlotRules, slot: Slot, fields: Mapping[str, Any], now: datetime, zone: tzinfo
) -> Iterator[tuple[str, str]]:
    """Yield (field, reason) for everything that keeps an interval of an offer with these fields from being booked."""
    start, end = slot.starts_at.astimezone(zone), slot.ends_at.astimezone(zone)
    minutes = (slot.ends_at - slot.starts_at).total_seconds() / 60
    if not (_on_grid(start, rules.minutes) and minutes % rules.minutes == 0):
        yield "slot.starts_at", f"begins and lasts in steps of {rules.minutes} minutes"
    if not rules.min_minutes <= minutes <= rules.max_minutes:
        yield "slot.ends_at", f"lasts {rules.min_minutes} to {rules.max_minutes} minutes"
        return
    if slot.starts_at <= now:
        yield "slot.starts_at", "lies in the past"
    if slot.starts_at > now + timedelta(days=rules.ahead_days):
        yield "slot.starts_at", f"at most {rules.ahead_days} days ahead"
    if (day := fields.get(rules.opens or "")) and start.date().isoformat() < day:
        yield "slot.starts_at", f"can be booked from {day}"
    if (hours := fields.get(rules.hours or "")) and not is_open(
        hours, start.replace(tzinfo=None), end.replace(tzinfo=None)
    ):
        yield "slot.starts_at", "lies outside of the opening hours"


def _on_grid(start: datetime, minutes: int) -> bool:
    return (start.hour * 60 + start.minute) % minutes == 0 and start.second == start.microsecond == 0
