"""How offers age: a board's days, and what follows from them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.offers.freshness.domain import ORDER, Freshness, Stage, answerable_until, span, stage_of

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
RULE = Freshness(overdue_days=90, hidden_days=180, remind_days=14)


@pytest.mark.parametrize(
    ("days", "stage"),
    [
        (0, Stage.FRESH),
        (75.9, Stage.FRESH),
        (76, Stage.REMINDED),
        (89.9, Stage.REMINDED),
        (90, Stage.OVERDUE),
        (179.9, Stage.OVERDUE),
        (180, Stage.HIDDEN),
        (4000, Stage.HIDDEN),
    ],
)
def test_a_stage_follows_from_the_days_since_the_check(days: float, stage: Stage) -> None:
    assert stage_of(RULE, NOW - timedelta(days=days), NOW) is stage


def test_without_a_rule_nothing_ages() -> None:
    assert stage_of(None, NOW - timedelta(days=5000), NOW) is Stage.FRESH


@st.composite
def rules(draw: st.DrawFn) -> Freshness:
    remind, overdue, hidden = sorted(draw(st.sets(st.integers(2, 365), min_size=3, max_size=3)))
    return Freshness(remind_days=remind, overdue_days=overdue, hidden_days=hidden)


@settings(max_examples=60, deadline=None)
@given(st.none() | rules(), st.integers(0, 900 * 24), st.integers(0, 900 * 24))
def test_offers_only_grow_older_and_are_in_one_stage(rule: Freshness | None, hours: int, more: int) -> None:
    since = NOW - timedelta(hours=hours)
    stages = [stage for stage in Stage if span(rule, stage, NOW)[0] < since <= span(rule, stage, NOW)[1]]
    assert stages == [stage_of(rule, since, NOW)]
    later = stage_of(rule, since, NOW + timedelta(hours=more))
    assert ORDER.index(later) >= ORDER.index(stages[0])


@pytest.mark.parametrize(
    "days",
    [{"overdue_days": 90, "hidden_days": 90}, {"overdue_days": 14, "hidden_days": 20, "remind_days": 14}],
)
def test_the_days_are_in_order(days: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        Freshness(**days)


def test_the_link_of_a_reminder_outlives_the_hiding() -> None:
    assert answerable_until(RULE, NOW) > NOW + timedelta(days=180)
