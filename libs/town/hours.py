"""Opening hours (OpenStreetMap's `opening_hours`): the text that people write enters, when it is open leaves.

Everything that the specification allows is evaluated, with the town's own holidays for PH and SH. What nobody can
evaluate, such as `nach Vereinbarung`, is a text that is shown. A public holiday that hours do not mention is for them a
Sunday.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple
from zoneinfo import ZoneInfo

from opening_hours import OpeningHours, ParserError, State  # type: ignore[attr-defined]

from libs.town.calendar import PUBLIC, Calendar

DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
MAX_LENGTH = 500
WHOLE_DAY = 24 * 60
SUNDAY = 6
Off = Callable[[date], Iterable[str]]
Where = tuple[ZoneInfo, tuple[float, float]]

_QUOTED = re.compile(r'("[^"]*")')
_DAY = "|".join(DAYS)
_WEEKDAYS = rf"(?:{_DAY})(?:-(?:{_DAY}))?(?:,(?:{_DAY})(?:-(?:{_DAY}))?)*"
_OFF = re.compile(
    rf"\b(?P<kinds>(?:PH|SH)(?:,(?:PH|SH))*)\b"
    rf"(?:\s+(?P<shift>[+-]\d+)\s+days?\b)?(?:\s+(?P<days>{_WEEKDAYS})\b)?"
)
_MONTH = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_SUN = re.compile("sun(?:rise|set)|dawn|dusk")
_SEASONAL = re.compile(_MONTH)
# What a month and a day of the week do not settle: days and years by number, weeks, `Mo[1]`, school holidays, the sun.
_BY_DATE = re.compile(
    rf"(?:{_MONTH})\s*\d{{1,2}}(?![\d:])|\b(?:19|20)\d\d\b(?!:)|week|easter|\[|SH|PH\s+[+-]|{_SUN.pattern}"
)


class Span(NamedTuple):
    """Minutes of a day from `low` to `high`; `sure` is False where the hours say that it depends."""

    low: int
    high: int
    sure: bool = True


def readable(text: str) -> bool:
    """Whether the hours can be evaluated."""
    return _parsed(text, None) is not None


def seasonal(text: str) -> bool:
    """Whether it depends on the month when it is open."""
    return _SEASONAL.search(_unquoted(text)) is not None


def by_date(text: str) -> bool:
    """Whether a month and a day of the week do not settle when it is open."""
    return _BY_DATE.search(_unquoted(text)) is not None


def spans(text: str, day: date, calendar: Calendar, off: Off | None = None) -> list[Span]:
    """When it is open on a day, in order; nothing for hours that cannot be evaluated. `off` says otherwise than the
    calendar what a day is."""
    kinds = off or calendar.off
    own = _evaluated(text, day, calendar, kinds)
    if PUBLIC not in kinds(day) or PUBLIC in _unquoted(text) or (by_date(text) and not own):
        return own
    return _evaluated(text, _sunday(day), calendar, lambda _: ())


def is_open(text: str, start: datetime, end: datetime, calendar: Calendar) -> bool | None:
    """Whether an interval of local time lies within opening hours without a gap; None when that cannot be told."""
    if not readable(text):
        return None
    certain, day = True, datetime.combine(start.date(), time.min)
    while day < end:
        following = day + timedelta(days=1)
        low, high = _minutes(max(start, day) - day), _minutes(min(end, following) - day)
        found = spans(text, day.date(), calendar)
        if not _covered(low, high, found):
            return False
        certain = certain and _covered(low, high, [span for span in found if span.sure])
        day = following
    return True if certain else None


def by_day(spans_: dict[str, str]) -> str:
    """Write `{"Mo": "07:00-18:00", …}` in the syntax; neighbouring days with the same hours become a range."""
    rules = []
    for span, run in groupby((day for day in DAYS if day in spans_), key=lambda day: spans_[day]):
        rules += [f"{'-'.join(dict.fromkeys((part[0], part[-1])))} {span}" for part in _unbroken(list(run))]
    return "; ".join(rules)


def _unbroken(days: list[str]) -> list[list[str]]:
    """Cut at gaps: Monday and Wednesday are no range."""
    runs = groupby(enumerate(days), key=lambda pair: DAYS.index(pair[1]) - pair[0])
    return [[day for _, day in run] for _, run in runs]


def _covered(low: float, high: float, found: list[Span]) -> bool:
    reached = low
    for span in sorted(found):
        if span.low <= reached:
            reached = max(reached, span.high)
    return reached >= high


def _minutes(span: timedelta) -> float:
    return span.total_seconds() / 60


def _unquoted(text: str) -> str:
    return _QUOTED.sub("", text)


def _sunday(day: date) -> date:
    """The nearest Sunday, of the same month if need be farther away: hours may follow the seasons."""
    found = [day + timedelta(n) for n in range(-6, 7) if (day + timedelta(n)).weekday() == SUNDAY]
    return min(found, key=lambda each: (each.month != day.month, abs(each - day)))


def _evaluated(text: str, day: date, calendar: Calendar, off: Off) -> list[Span]:
    where = (calendar.zone, calendar.centre) if calendar.centre and _SUN.search(text) else None
    parsed = _parsed(_for_day(text, day, off), where)
    if parsed is None:
        return []
    begin = datetime.combine(day, time.min)
    found = []
    for start, end, state, comment in parsed.intervals(begin, begin + timedelta(days=1)):
        if state != State.CLOSED:
            low, high = (int(_minutes(each.replace(tzinfo=None) - begin)) for each in (start, end))
            # A remark alone, such as "nach Vereinbarung", is no hour at which anybody is surely there.
            remark = bool(comment) and (low, high) == (0, WHOLE_DAY)
            found.append(Span(low, high, state == State.OPEN and not remark))
    return found


def _for_day(text: str, day: date, off: Off) -> str:
    """The hours as they read for one day and what runs over from the day before: the library knows neither a region's
    holidays nor a school's, so the days of the week stand in their place."""
    pair = day - timedelta(days=1), day
    never = DAYS[(day.weekday() + 3) % 7]

    def named(found: re.Match[str]) -> str:
        kinds, shift = set(found["kinds"].split(",")), timedelta(int(found["shift"] or 0))
        listed = _weekdays(found["days"]) if found["days"] else range(7)
        meant = [each for each in pair if each.weekday() in listed and kinds.intersection(off(each - shift))]
        return ",".join(DAYS[each.weekday()] for each in meant) or never

    parts = _QUOTED.split(text)
    return "".join(part if part.startswith('"') else _OFF.sub(named, part) for part in parts)


def _weekdays(text: str) -> set[int]:
    found = set[int]()
    for part in text.split(","):
        first, _, last = part.partition("-")
        start, end = DAYS.index(first), DAYS.index(last or first)
        found |= {(start + step) % 7 for step in range((end - start) % 7 + 1)}
    return found


@lru_cache(maxsize=20_000)
def _parsed(text: str, where: Where | None) -> OpeningHours | None:
    zone, centre = where or (None, None)
    try:
        # Only where the library finds the country itself does it know where the sun is.
        return OpeningHours(text, zone, None, centre, auto_country=bool(where), auto_timezone=bool(where))
    except ParserError:
        return None
