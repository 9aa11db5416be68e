"""Rules of bookings as pure functions: the form, the life, deadlines and retention."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.offers.bookings.domain import (
    ACTIVE,
    FOLLOWS,
    BookingRules,
    BookingStatus,
    Terms,
    WaitingRules,
    answer_until,
    forget_at,
    offer_until,
    places_wanted,
    rules_of,
)
from services.offers.bookings.forms import FormField, FormKind, check_form

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LABEL = {"de": "Frage"}
OPTIONS: Any = [{"value": "a", "label": LABEL}, {"value": "b", "label": LABEL}]


def field(kind: FormKind, **more: Any) -> FormField:
    options = OPTIONS if kind in (FormKind.CHOICE, FormKind.CHOICES) else []
    return FormField.model_validate({"name": "x", "type": kind, "label": LABEL, "options": options} | more)


@pytest.mark.parametrize(
    ("asked", "good", "bad"),
    [
        (field(FormKind.TEXT, max_length=3), ["abc", ""], ["abcd", 1, "a\u0000", "\ud800", []]),
        (field(FormKind.INTEGER, min=1, max=9), [1, 9], [0, 10, True, 1.0, "1"]),
        (field(FormKind.BOOLEAN), [True, False], ["true", 0]),
        (field(FormKind.CHOICE), ["a"], ["c", ["a"], {}]),
        (field(FormKind.CHOICES), [["a", "b"], []], [["c"], "a", ["a", "a", "a"]]),
        (field(FormKind.DATE), ["2026-12-24"], ["24.12.2026", 20261224, ""]),
    ],
    ids=lambda value: value.type if isinstance(value, FormField) else "",
)
def test_what_a_form_admits(asked: FormField, good: list[Any], bad: list[Any]) -> None:
    assert [value for value in good if list(check_form([asked], {"x": value}))] == []
    assert [value for value in bad if not list(check_form([asked], {"x": value}))] == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(FormKind), JSON, st.booleans())
def test_no_answer_breaks_the_form(kind: FormKind, value: Any, required: bool) -> None:
    for name, reason in check_form([field(kind, required=required)], {"x": value, "y": value}):
        assert name in ("x", "y")
        assert reason


def test_what_is_required_and_what_is_unknown() -> None:
    asked = [field(FormKind.TEXT, required=True)]
    assert dict(check_form(asked, {"y": 1})) == {"y": "the form has no such field", "x": "required"}


def test_every_state_can_be_reached_and_only_active_ones_left() -> None:
    assert set(FOLLOWS) == set(BookingStatus)
    assert {before for befores in FOLLOWS.values() for before in befores} == set(ACTIVE)


def test_deadlines_never_outlive_the_first_date() -> None:
    rules, soon = BookingRules(answer_days=7), NOW + timedelta(days=2)
    assert answer_until(rules, NOW, None, UTC) == NOW + timedelta(days=7)
    assert answer_until(rules, NOW, soon, UTC) == soon
    assert offer_until(WaitingRules(hours=72), NOW, soon) == soon
    assert offer_until(WaitingRules(hours=1), NOW, soon) == NOW + timedelta(hours=1)


def test_what_is_personal_is_kept_from_the_end_on() -> None:
    rules, end = BookingRules(retention_days=30), NOW + timedelta(days=100)
    assert forget_at(rules, BookingStatus.APPROVED, NOW, end) == end + timedelta(days=30)
    assert forget_at(rules, BookingStatus.CANCELLED, NOW, end) == NOW + timedelta(days=30)
    assert forget_at(rules, BookingStatus.PENDING, NOW, None) == NOW + timedelta(days=30)


def test_an_offers_own_terms() -> None:
    board = BookingRules(max_dates=3, waiting=WaitingRules())
    rules = rules_of(board, Terms(auto_accept=True, max_places=2))
    assert (rules.auto_accept, rules.max_places, rules.max_dates, rules.waiting) == (
        True,
        2,
        3,
        WaitingRules(),
    )
    with pytest.raises(ValidationError):
        rules_of(board, Terms(min_dates=4))


@pytest.mark.parametrize(
    "said",
    [
        {"counted_by": "x"},
        {"counted_by": "x", "form": [{"name": "x", "type": "integer", "label": LABEL}]},
        {"form": [{"name": "x", "type": "text", "label": LABEL}] * 2},
        {"min_dates": 2},
        {"slots": {"min_minutes": 60, "max_minutes": 30}},
        {"slots": {"minutes": 20}},
    ],
)
def test_rules_that_contradict_themselves(said: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BookingRules.model_validate(said, strict=False)


def test_places_are_counted_by_the_form_where_the_board_says_so() -> None:
    counted = BookingRules(counted_by="x", form=[field(FormKind.INTEGER, required=True)])
    assert places_wanted(counted, None, {"x": 7}) == places_wanted(counted, 7, {"x": 7}) == 7
    assert (places_wanted(BookingRules(), None, {}), places_wanted(BookingRules(), 3, {})) == (1, 3)
    with pytest.raises(ValueError, match=r"form\.x"):
        places_wanted(counted, 6, {"x": 7})
