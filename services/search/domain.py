"""From a card to the document that is indexed: an event enters, a `Change` of the index leaves. No I/O."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from pydantic_core import to_json

from libs.contracts.card import Card
from libs.contracts.event import NAME, Envelope
from libs.contracts.offers import BoardFact
from libs.servicekit.delivery import Malformed
from libs.town.calendar import Calendar
from services.search.findable import findable
from services.search.hours import DAYS, open_codes, open_weekdays

# An open end of a period, as a day; so one comparison serves all.
FIRST_DAY, LAST_DAY = date.min.toordinal(), date.max.toordinal()
MAX_MONTHS = 1500
MOST_DAYS = 31  # of one date
MOMENT = timedelta(microseconds=1)
NEVER = 2**40  # seconds, for what can be booked without an end


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be known of one thing from `version` on; `document` is JSON.

    `boost` and `fields` (of action) decide how it ranks; a tombstone has no rank.
    """

    key: str
    version: int
    document: bytes
    boost: float | None = None
    fields: tuple[str, ...] = ()

    def ranked(self, lifts: Mapping[str, float]) -> bytes:
        """The document with its place among equals, as these factors of fields of action lift it."""
        if self.boost is None:
            return self.document
        return self.document[:-1] + b"," + to_json(rank(self.boost, self.fields, lifts))[1:]


def rank(boost: float, fields: Iterable[str], lifts: Mapping[str, float]) -> dict[str, float]:
    """What a thing is lifted by, and its place among equals that follows; of several factors the highest counts."""
    lift = max((lifts.get(field, 1.0) for field in fields), default=1.0)
    return {"lift": lift, "rank": boost * lift}


def change(event: Envelope[Any], calendar: Calendar) -> Change | None:
    """The change an event makes; None for a fact without a card. Raises Malformed for a type that is no event's."""
    card: Card | None = event.data.card
    if card is None:
        return None
    name = NAME.match(event.name)
    if name is None:
        raise Malformed(f"type {event.type!r} does not end in <service>.<aggregate>.<fact>.v<major>")
    key = f"{name['service']}-{name['aggregate']}-{event.subject}"
    identity: dict[str, Any] = {"key": key, "id": event.subject, "version": event.version}
    if card.listed and isinstance(event.data, BoardFact):
        identity["declares"] = [field.model_dump(mode="json") for field in event.data.fields]
    if not card.listed:
        return Change(key, event.version, _tombstone(identity, card))
    document = _document(identity, card, calendar)
    return Change(key, event.version, document, card.boost, tuple(card.fields_of_action))


def newest(changes: Iterable[Change]) -> list[Change]:
    """Of several changes of one thing the one that counts."""
    found: dict[str, Change] = {}
    for one in changes:
        if one.key not in found or one.version > found[one.key].version:
            found[one.key] = one
    return list(found.values())


def _document(identity: dict[str, Any], card: Card, calendar: Calendar) -> bytes:
    # The card's own JSON is kept as it is and only opened for our fields: half the cost of going through a dict.
    own = identity | findable(card) | _when(card, calendar) | _where(card) | _for_whom(card)
    return to_json(own)[:-1] + b"," + card.model_dump_json(exclude_none=True).encode()[1:]


def _tombstone(identity: dict[str, Any], card: Card) -> bytes:
    """Only what keeps a late older version from raising the thing again."""
    return to_json(identity | {"kind": card.kind, "listed": False})


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
