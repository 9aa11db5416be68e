"""A calendar (RFC 5545) of things' dates: each date of each thing is an event that keeps its UID."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event

from libs.contracts.card import Card, Span
from services.notify.feeds.wording import allowed
from services.notify.feeds.wording import title as shortened
from services.notify.texts.domain import chosen
from services.notify.things.domain import where
from services.notify.things.models import Thing

PRODUCT = "-//Coburg Digital//feeds//DE"
MEDIA_TYPE = "text/calendar; charset=utf-8"
MOST_EVENTS = 1000
# Calendar programs show a date without an end as a point; an hour is what people expect.
ASSUMED = timedelta(hours=1)


def calendar(title: str, things: Sequence[Thing], language: str, page: str, since: datetime) -> bytes:
    """The calendar's bytes: dates from an instant on, soonest first."""
    made = Calendar()
    made.add("version", "2.0")
    made.add("prodid", PRODUCT)
    made.add("name", title)
    made.add("x-wr-calname", title)
    made.add("refresh-interval", timedelta(hours=1), parameters={"value": "DURATION"})
    found = sorted(_dates(things, since), key=lambda each: each[1].start)[:MOST_EVENTS]
    for thing, span in found:
        made.add_component(_event(thing, span, language, page))
    return bytes(made.to_ical())


def _dates(things: Iterable[Thing], since: datetime) -> Iterator[tuple[Thing, Span]]:
    for thing in things:
        for span in spans(thing.shown):
            if (span.end or span.start) >= since:
                yield thing, span


def spans(card: Card) -> list[Span]:
    """A card's dates with their ends; older publishers tell the beginnings only."""
    return card.spans or [Span(start=date) for date in card.dates]


def _event(thing: Thing, span: Span, language: str, page: str) -> Event:
    card, event = thing.shown, Event()
    event.add("uid", f"{thing.key}-{span.id or int(span.start.timestamp())}@coburg-digital")
    event.add("dtstamp", thing.at.replace(microsecond=0))
    event.add("sequence", thing.version)
    # In UTC: any other offset would need the rules of a time zone beside it.
    event.add("dtstart", span.start.astimezone(UTC))
    event.add("dtend", (span.end or span.start + ASSUMED).astimezone(UTC))
    event.add("summary", shortened(chosen(dict(card.title), language)) or thing.kind)
    for name, value in (
        ("location", where(card.place)),
        ("description", chosen(dict(card.summary), language)),
    ):
        if value:
            event.add(name, allowed(value))
    event.add("url", page.format(kind=thing.kind, id=thing.thing_id))
    return event
