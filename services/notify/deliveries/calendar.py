"""The calendar part of a message: dates of a booking enter, iTIP objects (RFC 5546) leave, one per date.

A date keeps its UID through all changes; `sequence` only grows, so that a calendar takes the newest.
"""

from datetime import UTC, datetime
from typing import NamedTuple

from icalendar import Calendar, Event, vCalAddress, vText

from libs.contracts.messages import Calendar as Method
from libs.contracts.notify import Occasion

PRODUCT = "-//Coburg Digital//notify//DE"


class Meeting(NamedTuple):
    """What is the same for all dates of a message."""

    title: str
    where: str
    url: str
    organizer: str
    attendee: str
    sequence: int


def itip(method: Method, meeting: Meeting, date: Occasion, booking: str, stamp: datetime) -> bytes:
    """One date as the body of a `text/calendar` part."""
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", PRODUCT)
    calendar.add("method", method.upper())
    calendar.add_component(_event(method, meeting, date, booking, stamp))
    return bytes(calendar.to_ical())


def _event(method: Method, meeting: Meeting, date: Occasion, booking: str, stamp: datetime) -> Event:
    event = Event()
    domain = meeting.organizer.rpartition("@")[2]
    event.add("uid", f"{booking}-{date.id}@{domain}")
    event.add("sequence", meeting.sequence)
    event.add("dtstamp", stamp)
    # In UTC: an offset would need a time zone of its own beside it.
    event.add("dtstart", date.starts_at.astimezone(UTC))
    event.add("dtend", date.ends_at.astimezone(UTC))
    event.add("summary", meeting.title)
    if meeting.where:
        event.add("location", meeting.where)
    if meeting.url:
        event.add("url", meeting.url)
    event.add("status", "CANCELLED" if method == "cancel" else "CONFIRMED")
    event["organizer"] = vCalAddress(f"mailto:{meeting.organizer}")
    attendee = vCalAddress(f"mailto:{meeting.attendee}")
    attendee.params["partstat"] = vText("ACCEPTED")
    attendee.params["rsvp"] = vText("FALSE")
    event.add("attendee", attendee, encode=False)
    return event
