"""Opening hours as numbers that an index can filter by: OpenStreetMap's syntax enters, codes leave.

A code names a stretch of a kind of day: a quarter of an hour, an hour, or the whole day. A thing carries the fewest
codes that cover when it is open; a moment has three, and what holds any of them is open then. Kinds of day are the
weekdays, once ordinary and once as public holidays, and by month where hours follow the seasons. A holiday that the hours
do not mention is for them a Sunday.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from opening_hours import OpeningHours, ParserError, State  # type: ignore[attr-defined]

COUNTRY = "DE"  # nationwide holidays; further ones are named in `search.toml`
NATIONWIDE = "PH"
DAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
SUNDAY = 6
QUARTERS = 96
ALL_YEAR, MONTHS = 0, range(1, 13)
# Where a kind of day leaves room for its codes: quarters from 0, hours from 100, the whole day.
KIND, HOUR, DAY = 1000, 100, 200
YEAR = 2027
# The holidays of several years that fall on Monday to Sunday: what hours say of them they say of any.
HOLIDAYS = (
    date(2026, 4, 6),
    date(2029, 5, 1),
    date(2024, 5, 1),
    date(2026, 5, 14),
    date(2026, 4, 3),
    date(2026, 10, 3),
    date(2027, 10, 3),
)
_SEASONAL = re.compile(r"Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|week|easter|sun|d[au]")


class Calendar:
    """The town's time and its public holidays, written as opening hours too: `PH; Jan 06; easter +60 days`."""

    def __init__(self, zone: tzinfo, holidays: str = NATIONWIDE) -> None:
        self._zone = zone
        self._holidays = OpeningHours(holidays, country=COUNTRY)

    def codes(self, moment: datetime) -> list[int]:
        """What is open then carries one of these; a moment without an offset is the town's time."""
        local = moment.astimezone(self._zone) if moment.tzinfo else moment
        holiday = self._holidays.is_open(datetime.combine(local.date(), time(12)))
        kinds = (_kind(month, holiday, local.weekday()) for month in (ALL_YEAR, local.month))
        quarter = local.hour * 4 + local.minute // 15
        return [code for kind in kinds for code in (kind + quarter, kind + HOUR + local.hour, kind + DAY)]


@lru_cache(maxsize=10_000)
def open_codes(hours: str) -> tuple[int, ...]:
    """The codes of when it is open; none for hours that nobody can read."""
    try:
        said = OpeningHours(hours, country=COUNTRY)
    except ParserError:
        return ()
    months = MONTHS if _SEASONAL.search(hours) else (ALL_YEAR,)
    return tuple(
        code
        for month in months
        for holiday in (False, True)
        for weekday in range(7)
        for code in _of_day(
            said, _sample(month, weekday, holiday, "PH" in hours), _kind(month, holiday, weekday)
        )
    )


def open_weekdays(hours: str) -> list[str]:
    """The days of the week on which it is open at times, holidays aside."""
    kinds = {code // KIND for code in open_codes(hours)}
    return [
        day
        for number, day in enumerate(DAYS)
        if any(_kind(month, False, number) // KIND in kinds for month in (ALL_YEAR, *MONTHS))
    ]


def _kind(month: int, holiday: bool, weekday: int) -> int:
    return ((month * 2 + holiday) * 7 + weekday) * KIND


def _sample(month: int, weekday: int, holiday: bool = False, told: bool = True) -> date:
    """A day of this kind; what the hours do not tell of holidays they tell of Sundays."""
    if holiday and told:
        return HOLIDAYS[weekday]
    if holiday:
        weekday = SUNDAY
    first = date(YEAR, month or 3, 8)  # no nationwide holiday lies in the second week of a month of this year
    return first + timedelta((weekday - first.weekday()) % 7)


def _of_day(said: OpeningHours, day: date, kind: int) -> Iterator[int]:
    begin = datetime.combine(day, time())
    quarters = set[int]()
    for start, end, state, _ in said.intervals(begin, begin + timedelta(days=1)):
        if state == State.OPEN:
            # Only whole quarters: nobody is sent to a door that closes before they are there.
            quarters.update(range(-(-_minutes(start - begin) // 15), _minutes(end - begin) // 15))
    if len(quarters) == QUARTERS:
        yield kind + DAY
        return
    for hour in range(24):
        own = set(range(hour * 4, hour * 4 + 4))
        yield from [kind + HOUR + hour] if own <= quarters else (kind + one for one in sorted(own & quarters))


def _minutes(span: timedelta) -> int:
    return int(span.total_seconds()) // 60
