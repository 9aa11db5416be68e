"""iCalendar (RFC 5545, RFC 7986): an offer's dates as events. Times are UTC; a period of whole days is one event."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from icalendar import Calendar, Event, vDuration

from services.offers.exports.domain import Occasion, Shown, at, say
from services.offers.exports.frame import Frame

REFRESH = timedelta(hours=1)
END = b"END:VCALENDAR\r\n"
NO_END = {"de": "Das Ende ist nicht angegeben.", "en": "Its end is not stated."}


def cover(frame: Frame, name: str) -> tuple[bytes, bytes]:
    """What stands before and behind the events of a calendar."""
    calendar = Calendar()
    calendar.add("prodid", f"-//{frame.town}//Coburg Digital//DE")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", vDuration(REFRESH), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(REFRESH))
    return calendar.to_ical().removesuffix(END), END


def document(frame: Frame, shown: Shown, name: str, begins: datetime | None = None) -> bytes | None:
    """One offer's events, or the one that begins at an instant, as a calendar of their own; None without any, since a
    calendar has one at least."""
    head, tail = cover(frame, name)
    some = (event for event in events(frame, shown) if begins is None or event.start == begins)
    found = b"".join(event.to_ical() for event in some)
    return head + found + tail if found else None


def events(frame: Frame, shown: Shown) -> Iterator[Event]:
    """The events of an offer: one for each date, or one for its period where the board's periods are events."""
    standards = frame.standards(shown.board)
    dates = shown.occasions(shown.own.get(standards.duration or ""))
    for date_ in dates:
        # A date without an end is an instant to calendars, which draw it as a line or not at all.
        end = date_.ends_at or date_.starts_at + timedelta(minutes=standards.usual_minutes)
        yield _event(frame, shown, date_, date_.starts_at, end)
    first, last = at(shown.content, "period.start"), at(shown.content, "period.end")
    if standards.periods_are_events and not dates and first and last:
        days = date.fromisoformat(first), date.fromisoformat(last) + timedelta(days=1)
        whole = Occasion(str(uuid5(UUID(shown.id), "period")), shown.changed_at, None)
        yield _event(frame, shown, whole, *days)


def _event(frame: Frame, shown: Shown, occasion: Occasion, start: date, end: date) -> Event:
    event = Event()
    event.add("uid", occasion.id)
    # Grows whether the date changes or what is said of it.
    event.add("sequence", shown.version + occasion.version)
    event.add("dtstamp", shown.changed_at)
    event.add("last-modified", shown.changed_at)
    event.add("status", "CANCELLED" if occasion.cancelled else "CONFIRMED")
    event.add("dtstart", start)
    event.add("dtend", end)
    if occasion.reason:
        event.add("comment", occasion.reason)
    if isinstance(start, datetime) and occasion.ends_at is None:
        event.add("comment", say(NO_END, frame.spoken))
    for name, value in _said(frame, shown, occasion.venue or shown.content.get("place", {})).items():
        event.add(name, value)
    return event


def _said(frame: Frame, shown: Shown, place: Mapping[str, Any]) -> dict[str, Any]:
    content = shown.content
    board = frame.boards.get(shown.board)
    said: dict[str, Any] = {
        "summary": say(content["title"], frame.spoken),
        "description": say(content.get("summary", {}), frame.spoken),
        "location": location(place),
        "url": frame.address(shown),
        "categories": [*([say(board.title, frame.spoken)] if board else []), *content.get("tags", [])],
    }
    if None not in (place.get("lat"), place.get("lon")):
        said["geo"] = (place["lat"], place["lon"])
    return {name: value for name, value in said.items() if value}


def location(place: Mapping[str, Any]) -> str:
    """Where to go, in one line."""
    town = " ".join(filter(None, (place.get("postcode"), place.get("locality"))))
    return ", ".join(filter(None, (place.get("street"), place.get("district"), town)))
