"""Rules of funding: never more than a cap allows, never less than it could be, and a forecast that can be trusted."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from libs.contracts.offers import BudgetForecast, BudgetSituation
from services.offers.funding.domain import (
    Funding,
    Outcome,
    Period,
    PeriodKind,
    due,
    forecast,
    outcome,
    period_named,
    period_of,
    situation,
)

COB = Funding(share_percent=50, per_person_cents=200)
YEAR = Period("2026", date(2026, 1, 1), date(2026, 12, 31))
BEFORE = Period("2025", date(2025, 1, 1), date(2025, 12, 31))
TODAY = date(2026, 6, 1)

cents = st.integers(0, 10**9)
caps = st.none() | cents
people = st.integers(0, 500)
rules = st.builds(
    Funding,
    share_percent=st.integers(1, 100),
    per_person_cents=caps,
    per_booking_cents=caps,
    accompanied_by=st.none() | st.just("adults"),
)
spent = st.dictionaries(st.dates(YEAR.start, TODAY), st.integers(1, 100_000), min_size=1, max_size=20)
last_year = st.dictionaries(st.dates(BEFORE.start, BEFORE.end), st.integers(1, 100_000), max_size=20)
lefts = st.integers(1, 10**7)


@pytest.mark.parametrize(
    ("price", "children", "adults", "expected"),
    [
        (10_000, 25, 2, 5000),  # 200 € for a class of 25: half is 50 €, and so is the cap
        (9_000, 25, 2, 4500),
        (20_000, 25, 2, 5000),
        (999, 25, 0, 499),  # down to the cent
        (10_000, 0, 2, 0),
        (0, 25, 2, 0),
    ],
)
def test_ks_cob_pays_half_and_at_most_two_euros_a_child(
    price: int, children: int, adults: int, expected: int
) -> None:
    assert due(COB, price, children, adults) == expected


def test_further_caps() -> None:
    assert due(COB.model_copy(update={"accompanied_by": "adults"}), 20_000, 25, 2) == 5400
    assert due(COB.model_copy(update={"per_booking_cents": 3000}), 20_000, 25) == 3000
    assert [due(COB, 20_000, 25, group_left=left) for left in (9000, 700, 0, -5)] == [5000, 700, 0, 0]


@given(rules, cents, people, people, caps)
def test_a_grant_is_the_most_that_every_bound_allows(
    rule: Funding, price: int, persons: int, accompanying: int, group_left: int | None
) -> None:
    granted = due(rule, price, persons, accompanying, group_left)
    counted = persons + accompanying * bool(rule.accompanied_by)

    def fits(amount: int) -> bool:
        return (
            counted > 0
            and amount * 100 <= price * rule.share_percent
            and (rule.per_person_cents is None or amount <= rule.per_person_cents * counted)
            and (rule.per_booking_cents is None or amount <= rule.per_booking_cents)
            and (group_left is None or amount <= group_left)
        )

    assert isinstance(granted, int)
    assert granted == 0 or fits(granted)
    assert not fits(granted + 1)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"share_percent": 0},
        {"share_percent": 101},
        {"share_percent": 33.3},
        {"share_percent": 50, "per_person_cents": 2.0},
        {"share_percent": 50, "per_person_cents": -1},
        {"share_percent": 50, "period": "month"},
        {"share_percent": 50, "amount_cents": 1},
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Funding(**values)


def test_all_or_nothing() -> None:
    assert outcome(500, 500) is Outcome.GRANTED
    assert outcome(500, 499) is Outcome.NOT_ENOUGH_LEFT
    assert outcome(500, None) is Outcome.NO_BUDGET
    assert outcome(0, None) is Outcome.NOTHING_DUE


def test_years() -> None:
    assert period_of(PeriodKind.CALENDAR_YEAR, date(2026, 12, 31)) == YEAR
    school = Period("2026-27", date(2026, 8, 1), date(2027, 7, 31))
    assert {period_of(PeriodKind.SCHOOL_YEAR, day) for day in (school.start, school.end)} == {school}
    assert period_named(PeriodKind.SCHOOL_YEAR, "2099-00") is not None
    for kind, key in (
        (PeriodKind.SCHOOL_YEAR, "2026"),
        (PeriodKind.SCHOOL_YEAR, "2026-28"),
        (PeriodKind.CALENDAR_YEAR, "2026-27"),
        (PeriodKind.CALENDAR_YEAR, "1999"),
        (PeriodKind.CALENDAR_YEAR, "٢٠٢٦"),
    ):
        assert period_named(kind, key) is None, key
    assert period_of(PeriodKind.SCHOOL_YEAR, date.max) is None


@given(st.sampled_from(PeriodKind), st.dates(date(2001, 1, 1), date(2099, 12, 31)))
def test_every_day_lies_in_the_one_year_that_its_key_names(kind: PeriodKind, day: date) -> None:
    period = period_of(kind, day)
    assert period is not None
    assert period.start <= day <= period.end
    assert period_named(kind, period.key) == period
    assert period_of(kind, period.start - timedelta(days=1)) != period


def days(outlook: BudgetForecast) -> list[date]:
    """Earliest, likely, latest; never is later than any day."""
    return [day or date.max for day in (outlook.earliest, outlook.likely, outlook.latest)]


def test_the_pace_of_the_last_weeks() -> None:
    uses = {TODAY - timedelta(weeks=week): 7000 for week in range(8)}
    steady = forecast(70_000, uses, YEAR, YEAR.start, TODAY)
    assert steady.earliest == steady.likely == steady.latest == TODAY + timedelta(days=70)
    assert (steady.weekly_cents, steady.weeks) == (7000, 8)
    uses[TODAY - timedelta(days=1)] = 28_000
    uneven = forecast(70_000, uses, YEAR, YEAR.start, TODAY)
    assert days(uneven) == [TODAY + timedelta(days=days) for days in (35, 46, 70)]


def test_a_young_budget_is_judged_by_the_weeks_it_has() -> None:
    opened = TODAY - timedelta(days=17)
    outlook = forecast(7000, {TODAY: 1000, TODAY - timedelta(days=8): 1000}, YEAR, opened, TODAY)
    assert (outlook.weeks, outlook.weekly_cents) == (2, 1000)
    assert outlook.likely == TODAY + timedelta(weeks=7)


def test_an_earlier_autumn_is_remembered() -> None:
    """Little was used until June; last year that was the same, and then came November."""
    autumn = date(2025, 11, 10)
    earlier = [(BEFORE, {date(2025, 3, 1): 5000, autumn: 90_000})]
    uses = {date(2026, 3, 1): 10_000}
    assert days(forecast(100_000, uses, YEAR, YEAR.start, TODAY)) == [date.max] * 3
    outlook = forecast(100_000, uses, YEAR, YEAR.start, TODAY, earlier)
    assert (outlook.earliest, outlook.earlier) == (date(2026, 11, 10), ["2025"])
    assert outlook.likely is None, "one reckoning of four"


@given(lefts, spent, last_year)
def test_a_forecast_is_in_order_and_lies_between_today_and_the_periods_end(
    left: int, uses: dict[date, int], earlier: dict[date, int]
) -> None:
    outlook = forecast(left, uses, YEAR, YEAR.start, TODAY, [(BEFORE, earlier)])
    assert days(outlook) == sorted(days(outlook))
    assert all(TODAY <= day <= YEAR.end for day in days(outlook) if day != date.max)


@given(lefts, spent, last_year, st.dates(YEAR.start, TODAY), st.integers(1, 10**6))
def test_more_spent_is_never_later_dry(
    left: int, uses: dict[date, int], earlier: dict[date, int], day: date, more: int
) -> None:
    more = min(more, left)
    before = forecast(left, uses, YEAR, YEAR.start, TODAY, [(BEFORE, earlier)])
    uses = uses | {day: uses.get(day, 0) + more}
    after = forecast(left - more, uses, YEAR, YEAR.start, TODAY, [(BEFORE, earlier)])
    assert all(now <= then for now, then in zip(days(after), days(before), strict=True))


@given(lefts, last_year)
def test_what_is_not_used_does_not_run_dry(left: int, earlier: dict[date, int]) -> None:
    assert days(forecast(left, {}, YEAR, YEAR.start, TODAY, [(BEFORE, earlier)])) == [date.max] * 3


@given(spent, last_year)
def test_what_is_empty_is_dry_today(uses: dict[date, int], earlier: dict[date, int]) -> None:
    assert days(forecast(0, uses, YEAR, YEAR.start, TODAY, [(BEFORE, earlier)])) == [TODAY] * 3


def test_a_warning_is_not_taken_back_by_a_quiet_week() -> None:
    ample, tight, short = BudgetSituation
    sure = BudgetForecast(earliest=TODAY, likely=TODAY, weeks=2)
    doubtful = BudgetForecast(earliest=TODAY, weeks=8)
    new = BudgetForecast(earliest=TODAY, likely=TODAY, weeks=1)
    lasting = BudgetForecast()
    for before, outlook, after in (
        (ample, lasting, ample),
        (ample, doubtful, ample),
        (ample, new, ample),
        (ample, sure, tight),
        (tight, doubtful, tight),
        (tight, lasting, ample),
        (short, doubtful, tight),
    ):
        assert situation(before, short=False, outlook=outlook) is after
        assert situation(before, short=True, outlook=outlook) is short
