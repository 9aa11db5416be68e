"""Opening hours: the everyday part of the OpenStreetMap syntax, such as `Mo-Fr 07:00-18:00; Sa 09:00-12:00; PH off`.

PH are public holidays; hours that do not mention them mean them as they mean Sundays.
"""

import re
from datetime import datetime, time, timedelta
from itertools import groupby
from typing import Any

DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_TIME = r"(?:[01]\d|2[0-3]):[0-5]\d"
_SPAN = rf"{_TIME}-(?:{_TIME}|24:00)"
_DAY = "|".join(DAYS)
_RANGE = rf"(?:(?:{_DAY})(?:-(?:{_DAY}))?|PH)"
_DAYS = rf"{_RANGE}(?:,{_RANGE})*"
_RULE = rf"(?:{_DAYS} )?(?:{_SPAN}(?:,{_SPAN})*|off)"
HOURS = re.compile(rf"^{_RULE}(?:; {_RULE})*\Z|^24/7\Z")
MAX_LENGTH = 500
DAY = 24 * 60


def check_hours(value: Any) -> str | None:
    """Why a value is no opening hours; None when it is."""
    fits = isinstance(value, str) and len(value) <= MAX_LENGTH and HOURS.match(value)
    return None if fits else "opening hours such as Mo-Fr 07:00-18:00; Sa 09:00-12:00"


def by_day(spans: dict[str, str]) -> str:
    """Write `{"Mo": "07:00-18:00", …}` in the syntax; neighbouring days with the same hours become a range."""
    rules = []
    for span, run in groupby((day for day in DAYS if day in spans), key=lambda day: spans[day]):
        rules += [f"{'-'.join(dict.fromkeys((part[0], part[-1])))} {span}" for part in _unbroken(list(run))]
    return "; ".join(rules)


def _unbroken(days: list[str]) -> list[list[str]]:
    """Cut at gaps: Monday and Wednesday are no range."""
    runs = groupby(enumerate(days), key=lambda pair: DAYS.index(pair[1]) - pair[0])
    return [[day for _, day in run] for _, run in runs]


def is_open(hours: str, start: datetime, end: datetime) -> bool:
    """Whether an interval of local time lies within opening hours without a gap."""
    day = datetime.combine(start.date(), time.min)
    while day < end:
        following = day + timedelta(days=1)
        piece = (_minutes(max(start, day) - day), _minutes(min(end, following) - day))
        if not any(low <= piece[0] and piece[1] <= high for low, high in _open_on(hours, day.weekday())):
            return False
        day = following
    return True


def _minutes(span: timedelta) -> float:
    return span.total_seconds() / 60


def _open_on(hours: str, weekday: int) -> list[tuple[int, int]]:
    """The open spans of a weekday in minutes, joined where they touch; what began on the day before runs on."""
    if hours == "24/7":
        return [(0, DAY)]
    own, before = _spans(hours, weekday), _spans(hours, (weekday - 1) % 7)
    open_ = sorted(
        [(low, high if high > low else DAY) for low, high in own]
        + [(0, high) for low, high in before if high <= low]
    )
    joined: list[tuple[int, int]] = []
    for low, high in open_:
        if joined and low <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(high, joined[-1][1])
        else:
            joined.append((low, high))
    return joined


def _spans(hours: str, weekday: int) -> list[tuple[int, int]]:
    """What the last rule for a weekday says; a later rule stands instead of an earlier one."""
    found: list[tuple[int, int]] = []
    for rule in hours.split("; "):
        days, _, times = rule.rpartition(" ")
        if not days or weekday in _weekdays(days):
            spans = [] if times == "off" else [span.split("-") for span in times.split(",")]
            found = [(_minute(low), _minute(high)) for low, high in spans]
    return found


def _weekdays(days: str) -> set[int]:
    found: set[int] = set()
    for part in days.split(","):
        first, _, last = part.partition("-")
        start, end = DAYS.index(first), DAYS.index(last or first)
        found |= {(start + step) % 7 for step in range((end - start) % 7 + 1)}
    return found


def _minute(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])
