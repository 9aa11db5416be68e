"""Which dates a rule names: an independent reader finds the same, the clock keeps its time, and every rule ends."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events  # type: ignore[import-untyped]
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cli.home import ROOT
from libs.town.places import SaidPlace
from services.offers.sessions import town
from services.offers.sessions.domain import (
    HORIZON,
    DaysOff,
    Repeat,
    Skip,
    Span,
    When,
    check_period,
    check_venue,
    day_begins,
    day_ends,
    elsewhere,
    one_date,
    series,
)
from services.offers.sessions.recurrence import MAX_SESSIONS, Unfit, exists, occurrences, read_rule

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
LAST = datetime(2028, 11, 22)
COBURG = town.read(ROOT / "city")
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

firsts = st.datetimes(datetime(2026, 11, 23), datetime(2027, 9, 1)).map(
    lambda moment: moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)
)
some_days = st.lists(st.sampled_from(DAYS), min_size=1, max_size=3, unique=True).map(",".join)
months = st.lists(st.integers(1, 12).map(str), min_size=1, max_size=6, unique=True).map(",".join)
ordinals = st.sampled_from(("1", "2", "-1", "+3", "5"))
parts = st.one_of(
    st.fixed_dictionaries({"FREQ": st.just("DAILY")}, optional={"BYDAY": some_days, "BYMONTH": months}),
    st.fixed_dictionaries(
        {"FREQ": st.just("WEEKLY")}, optional={"BYDAY": some_days, "WKST": st.sampled_from(DAYS)}
    ),
    st.fixed_dictionaries(
        {"FREQ": st.just("MONTHLY"), "BYDAY": st.builds(str.__add__, ordinals, st.sampled_from(DAYS))}
    ),
    st.fixed_dictionaries(
        {"FREQ": st.just("MONTHLY"), "BYMONTHDAY": st.integers(-31, 31).filter(bool).map(str)},
        optional={"BYMONTH": months},
    ),
    st.fixed_dictionaries(
        {"FREQ": st.just("MONTHLY"), "BYDAY": some_days, "BYSETPOS": st.sampled_from(("1", "-1", "2"))}
    ),
    st.fixed_dictionaries({"FREQ": st.just("YEARLY")}, optional={"BYMONTH": months, "BYDAY": some_days}),
)
endings = st.one_of(
    st.integers(3, 60).map(lambda count: f"COUNT={count}"),
    st.dates(date(2027, 6, 1), date(2028, 11, 20)).map(lambda day: f"UNTIL={day:%Y%m%d}T220000"),
)


@st.composite
def rules(draw: st.DrawFn) -> str:
    named = draw(parts) | draw(st.fixed_dictionaries({}, optional={"INTERVAL": st.integers(1, 4).map(str)}))
    return ";".join([*(f"{name}={value}" for name, value in named.items()), draw(endings)])


def synchronised(rule: str, near: datetime) -> datetime:
    """The first date at or after a moment that the rule itself names."""
    try:
        occurrences(rule, near, LAST, BERLIN)
    except Unfit as error:
        _, _, first = error.reason.partition("the first is ")
        assume(first)
        return datetime.fromisoformat(first)
    return near


def read_independently(rule: str, first: datetime) -> list[datetime]:
    """The same rule as an event of a calendar, unfolded by another library."""
    # RFC 5545 wants UNTIL in UTC where the event has a zone.
    head, mark, until = rule.partition("UNTIL=")
    if mark:
        local = datetime.strptime(until, "%Y%m%dT%H%M%S").replace(tzinfo=BERLIN)
        rule = f"{head}{mark}{local.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:test",
        "BEGIN:VEVENT",
        "UID:1",
        f"DTSTART;TZID=Europe/Berlin:{first:%Y%m%dT%H%M%S}",
        f"DTEND;TZID=Europe/Berlin:{first + timedelta(hours=1):%Y%m%dT%H%M%S}",
        f"RRULE:{rule}",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    calendar = icalendar.Calendar.from_ical("\r\n".join(lines))
    events = recurring_ical_events.of(calendar).between(first - timedelta(1), LAST)
    return sorted(event.start.astimezone(BERLIN).replace(tzinfo=None) for event in events)


@settings(max_examples=80, deadline=None)
@given(rules(), firsts.filter(lambda moment: moment.hour > 3))
def test_an_independent_reader_finds_the_same_dates(rule: str, near: datetime) -> None:
    first = synchronised(rule, near)
    try:
        found = occurrences(rule, first, LAST, BERLIN)
    except Unfit as error:
        assert "two years" in error.reason or "more than" in error.reason
        return
    assert found == read_independently(rule, first)


@settings(max_examples=60, deadline=None)
@given(rules(), firsts)
def test_a_series_is_bounded_in_order_and_keeps_the_time_of_the_clock(rule: str, near: datetime) -> None:
    assume(exists(near, BERLIN))
    when = When(starts_at=near, ends_at=near + timedelta(minutes=90))
    try:
        spans, left_out = series(when, Repeat(rule=rule), BERLIN, NOW, {})
    except Unfit:
        return
    assert 0 < len(spans) <= MAX_SESSIONS
    assert all(a.start < b.start for a, b in pairwise(spans))
    assert {span.start.astimezone(BERLIN).time() for span in spans} == {near.time()}
    assert all(span.start <= NOW + HORIZON for span in spans)
    assert not left_out


def test_ten_o_clock_stays_ten_o_clock() -> None:
    first = datetime(2027, 3, 22, 10)
    spans, _ = series(
        When(starts_at=first, ends_at=datetime(2027, 3, 22, 12)),
        Repeat(rule="FREQ=WEEKLY;COUNT=2"),
        BERLIN,
        NOW,
        {},
    )
    assert [span.start.isoformat() for span in spans] == [
        "2027-03-22T09:00:00+00:00",
        "2027-03-29T08:00:00+00:00",
    ]
    assert {span.end - span.start for span in spans} == {timedelta(hours=2)}


def test_an_hour_that_does_not_exist_is_left_out_and_not_counted() -> None:
    found = occurrences("FREQ=DAILY;COUNT=3", datetime(2027, 3, 27, 2, 30), LAST, BERLIN)
    assert [start.day for start in found] == [27, 29, 30]
    with pytest.raises(Unfit, match="starts_at: does not exist"):
        one_date(When(starts_at=datetime(2027, 3, 28, 2, 30), ends_at=datetime(2027, 3, 28, 5)), BERLIN, NOW)


def test_an_hour_that_comes_twice_is_the_first_of_both() -> None:
    twice = datetime(2027, 10, 31, 2, 30)
    span = one_date(When(starts_at=twice, ends_at=datetime(2027, 10, 31, 4)), BERLIN, NOW)
    assert span == Span(datetime(2027, 10, 31, 0, 30, tzinfo=UTC), datetime(2027, 10, 31, 3, tzinfo=UTC))
    later = datetime(2027, 10, 31, 1, 30, tzinfo=UTC)
    when = When(starts_at=later, ends_at=later + timedelta(hours=1))
    assert one_date(when, BERLIN, NOW).start == later, "with a zone, both can be meant"
    with pytest.raises(Unfit, match="comes twice"):
        series(when, Repeat(rule="FREQ=DAILY;COUNT=2"), BERLIN, NOW, {})


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("", "is no part"),
        ("WEEKLY", "is no part"),
        ("FREQ=HOURLY;COUNT=3", "FREQ: HOURLY"),
        ("FREQ=MINUTELY;COUNT=3", "FREQ: MINUTELY"),
        ("FREQ=WEEKLY", "COUNT or UNTIL"),
        ("FREQ=WEEKLY;COUNT=3;UNTIL=20270101", "COUNT or UNTIL"),
        ("COUNT=3", "FREQ: how often"),
        ("FREQ=WEEKLY;COUNT=0", "COUNT: 0"),
        ("FREQ=WEEKLY;COUNT=9999", "COUNT: 9999"),
        ("FREQ=DAILY;COUNT=367", "more than 366"),
        ("FREQ=DAILY;UNTIL=20280101", "more than 366"),
        ("FREQ=WEEKLY;COUNT=300", "COUNT reaches more than two years"),
        ("FREQ=WEEKLY;UNTIL=20300101", "UNTIL lies more than two years"),
        ("FREQ=WEEKLY;UNTIL=20270230", "there is no 20270230"),
        ("FREQ=WEEKLY;UNTIL=00010101", "too far off"),
        ("FREQ=WEEKLY;BYDAY=XX;COUNT=2", "BYDAY: XX"),
        ("FREQ=WEEKLY;BYDAY=2MO;COUNT=2", "numbered days"),
        ("FREQ=WEEKLY;BYMONTHDAY=2;COUNT=2", "BYMONTHDAY: not together"),
        ("FREQ=DAILY;BYHOUR=9,15;COUNT=2", "BYHOUR: every date"),
        ("FREQ=DAILY;COUNT=2;COUNT=3", "stands twice"),
        ("FREQ=MONTHLY;BYSETPOS=1;COUNT=2", "BYSETPOS: needs"),
        ("FREQ=WEEKLY;BYEASTER=0;COUNT=2", "is no part"),
        ("FREQ=WEEKLY;COUNT=٣", "COUNT"),
    ],
)
def test_a_rule_that_is_none_is_refused_with_the_reason(rule: str, reason: str) -> None:
    with pytest.raises(Unfit) as told:
        occurrences(rule, datetime(2026, 11, 23, 10), LAST, BERLIN)
    assert told.value.field == "repeat.rule"
    assert reason in told.value.reason


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=1",
        "FREQ=DAILY;INTERVAL=7;BYDAY=TU;COUNT=1",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31;COUNT=9",
        "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=5;COUNT=9",
    ],
)
def test_a_rule_that_names_nothing_comes_to_an_end(rule: str) -> None:
    with pytest.raises(Unfit, match="none of the dates"):
        occurrences(rule, datetime(2026, 11, 23, 10), LAST, BERLIN)


@given(st.text("ABCDEFIMNOQRTUWY=;,+-0123456789", max_size=60))
def test_whatever_is_written_is_a_rule_or_refused(text: str) -> None:
    try:
        assert "FREQ" in read_rule(text)
    except Unfit as error:
        assert error.field == "repeat.rule"


def test_the_first_date_is_one_that_the_rule_names() -> None:
    with pytest.raises(Unfit, match="the first is 2026-11-24T10:00"):
        occurrences("FREQ=WEEKLY;BYDAY=TU;COUNT=2", datetime(2026, 11, 23, 10), LAST, BERLIN)


def test_until_as_a_day_includes_it_and_in_utc_is_the_towns_time() -> None:
    first = datetime(2026, 11, 23, 10)
    assert len(occurrences("FREQ=WEEKLY;UNTIL=20261207", first, LAST, BERLIN)) == 3
    assert len(occurrences("FREQ=WEEKLY;UNTIL=20261207T090000Z", first, LAST, BERLIN)) == 3
    assert len(occurrences("FREQ=WEEKLY;UNTIL=20261207T085959Z", first, LAST, BERLIN)) == 2


def tuesdays(**more: object) -> tuple[list[str], list[tuple[str, str]]]:
    repeat = Repeat.model_validate({"rule": "FREQ=WEEKLY;UNTIL=20270131", **more})
    when = When(starts_at=datetime(2026, 12, 1, 15), ends_at=datetime(2026, 12, 1, 16))
    off: Mapping[Skip, DaysOff] = COBURG.days_off(range(2026, 2028))
    spans, left_out = series(when, repeat, BERLIN, NOW, off)
    return [f"{span.start:%m-%d}" for span in spans], [(f"{day:%m-%d}", why) for day, why in left_out]


def test_days_are_left_out_for_a_reason() -> None:
    taken, left_out = tuesdays(skip=["public_holidays", "school_holidays"], exdates=[date(2026, 12, 8)])
    assert taken == ["12-01", "12-15", "12-22", "01-12", "01-19", "01-26"]
    assert left_out == [("12-08", "exdates"), ("12-29", "school_holidays"), ("01-05", "school_holidays")]
    assert len(tuesdays()[0]) == 9


def test_what_is_left_out_counts_as_the_standard_says() -> None:
    taken, left_out = tuesdays(rule="FREQ=WEEKLY;COUNT=6", skip=["school_holidays"])
    assert (len(taken), len(left_out)) == (4, 2)


def test_a_series_that_has_begun_gets_what_is_still_to_come() -> None:
    when = When(starts_at=datetime(2026, 11, 10, 9), ends_at=datetime(2026, 11, 10, 10))
    spans, left_out = series(when, Repeat(rule="FREQ=WEEKLY;COUNT=4"), BERLIN, NOW, {})
    assert [span.start.day for span in spans] == [24, 1]
    assert left_out == [(date(2026, 11, 10), "past"), (date(2026, 11, 17), "past")]
    with pytest.raises(Unfit, match="still to come"):
        series(when, Repeat(rule="FREQ=WEEKLY;COUNT=2"), BERLIN, NOW, {})


def test_nobody_counts_on_school_holidays_that_are_not_known() -> None:
    off: dict[Skip, DaysOff] = {"school_holidays": DaysOff(frozenset(), date(2026, 12, 31))}
    when = When(starts_at=datetime(2026, 12, 1, 9), ends_at=datetime(2026, 12, 1, 10))
    late, early = "FREQ=WEEKLY;UNTIL=20270131", "FREQ=WEEKLY;UNTIL=20261231"
    with pytest.raises(Unfit, match="known until 2026-12-31 only"):
        series(when, Repeat(rule=late, skip=["school_holidays"]), BERLIN, NOW, off)
    with pytest.raises(Unfit, match="no list of public_holidays"):
        series(when, Repeat(rule=early, skip=["public_holidays"]), BERLIN, NOW, off)
    assert series(when, Repeat(rule=early, skip=["school_holidays"]), BERLIN, NOW, off)[1] == []


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "field"),
    [
        (NOW + HOUR, NOW + HOUR, "ends_at"),
        (NOW + HOUR, NOW + timedelta(days=40), "ends_at"),
        (NOW - 2 * HOUR, NOW - HOUR, "starts_at"),
        (NOW + HORIZON + HOUR, NOW + HORIZON + 2 * HOUR, "starts_at"),
    ],
)
def test_a_date_that_cannot_be(starts_at: datetime, ends_at: datetime, field: str) -> None:
    with pytest.raises(Unfit) as told:
        one_date(When(starts_at=starts_at, ends_at=ends_at), BERLIN, NOW)
    assert told.value.field == field


def test_sessions_lie_within_the_offers_period() -> None:
    evening = Span(datetime(2026, 12, 31, 22, 30, tzinfo=UTC), datetime(2026, 12, 31, 23, 30, tzinfo=UTC))
    check_period([evening], BERLIN, date(2026, 12, 31), date(2026, 12, 31))
    with pytest.raises(Unfit, match="ends on 2026-12-30"):
        check_period([evening], BERLIN, None, date(2026, 12, 30))
    with pytest.raises(Unfit, match="begins on 2027-01-01"):
        check_period([evening], BERLIN, date(2027, 1, 1), None)


def test_a_day_of_the_town_has_the_length_that_the_clocks_give_it() -> None:
    lengths = [
        day_ends(day, BERLIN) - day_begins(day, BERLIN) for day in (date(2027, 3, 28), date(2027, 10, 31))
    ]
    assert lengths == [timedelta(hours=23), timedelta(hours=25)]


def test_a_venue_says_only_what_the_town_knows_of() -> None:
    check_venue(SaidPlace(accessibility=["lift", "hearing-loop"]), COBURG.accessibility)
    check_venue(SaidPlace(accessibility=["whatever"]), [])
    with pytest.raises(Unfit, match="whatever is none of wheelchair"):
        check_venue(SaidPlace(accessibility=["lift", "whatever"]), COBURG.accessibility)


def test_another_place_is_not_the_same_place_described_anew() -> None:
    here = SaidPlace(street="Markt 1", lat=50.2, lon=10.9)
    assert not elsewhere(here, SaidPlace(street="Markt 1", lat=50.2, lon=10.9, accessibility=["lift"]))
    assert elsewhere(here, None)
    assert elsewhere(here, SaidPlace(street="Markt 2", lat=50.2, lon=10.9))


def test_the_days_off_of_coburg() -> None:
    names = COBURG.calendar.public(2027)
    assert names[date(2027, 1, 6)]["de"] == "Heilige Drei Könige"
    assert {"de", "en"} <= set(names[date(2027, 5, 27)])
    assert date(2027, 8, 15) not in names, "Mariä Himmelfahrt is kept elsewhere"
    assert date(2027, 8, 8) not in names, "the Friedensfest is Augsburg's"
    assert date(2027, 11, 17) not in names, "Buß- und Bettag is no holiday in Bavaria"
    off = COBURG.days_off(range(2026, 2029))
    assert date(2027, 11, 17) in off["school_holidays"].days, "but there are no lessons"
    assert date(2027, 5, 27) in off["public_holidays"].days


def test_school_holidays_are_in_order_and_do_not_overlap() -> None:
    assert COBURG.calendar.school is not None
    runs = COBURG.calendar.school.school
    assert all(run.start <= run.end for run in runs)
    assert all(a.end < b.start for a, b in pairwise(runs))
    assert runs[-1].end == COBURG.calendar.school.known_until
    assert len(runs) == 21, "seven a school year"
    assert all({"de", "en"} <= set(run.name) for run in runs)


def test_a_town_without_holidays_has_none(tmp_path: Path) -> None:

    (tmp_path / "city.toml").write_text('timezone = "Europe/Berlin"\nlanguages = ["de"]\n', encoding="utf-8")
    bare = town.read(tmp_path)
    assert bare.calendar.public(2027) == {}
    assert bare.days_off(range(2026, 2028)) == {}


def test_a_month_over_the_change_of_the_clocks_is_no_longer_than_another() -> None:
    start = datetime(2027, 10, 8, 10)
    order = When(starts_at=start, ends_at=start + timedelta(days=31))
    assert one_date(order, BERLIN, NOW).end - one_date(order, BERLIN, NOW).start == timedelta(
        days=31, hours=1
    )
