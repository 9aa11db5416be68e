"""Rules of funding: what is due to a booking, which period pays it, and when a budget runs dry. Values in, values out.

Money is whole cents throughout; a share is rounded down once, on the price of the whole booking.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from libs.contracts.card import Name
from libs.contracts.offers import BudgetForecast, BudgetSituation
from libs.servicekit.values import Body

WEEKS = 8
SURE_AFTER_WEEKS = 2
WEEK = 7
YEARS = range(2000, 2100)
MAX_CENTS = 10**12
Cents = Annotated[int, Field(ge=0, le=MAX_CENTS)]
Uses = Mapping[date, int]


class PeriodKind(StrEnum):
    """The year that a board counts in. A Bavarian school year begins on 1 August."""

    CALENDAR_YEAR = "calendar_year"
    SCHOOL_YEAR = "school_year"


BEGINS_IN = {PeriodKind.CALENDAR_YEAR: 1, PeriodKind.SCHOOL_YEAR: 8}


class Funding(Body):
    """What `[funding]` of a board declares; how much there is to spend is set for each period by an editor.

    Persons are the places that are booked; `accompanied_by` names the number of the form that counts beside them.
    """

    period: PeriodKind = PeriodKind.CALENDAR_YEAR
    share_percent: Annotated[int, Field(ge=1, le=100)]
    per_person_cents: Cents | None = None
    accompanied_by: Name | None = None
    per_booking_cents: Cents | None = None
    per_group_cents: Cents | None = Field(default=None, description="To one group within one period.")


class Outcome(StrEnum):
    """What becomes of a wish for funding."""

    GRANTED = "granted"
    NOTHING_DUE = "nothing_due"
    NO_BUDGET = "no_budget"
    NOT_ENOUGH_LEFT = "not_enough_left"


class GrantState(StrEnum):
    """Where a grant stands: refused ones hold nothing and may be tried again, released ones are over."""

    REFUSED = "refused"
    RESERVED = "reserved"
    GRANTED = "granted"
    RELEASED = "released"


HELD = (GrantState.RESERVED, GrantState.GRANTED)


class Entered(StrEnum):
    """What a line of the ledger speaks of."""

    SET = "set"
    RESERVED = "reserved"
    ADJUSTED = "adjusted"
    GRANTED = "granted"
    RELEASED = "released"
    REFUSED = "refused"


@dataclass(frozen=True)
class Move:
    """A movement of `cents`: by how much it changes a budget's three amounts, and what the ledger says of it."""

    kind: Entered
    cents: int
    booking_id: str | None = None
    amount: int = 0
    reserved: int = 0
    granted: int = 0
    actor: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Period:
    """A year of a budget; `key` is `2026`, or `2026-27` for a school year."""

    key: str
    start: date
    end: date


def _beginning(kind: PeriodKind, year: int) -> Period:
    month = BEGINS_IN[kind]
    key = f"{year}" if kind is PeriodKind.CALENDAR_YEAR else f"{year}-{(year + 1) % 100:02d}"
    return Period(key, date(year, month, 1), date(year + 1, month, 1) - timedelta(days=1))


def period_of(kind: PeriodKind, day: date) -> Period | None:
    """The period that a day lies in; None outside this century."""
    year = day.year - (day.month < BEGINS_IN[kind])
    return _beginning(kind, year) if year in YEARS else None


def period_named(kind: PeriodKind, key: str) -> Period | None:
    """The period of this key; None when no period is called so."""
    year = int(key[:4]) if key[:4].isdecimal() else 0
    period = _beginning(kind, year) if year in YEARS else None
    return period if period and period.key == key else None


def due(
    rules: Funding, price_cents: int, persons: int, accompanying: int = 0, group_left: int | None = None
) -> int:
    """What the rules promise to a booking of this price, in cents: the share, within every cap."""
    counted = persons + (accompanying if rules.accompanied_by else 0)
    per_persons = None if rules.per_person_cents is None else rules.per_person_cents * counted
    caps = (per_persons, rules.per_booking_cents, group_left)
    share = price_cents * rules.share_percent // 100 if counted else 0
    return max(0, min([share, *(cap for cap in caps if cap is not None)]))


def outcome(due_cents: int, left_cents: int | None) -> Outcome:
    """What a wish for `due_cents` meets in a budget with so much left; None is no budget. All or nothing."""
    if due_cents == 0:
        return Outcome.NOTHING_DUE
    if left_cents is None:
        return Outcome.NO_BUDGET
    return Outcome.GRANTED if due_cents <= left_cents else Outcome.NOT_ENOUGH_LEFT


def forecast(
    left: int,
    uses: Uses,
    period: Period,
    opened_on: date,
    today: date,
    earlier: Sequence[tuple[Period, Uses]] = (),
) -> BudgetForecast:
    """When a budget runs dry. `uses` are the cents promised by the day on which they were, net of what came back.

    Three paces, the average of the busier half, of all, and of the calmer half of the last weeks, give a day each, as
    does the course of each earlier period from this day on, scaled to this period's use. Told are the first, the middle
    and the last of these days; null means that the money lasts until the period ends.
    """
    weekly = sorted(_weekly(uses, opened_on, today))
    half = (len(weekly) + 1) // 2
    days = [_at_pace(left, weeks, today) for weeks in (weekly[-half:], weekly, weekly[:half])]
    for then, used_then in earlier:
        before, after = _halves(used_then, today - (period.start - then.start))
        if before:
            days.append(_on_course(left, sum(uses.values()), before, after, today))
    ranked = [day if day <= period.end else None for day in sorted(days)]
    return BudgetForecast(
        earliest=ranked[0],
        likely=ranked[(len(ranked) - 1) // 2],
        latest=ranked[-1],
        weekly_cents=sum(weekly) // len(weekly),
        weeks=len(weekly),
        earlier=[then.key for then, _ in earlier],
    )


def _weekly(uses: Uses, opened_on: date, today: date) -> list[int]:
    """Use in each of the last weeks, at most `WEEKS`, and no more than the budget has been open."""
    sums = [0] * max(1, min(WEEKS, (today - opened_on).days // WEEK))
    for day, cents in uses.items():
        age = (today - day).days // WEEK
        if 0 <= age < len(sums):
            sums[age] += cents
    return sums


def _at_pace(left: int, weeks: Sequence[int], today: date) -> date:
    """The day on which `left` is used up if every week is like these on average."""
    if left <= 0:
        return today
    days = left * WEEK * len(weeks) // sum(weeks) if sum(weeks) else None
    return date.max if days is None or days > (date.max - today).days else today + timedelta(days=days)


def _halves(uses: Uses, same_day: date) -> tuple[int, list[tuple[int, int]]]:
    """What an earlier period had used by the same day, and its later use as (days from then, cents)."""
    before = sum(cents for day, cents in uses.items() if day <= same_day)
    after = [((day - same_day).days, cents) for day, cents in sorted(uses.items()) if day > same_day]
    return before, after


def _on_course(left: int, used: int, before: int, after: list[tuple[int, int]], today: date) -> date:
    """The day on which `left` is used up if this period goes on as the earlier one did, only as much busier as so far."""
    if left <= 0:
        return today
    total = 0
    for days, cents in after:
        total += cents
        if total * used >= left * before:
            return today + timedelta(days=days)
    return date.max


def situation(before: BudgetSituation, *, short: bool, outlook: BudgetForecast) -> BudgetSituation:
    """How a budget stands. One busy day does not make a new budget tight; once tight, it is ample again only when even
    the earliest day lies beyond the period."""
    if short:
        return BudgetSituation.SHORT
    dry_on = outlook.likely if before is BudgetSituation.AMPLE else outlook.earliest
    return BudgetSituation.TIGHT if dry_on and outlook.weeks >= SURE_AFTER_WEEKS else BudgetSituation.AMPLE
