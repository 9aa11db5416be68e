"""Opening hours as a week: when it is open from Monday to Sunday, for those whose formats know nothing else."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from libs.town.calendar import Calendar
from libs.town.hours import DAYS, WHOLE_DAY, by_date, readable, spans

Spans = tuple[tuple[str, str], ...]
Day = list[tuple[int, int]]


def is_weekly(hours: str) -> bool:
    """Whether a week says all of it."""
    return readable(hours) and not by_date(hours)


def week(hours: str, first: date) -> dict[str, Spans]:
    """The spans of each weekday of an ordinary week from a day on; what runs past midnight belongs to its evening."""
    calendar = Calendar(ZoneInfo("UTC"))  # such hours depend neither on the sun nor on holidays
    days = [first + timedelta(number) for number in range(-1, 8)]
    open_ = [[span[:2] for span in spans(hours, day, calendar, lambda _: ()) if span.sure] for day in days]
    found = {
        DAYS[day.weekday()]: _evenings(before, own, after)
        for day, before, own, after in zip(days[1:-1], open_, open_[1:], open_[2:], strict=False)
    }
    return {day: found[day] for day in DAYS if found[day]}


def _evenings(before: Day, own: Day, after: Day) -> Spans:
    ends, begins = dict(own), dict(after)
    late = [span for span in before if span[1] == WHOLE_DAY and span[0] > 0]
    if late and ends.get(0, WHOLE_DAY) < WHOLE_DAY:
        del ends[0]  # told with the evening before
    night = begins.get(0, WHOLE_DAY)
    closes = {
        low: night if high == WHOLE_DAY and low and night < WHOLE_DAY else high for low, high in ends.items()
    }
    return tuple((_clock(low), _clock(high)) for low, high in sorted(closes.items()))


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
