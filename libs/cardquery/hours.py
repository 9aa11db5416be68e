"""Opening hours as numbers that an index can filter by: OpenStreetMap's syntax enters, codes leave.

A code names a stretch of a kind of day: a quarter of an hour, an hour, or the whole day. A thing carries the fewest
codes that cover when it is open; a moment has some, and what holds any of them is open then. Kinds of day are the
weekdays, once ordinary and once as public holidays, and by month where hours follow the seasons. Hours that depend on
the date (`Dec 24-Jan 01 off`, `Mo[1]`, school holidays, the sun) carry the days of a year to come one by one.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache

from libs.town.calendar import PUBLIC, Calendar
from libs.town.hours import by_date, readable, seasonal, spans

DAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
QUARTERS = 96
ALL_YEAR, MONTHS = 0, range(1, 13)
# Where a kind of day leaves room for its codes: quarters from 0, hours from 100, the whole day.
KIND, HOUR, DAY = 1000, 100, 200
YEAR = 2027
# How far ahead the days are told one by one; things are told anew more often than that.
AHEAD_DAYS = 400


def moment_codes(moment: datetime, calendar: Calendar) -> list[int]:
    """What is open then carries one of these; a moment without an offset is the town's time."""
    local = moment.astimezone(calendar.zone) if moment.tzinfo else moment
    day = local.date()
    holiday = PUBLIC in calendar.off(day)
    kinds = [_kind(month, holiday, day.weekday()) for month in (ALL_YEAR, day.month)]
    quarter = local.hour * 4 + local.minute // 15
    return [
        code
        for kind in [*kinds, _own_kind(day)]
        for code in (kind + quarter, kind + HOUR + local.hour, kind + DAY)
    ]


def open_codes(hours: str, calendar: Calendar, today: date | None = None) -> tuple[int, ...]:
    """The codes of when it is surely open; none for hours that nobody can read. Single days count from today."""
    if by_date(hours):
        return _by_days(hours, calendar, today or datetime.now(calendar.zone).date())
    return _by_kinds(hours, calendar) if readable(hours) else ()


def open_weekdays(hours: str, calendar: Calendar, today: date | None = None) -> list[str]:
    """The days of the week on which it is open at times, holidays aside."""
    kinds = {code // KIND for code in open_codes(hours, calendar, today)}
    ordinals = {date.fromordinal(kind).weekday() for kind in kinds if kind > _LAST_KIND}
    return [
        day
        for number, day in enumerate(DAYS)
        if number in ordinals
        or any(_kind(month, False, number) // KIND in kinds for month in (ALL_YEAR, *MONTHS))
    ]


@lru_cache(maxsize=10_000)
def _by_kinds(hours: str, calendar: Calendar) -> tuple[int, ...]:
    months = MONTHS if seasonal(hours) else (ALL_YEAR,)
    return tuple(
        code
        for month in months
        for holiday in (False, True)
        for weekday in range(7)
        for code in _of_kind(hours, calendar, month, weekday, holiday=holiday)
    )


def _of_kind(hours: str, calendar: Calendar, month: int, weekday: int, *, holiday: bool) -> Iterator[int]:
    sample = _sample(month, weekday)
    off = (PUBLIC,) if holiday else ()
    open_ = [
        span[:2]
        for span in spans(hours, sample, calendar, lambda day: off if day == sample else ())
        if span.sure
    ]
    yield from _of_day(open_, _kind(month, holiday, weekday))


@lru_cache(maxsize=1_000)
def _by_days(hours: str, calendar: Calendar, today: date) -> tuple[int, ...]:
    days = [today + timedelta(number) for number in range(AHEAD_DAYS)]
    found = {day: [span[:2] for span in spans(hours, day, calendar) if span.sure] for day in days}
    return tuple(code for day, open_ in found.items() for code in _of_day(open_, _own_kind(day)))


def _kind(month: int, holiday: bool, weekday: int) -> int:
    return ((month * 2 + holiday) * 7 + weekday) * KIND


_LAST_KIND = _kind(12, True, 6) // KIND


def _own_kind(day: date) -> int:
    return day.toordinal() * KIND


def _sample(month: int, weekday: int) -> date:
    """A day of this kind."""
    first = date(YEAR, month or 3, 8)
    return first + timedelta((weekday - first.weekday()) % 7)


def _of_day(open_: list[tuple[int, int]], kind: int) -> Iterator[int]:
    quarters = set[int]()
    for low, high in open_:
        # Only whole quarters: nobody is sent to a door that closes before they are there.
        quarters.update(range(-(-low // 15), high // 15))
    if len(quarters) == QUARTERS:
        yield kind + DAY
        return
    for hour in range(24):
        own = set(range(hour * 4, hour * 4 + 4))
        yield from [kind + HOUR + hour] if own <= quarters else (kind + one for one in sorted(own & quarters))
