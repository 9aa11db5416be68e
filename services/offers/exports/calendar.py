"""iCalendar (RFC 5545, RFC 7986): an offer's dates as events. Times are UTC; a period of whole days is one event."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from icalendar import Calendar, Event, vDuration

from services.offers.exports.domain import Shown, at, say
from services.offers.exports.frame import Frame

REFRESH = timedelta(hours=1)
END = b"END:VCALENDAR\r\n"


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


def events(frame: Frame, shown: Shown) -> Iterator[Event]:
    """The events of an offer: one for each date, or one for its period where the board's periods are events."""
    for moment in shown.content.get("dates", []):
        start = datetime.fromisoformat(moment)
        yield _event(frame, shown, _uid(shown, moment), start, _end(frame, shown, start))
    first, last = at(shown.content, "period.start"), at(shown.content, "period.end")
    whole = frame.standards(shown.board).periods_are_events and not shown.content.get("dates")
    if whole and first and last:
        days = date.fromisoformat(first), date.fromisoformat(last) + timedelta(days=1)
        yield _event(frame, shown, _uid(shown, "period"), *days)


def _uid(shown: Shown, moment: str) -> str:
    """The same for the same date of the same offer, whatever else is said of it."""
    if moment != "period":
        moment = datetime.fromisoformat(moment).astimezone(UTC).isoformat()
    return str(uuid5(UUID(shown.id), moment))


def _end(frame: Frame, shown: Shown, start: datetime) -> datetime | None:
    minutes = shown.own.get(frame.standards(shown.board).duration or "")
    return start + timedelta(minutes=minutes) if minutes else None


def _event(frame: Frame, shown: Shown, uid: str, start: date, end: date | None) -> Event:
    event = Event()
    event.add("uid", uid)
    event.add("sequence", shown.version)
    event.add("dtstamp", shown.changed_at)
    event.add("last-modified", shown.changed_at)
    event.add("status", "CONFIRMED")
    event.add("dtstart", _utc(start))
    if end:
        event.add("dtend", _utc(end))
    for name, value in _said(frame, shown).items():
        event.add(name, value)
    return event


def _utc(moment: date) -> date:
    return moment.astimezone(UTC) if isinstance(moment, datetime) else moment


def _said(frame: Frame, shown: Shown) -> dict[str, Any]:
    content = shown.content
    board = frame.boards.get(shown.board)
    said: dict[str, Any] = {
        "summary": say(content["title"], frame.spoken),
        "description": say(content.get("summary", {}), frame.spoken),
        "location": location(frame, shown),
        "url": frame.address(shown),
        "categories": [*([say(board.title, frame.spoken)] if board else []), *content.get("tags", [])],
    }
    if at(content, "place.lat") is not None:
        said["geo"] = (content["place"]["lat"], content["place"]["lon"])
    return {name: value for name, value in said.items() if value}


def location(frame: Frame, shown: Shown) -> str:
    """Where to go, in one line."""
    place = shown.content.get("place", {})
    town = " ".join(filter(None, (place.get("postcode"), place.get("locality"))))
    return ", ".join(filter(None, (place.get("street"), place.get("district"), town)))
