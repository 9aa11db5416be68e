"""Opening hours: the everyday part of the OpenStreetMap syntax, such as `Mo-Fr 07:00-18:00; Sa 09:00-12:00; PH off`.

PH are public holidays; hours that do not mention them mean them as they mean Sundays.
"""

import re
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
