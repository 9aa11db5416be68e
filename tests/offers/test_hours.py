"""Opening hours: what is written is what was meant, and what is no hours is refused."""

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.offers.hours import DAYS, MAX_LENGTH, by_day, check_hours

times = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
spans = st.builds("{}-{}".format, times, times | st.just("24:00"))
weeks = st.dictionaries(st.sampled_from(DAYS), spans, min_size=1)


def unfolded(text: str) -> dict[str, str]:
    """Read the syntax back, independently of how it was written."""
    found = {}
    for rule in text.split("; "):
        days, _, span = rule.partition(" ")
        for part in days.split(","):
            first, _, last = part.partition("-")
            for day in DAYS[DAYS.index(first) : DAYS.index(last or first) + 1]:
                found[day] = span
    return found


@given(weeks)
def test_a_week_is_read_back_as_it_was_written(week: dict[str, str]) -> None:
    text = by_day(week)
    assert check_hours(text) is None
    assert unfolded(text) == week


@given(weeks)
def test_neighbours_with_the_same_hours_share_a_rule(week: dict[str, str]) -> None:
    days = [day for day in DAYS if day in week]
    changes = sum(DAYS.index(b) - DAYS.index(a) > 1 or week[a] != week[b] for a, b in pairwise(days))
    assert by_day(week).count(";") == changes


def test_some_weeks() -> None:
    work = dict.fromkeys(DAYS[:5], "07:00-18:00")
    assert by_day(work) == "Mo-Fr 07:00-18:00"
    assert by_day(work | {"Sa": "09:00-12:00"}) == "Mo-Fr 07:00-18:00; Sa 09:00-12:00"
    assert by_day({"Mo": "08:00-12:00", "We": "08:00-12:00"}) == "Mo 08:00-12:00; We 08:00-12:00"
    for good in (
        "24/7",
        "Mo-Fr 08:00-12:00,14:00-18:00",
        "Mo,We 10:00-24:00",
        "08:00-12:00",
        "Su off",
        "Mo-Fr 08:00-12:00; PH off",
        "Su,PH 10:00-14:00",
    ):
        assert check_hours(good) is None, good


@given(st.text() | st.none() | st.integers() | st.lists(st.text()))
def test_what_is_no_hours_is_refused_with_a_reason(value: object) -> None:
    reason = check_hours(value)
    if reason is None:
        assert isinstance(value, str)
        assert re.match(r"24/7$|(Mo|Tu|We|Th|Fr|Sa|Su|PH|\d\d:|off)", value)


def test_nearly_hours_are_none() -> None:
    wrong = [
        "",
        "Mo",
        "Mo 7:00-18:00",
        "Mo 25:00-26:00",
        "Mo-Fr 07:00-18:00;",
        "Mo-Fr 07:00-18:00\n",
        "mo 07:00-18:00",
        "PH-Mo 07:00-18:00",
    ]
    for value in [*wrong, "Mo 07:00-18:00; " * MAX_LENGTH]:
        assert check_hours(value), value
