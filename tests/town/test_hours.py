"""Opening hours: everything the specification allows is evaluated with the town's holidays, the rest is told as text."""

from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.contracts.offers import BoardField, FieldType
from libs.town.calendar import Calendar, read
from libs.town.hours import DAYS, MAX_LENGTH, by_date, by_day, is_open, readable, spans
from services.offers.boards.values import check

COBURG = read(Path("city"))
FIELD = BoardField(name="open", type=FieldType.HOURS, label={"de": "Zeiten"})
times = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
written = st.builds("{}-{}".format, times, times | st.just("24:00"))
weeks = st.dictionaries(st.sampled_from(DAYS), written, min_size=1)


def open_at(hours: str, moment: str, calendar: Calendar = COBURG) -> bool | None:
    """Whether it is open during the quarter of an hour from a local time on."""
    start = datetime.fromisoformat(moment)
    return is_open(hours, start, start.replace(minute=start.minute + 15), calendar)


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


@settings(deadline=None)
@given(weeks)
def test_a_week_is_read_back_as_it_was_written(week: dict[str, str]) -> None:
    text = by_day(week)
    assert readable(text)
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


# What people write, one moment at which it is open and one at which it is not.
WRITTEN = [
    ("24/7", "2026-12-25T03:00", None),
    ("Mo-Fr 08:00-18:00; PH off", "2026-12-23T09:00", "2026-12-25T09:00"),
    ("Mo-Fr 08:00-18:00", "2026-12-23T09:00", "2026-12-25T09:00"),
    ("Mo-Su 08:00-18:00", "2026-12-25T09:00", "2026-12-25T19:00"),
    ("Mo-Fr 08:00-18:00", "2027-01-05T09:00", "2027-01-06T09:00"),
    ("Mo-Fr 08:00-18:00; PH 10:00-12:00", "2027-01-06T10:00", "2027-01-06T09:00"),
    ("Su,PH 10:00-14:00", "2027-01-06T10:00", "2027-01-05T10:00"),
    ("PH -1 day 10:00-12:00", "2027-01-05T10:00", "2027-01-06T10:00"),
    ("Mo-Fr 07:00-17:00; SH 09:00-12:00", "2026-12-28T09:00", "2026-12-28T08:00"),
    ("SH Mo-Fr 09:00-12:00", "2026-12-28T09:00", "2027-01-02T09:00"),
    ("Mo-Fr 08:00-18:00; PH,SH off", "2026-12-21T09:00", "2026-12-28T09:00"),
    ("Tu 16:15-18:30, We 14:00-18:00", "2026-12-01T16:15", "2026-12-01T14:00"),
    ("Apr-Oct: Sa 10:00-14:00", "2027-04-10T10:00", "2027-03-06T10:00"),
    ("week 2-52/2 Mo 09:00-12:00", "2027-01-11T09:00", "2027-01-18T09:00"),
    ("Mo[1] 18:00-20:00", "2026-12-07T18:00", "2026-12-14T18:00"),
    ("sunrise-sunset", "2026-06-28T06:00", "2026-12-28T07:30"),
    ("Mo-Su 08:00-18:00; Dec 24-Jan 01 off", "2027-01-02T09:00", "2027-01-01T09:00"),
    ("07:00-17:00+", "2026-12-01T09:00", "2026-12-01T06:00"),
    ("7:00-12:00", "2026-12-01T07:00", "2026-12-01T06:00"),
    ("Mo 08:00-12:00;Sa 10:00-12:00", "2026-12-05T10:00", "2026-12-05T09:00"),
    ("Fr 18:00-02:00", "2026-12-05T01:00", "2026-12-05T02:00"),
    ("Mo-Th 22:00-02:00; PH off", "2027-01-05T23:00", "2027-01-06T23:00"),
    ('Mo-Fr 08:00-12:00 "SH nach Absprache"', "2026-12-21T09:00", "2026-12-21T13:00"),
]


@pytest.mark.parametrize(("hours", "opened", "closed"), WRITTEN)
def test_what_people_write_is_evaluated(hours: str, opened: str, closed: str | None) -> None:
    assert check(FIELD, hours) is None
    assert open_at(hours, opened) is True
    assert closed is None or open_at(hours, closed) is False


@pytest.mark.parametrize(
    "hours", ["nach Vereinbarung", '"nach Vereinbarung"', "Mo-Fr 8-12 Uhr", "Di 10:00-12:00"]
)
def test_what_cannot_be_evaluated_is_kept_and_not_guessed(hours: str) -> None:
    assert check(FIELD, hours) is None
    assert open_at(hours, "2026-12-01T10:00") is None


@pytest.mark.parametrize("value", ["", " ", 7, None, ["Mo"], "a\x00", "x" * (MAX_LENGTH + 1)])
def test_what_is_no_text_is_no_hours(value: object) -> None:
    assert (check(FIELD, value) is None) is (value is None)


@pytest.mark.parametrize(
    ("hours", "start", "end", "expected"),
    [
        ("24/7", "2026-05-01T22:00", "2026-05-03T04:00", True),
        ("Mo-Fr 08:00-18:00", "2026-05-07T08:00", "2026-05-07T18:00", True),
        ("Mo-Fr 08:00-12:00,13:00-18:00", "2026-05-07T11:00", "2026-05-07T14:00", False),
        ("Mo-Fr 08:00-12:00,12:00-18:00", "2026-05-07T11:00", "2026-05-07T14:00", True),
        ("Mo-Su 08:00-18:00; Th off", "2026-05-07T09:00", "2026-05-07T10:00", False),
        ("Th 18:00-02:00", "2026-05-07T20:00", "2026-05-08T02:00", True),
        ("Th 18:00-02:00", "2026-05-07T20:00", "2026-05-08T02:30", False),
        ("Mo-Fr 08:00-12:00; Sa 10:00-12:00 unknown", "2026-05-09T10:00", "2026-05-09T11:00", None),
    ],
)
def test_an_interval_lies_within_them_without_a_gap(
    hours: str, start: str, end: str, expected: bool | None
) -> None:
    found = is_open(hours, datetime.fromisoformat(start), datetime.fromisoformat(end), COBURG)
    assert found is expected


def test_which_hours_need_the_date() -> None:
    assert not any(
        map(by_date, ["24/7", "Apr-Oct 10:00-18:00; Nov-Mar 11:00-15:00", "Mo-Fr 20:00-20:30; PH off"])
    )
    assert all(
        map(by_date, ["Dec 24-Jan 01 off", "Mo[1] 10:00-12:00", "SH off", "week 1 off", "2027 Mar off"])
    )


def test_a_town_without_holidays_has_none() -> None:
    bare = Calendar(ZoneInfo("Europe/Berlin"))
    assert spans("Mo-Fr 08:00-18:00; PH off", date(2026, 12, 25), bare)
