"""Opening hours as codes: for every quarter of an hour they tell what the town's one reader tells."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.cardquery.hours import moment_codes, open_codes, open_weekdays
from libs.town import hours
from libs.town.calendar import read

COBURG = read(Path("city"))
TODAY = date(2026, 11, 26)
SAID = [
    "24/7",
    "Mo-Fr 08:00-16:30; Sa 09:00-12:00",
    "Mo-Su 22:00-02:00",
    "Mo-Fr 08:00-12:00,13:15-17:45; PH off",
    "Apr-Oct 10:00-18:00; Nov-Mar 11:00-15:00; PH 12:00-14:00",
    "Mo off; Tu-Su 10:00-24:00",
    "Mo-Su 08:00-18:00; Dec 24-Jan 01 off",
    "Mo[1] 18:00-20:00",
    "Mo-Fr 07:00-17:00; SH 09:00-12:00",
]


def is_open(said: str, moment: datetime) -> bool:
    return not set(open_codes(said, COBURG, TODAY)).isdisjoint(moment_codes(moment, COBURG))


@pytest.mark.parametrize("said", SAID)
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 365 * 96))
def test_codes_say_what_the_hours_say(said: str, quarter: int) -> None:
    moment = datetime(2026, 11, 26) + timedelta(minutes=15 * quarter)
    assert is_open(said, moment) is hours.is_open(said, moment, moment + timedelta(minutes=15), COBURG)


def test_a_quarter_that_is_cut_short_does_not_count() -> None:
    monday = datetime(2026, 6, 8, 16, 0)
    assert is_open("Mo 08:00-16:25", monday)
    assert not is_open("Mo 08:00-16:25", monday.replace(minute=20))


def test_a_moment_is_the_towns() -> None:
    assert is_open("Mo 10:00-11:00", datetime(2026, 6, 8, 8, 30, tzinfo=UTC))
    assert is_open("Mo 10:00-11:00", datetime(2026, 6, 8, 10, 30))
    assert not is_open("Mo 10:00-11:00", datetime(2026, 6, 8, 10, 30, tzinfo=UTC))


@pytest.mark.parametrize("day", [date(2026, 1, 6), date(2026, 6, 4), date(2027, 11, 1), date(2026, 12, 25)])
def test_the_towns_own_holidays_close_what_closes_on_holidays(day: date) -> None:
    noon = datetime.combine(day, time(12))
    assert not is_open("Mo-Su 08:00-16:00; PH off", noon)
    assert is_open("Mo-Fr 08:00-16:00; PH 10:00-14:00", noon)


@pytest.mark.parametrize("day", [date(2026, 1, 6), date(2026, 12, 25)])
def test_a_holiday_that_is_not_mentioned_is_a_sunday(day: date) -> None:
    noon = datetime.combine(day, time(12))
    assert not is_open("Mo-Fr 08:00-16:00", noon)
    assert is_open("Mo-Su 08:00-16:00", noon)
    assert is_open("24/7", noon)


def test_codes_are_few_and_unreadable_hours_have_none() -> None:
    assert len(open_codes("24/7", COBURG, TODAY)) == 14
    assert len(open_codes("Mo-Fr 08:00-16:00", COBURG, TODAY)) == 40
    assert open_codes("nach Vereinbarung", COBURG, TODAY) == ()
    assert open_weekdays("nach Vereinbarung", COBURG, TODAY) == []


def test_weekdays_are_those_on_which_it_opens() -> None:
    assert open_weekdays("Mo-We 08:00-12:00; Jun Sa 10:00-12:00; Tu off", COBURG, TODAY) == ["mo", "we", "sa"]
    assert open_weekdays("Tu[1] 10:00-12:00; Sa[2] 10:00-12:00", COBURG, TODAY) == ["tu", "sa"]


def test_a_remark_is_no_hour_at_which_it_is_surely_open() -> None:
    assert open_codes('"nach Vereinbarung"', COBURG, TODAY) == ()
