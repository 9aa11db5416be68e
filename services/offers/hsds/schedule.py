"""Opening hours and dates as HSDS schedules: recurrence in iCalendar's words, times with their distance from UTC."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.offers.exports.domain import Occasion, Shown, at
from services.offers.exports.frame import Frame
from services.offers.exports.weeks import is_weekly, week
from services.offers.hsds.vocabulary import derived

MOST_DATES = 50


def schedules(frame: Frame, shown: Shown) -> Iterator[dict[str, Any]]:
    """When an offer is to be had: by the week, on its dates, or from one day to another."""
    valid = {"valid_from": at(shown.content, "period.start"), "valid_to": at(shown.content, "period.end")}
    valid = {name: day for name, day in valid.items() if day}
    hours = shown.own.get(frame.standards(shown.board).hours or "")
    regular = list(_regular(frame, shown.id, hours, valid)) if hours else []
    standards = frame.standards(shown.board)
    dates = [_date(each) for each in _coming(shown, shown.own.get(standards.duration or ""))]
    yield from regular
    yield from dates
    if valid and not regular and not dates:
        yield {"id": derived(shown.id, "period"), **valid}


def _regular(frame: Frame, offer: str, hours: str, valid: dict[str, str]) -> Iterator[dict[str, Any]]:
    if is_weekly(hours):
        return _weekly(offer, hours, valid, _noon(frame, valid))
    # No rule of a week: told in the words in which it was written.
    return iter([{"id": derived(offer, "hours", "text"), "description": hours, **valid}])


def _noon(frame: Frame, valid: dict[str, str]) -> datetime:
    """Noon of the first day from now on on which hours are valid, in the town's time."""
    first = max(frame.today, date.fromisoformat(valid.get("valid_from", "0001-01-01")))
    return datetime.combine(first, time(12), ZoneInfo(frame.zone))


def _weekly(offer: str, hours: str, valid: dict[str, str], noon: datetime) -> Iterator[dict[str, Any]]:
    # A schedule names one distance from UTC, a town has two: the present one is told, and that it is not for ever.
    distance = noon.utcoffset() or timedelta()
    suffix = noon.isoformat()[-6:]
    days: dict[tuple[str, str], list[str]] = {}
    for day, opened in week(hours, noon.date()).items():
        for span in opened:
            days.setdefault(span, []).append(day.upper())
    for (opens, closes), names in days.items():
        yield {
            "id": derived(offer, "hours", opens, closes),
            "freq": "WEEKLY",
            "wkst": "MO",
            "byday": ",".join(names),
            "timezone": distance.total_seconds() / 3600,
            "opens_at": opens + suffix,
            # HSDS has no 24:00.
            "closes_at": ("23:59" if closes == "24:00" else closes) + suffix,
            "description": hours,
            "notes": f"Ortszeit ({noon.tzinfo}), Sommer wie Winter",
            **valid,
        }


def _coming(shown: Shown, minutes: int | None) -> list[Occasion]:
    return [each for each in shown.occasions(minutes) if not each.cancelled][:MOST_DATES]


def _date(occasion: Occasion) -> dict[str, Any]:
    start, end = occasion.starts_at, occasion.ends_at
    closes = {"closes_at": f"{end:%H:%M}Z"} if end else {}
    day = f"{start:%Y-%m-%d}"
    return {
        "id": derived(occasion.id, "date"),
        "dtstart": day,
        "valid_from": day,
        "valid_to": f"{end or start:%Y-%m-%d}",
        "timezone": 0,
        # Once; a recurrence rule is none without a frequency.
        "freq": "WEEKLY",
        "count": 1,
        "opens_at": f"{start:%H:%M}Z",
        **closes,
    }
