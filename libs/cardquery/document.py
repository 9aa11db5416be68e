"""What of a card is compared with a query, beside its own fields: a card enters, values by attribute leave.

They are what an index holds of the card, and what a single card is matched by.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from libs.cardquery.hours import DAYS, open_codes, open_weekdays
from libs.contracts.card import Card
from libs.town.calendar import Calendar

# An open end of a period, as a day; so one comparison serves all.
FIRST_DAY, LAST_DAY = date.min.toordinal(), date.max.toordinal()
MAX_MONTHS = 1500
MOST_DAYS = 31  # of one date
MOMENT = timedelta(microseconds=1)
NEVER = 2**40  # seconds, for what can be booked without an end


def described(card: Card, calendar: Calendar) -> dict[str, Any]:
    """When, where and for whom a thing is, as a query asks for it."""
    return _when(card, calendar) | _where(card) | _for_whom(card)


def _when(card: Card, calendar: Calendar) -> dict[str, Any]:
    """Days as ordinals. Dates are more exact than the period around them; what has neither is always to be had."""
    return _days(card, calendar) | _regularly(card, calendar) | _instants(card)


def _days(card: Card, calendar: Calendar) -> dict[str, Any]:
    if card.dates:
        return {"days": sorted({day.toordinal() for day in _own_days(card, calendar)})}
    start = card.period.start if card.period else None
    end = card.period.end if card.period else None
    return {
        "starts": start.toordinal() if start else FIRST_DAY,
        "ends": end.toordinal() if end else LAST_DAY,
    }


def _own_days(card: Card, calendar: Calendar) -> set[date]:
    """Every day of every date, from the first to the last: what begins on Monday and ends on Friday is on Wednesday."""
    found = {moment.astimezone(calendar.zone).date() for moment in card.dates}
    for span in card.spans:
        first = span.start.astimezone(calendar.zone).date()
        last = max(span.start, (span.end or span.start) - MOMENT).astimezone(calendar.zone).date()
        found.update(first + timedelta(number) for number in range(min((last - first).days, MOST_DAYS) + 1))
    return found


def _regularly(card: Card, calendar: Calendar) -> dict[str, Any]:
    """On which days of the week, as dates, opening hours or a facet of that name tell; and when it is open."""
    told = {DAYS[day.weekday()] for day in _own_days(card, calendar)}
    told.update(day for day in card.facets.get("weekdays", ()) if day in DAYS)
    if card.hours is None:
        return {"weekdays": sorted(told, key=DAYS.index)}
    told.update(open_weekdays(card.hours, calendar))
    return {"weekdays": sorted(told, key=DAYS.index), "open": open_codes(card.hours, calendar)}


def _instants(card: Card) -> dict[str, Any]:
    """Seconds to sort by: the first date, else the period's first day; since when it is public."""
    start = card.period.start if card.period else None
    begin = datetime.combine(start, time(), UTC) if start else None
    instants = {"soonest": min(card.dates, default=begin), "published": card.published_at}
    found = {name: int(instant.timestamp()) for name, instant in instants.items() if instant}
    closes = int(card.bookable_until.timestamp()) if card.bookable_until else NEVER
    return found | {"closes": closes}


def _for_whom(card: Card) -> dict[str, Any]:
    """Ages without open ends: what names none is for everybody."""
    low = card.age.from_months if card.age else None
    high = card.age.to_months if card.age else None
    return {"age_from": low or 0, "age_to": MAX_MONTHS if high is None else high}


def _where(card: Card) -> dict[str, Any]:
    place = card.place
    if place is None or place.lat is None or place.lon is None:
        return {}
    return {"_geo": {"lat": place.lat, "lng": place.lon}}
