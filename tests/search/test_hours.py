"""Opening hours as codes: for every quarter of an hour they tell what the library tells."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from opening_hours import OpeningHours

from services.search import hours
from services.search.hours import HOLIDAYS, Calendar, open_codes, open_weekdays

BERLIN = ZoneInfo("Europe/Berlin")
BAVARIA = Calendar(BERLIN, "PH; Jan 06; easter +60 days; Nov 01")
SAID = [
    "24/7",
    "Mo-Fr 08:00-16:30; Sa 09:00-12:00",
    "Mo-Su 22:00-02:00",
    "Mo-Fr 08:00-12:00,13:15-17:45; PH off",
    "Apr-Oct 10:00-18:00; Nov-Mar 11:00-15:00; PH 12:00-14:00",
    "Mo off; Tu-Su 10:00-24:00",
]


def is_open(said: str, moment: datetime, calendar: Calendar = BAVARIA) -> bool:
    return not set(open_codes(said)).isdisjoint(calendar.codes(moment))


@pytest.mark.parametrize("said", SAID)
@settings(max_examples=60, deadline=None)
@given(st.integers(0, 365 * 96))
def test_codes_say_what_the_hours_say(said: str, quarter: int) -> None:
    moment = datetime(2026, 1, 7) + timedelta(minutes=15 * quarter)
    nationwide = OpeningHours("PH", country="DE")
    # Hours that do not mention holidays mean Sundays; the library takes them for ordinary days.
    assume("PH" in said or not nationwide.is_open(datetime.combine(moment.date(), time(12))))
    expected = OpeningHours(said, country="DE").is_open(moment)
    assert is_open(said, moment, Calendar(BERLIN)) == expected


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
    assert len(open_codes("24/7")) == 14
    assert len(open_codes("Mo-Fr 08:00-16:00")) == 40
    assert open_codes("nach Vereinbarung") == ()
    assert open_weekdays("nach Vereinbarung") == []


def test_weekdays_are_those_on_which_it_opens() -> None:
    assert open_weekdays("Mo-We 08:00-12:00; Jun Sa 10:00-12:00; Tu off") == ["mo", "we", "sa"]


def test_the_samples_are_what_they_stand_for() -> None:
    """The chosen days are holidays everywhere in the country, and the ordinary ones are none."""
    nationwide = OpeningHours("PH", country="DE")
    assert [day.weekday() for day in HOLIDAYS] == list(range(7))
    assert all(nationwide.is_open(datetime.combine(day, time(12))) for day in HOLIDAYS)
    ordinary = [hours._sample(month, weekday) for month in range(13) for weekday in range(7)]
    assert not any(nationwide.is_open(datetime.combine(day, time(12))) for day in ordinary)
