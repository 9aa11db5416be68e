"""Rules of shops: what is said of one, how it is found, when it is open. Values in, values out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from libs.contracts.address import WebAddress
from libs.contracts.card import Card, CardProvider, Name, Text
from libs.contracts.retail import DayHours, Hours, Notice, ShopFact, ShopKind
from libs.servicekit.values import Body, Day, Said
from libs.town import hours as town_hours
from libs.town.calendar import Calendar
from libs.town.places import SaidPlace, plain

MAX_EXCEPTIONS = 40
MAX_KEYWORDS = 200
PHONE = r"^\+?[0-9][0-9 ()/.-]{2,39}$"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class ShopStatus(StrEnum):
    """Where a shop stands: asked for by its merchant, in the shop window, or out of it."""

    SUBMITTED = "submitted"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class SaidDay(DayHours, Body):
    """A day with other hours than usual."""

    day: Day
    hours: Annotated[str, Field(max_length=60)] | None = None


def _days(value: list[SaidDay]) -> list[SaidDay]:
    days = [each.day for each in value]
    if len(set(days)) < len(days):
        raise ValueError("names a day twice")
    for each in value:
        if each.hours is not None and not _spans_of_a_day(each.hours):
            raise ValueError(f"{each.hours} is no span of a day such as 10:00-14:00")
    return sorted(value, key=lambda each: each.day)


def _spans_of_a_day(text: str) -> bool:
    return text[:1].isdigit() and ";" not in text and town_hours.readable(f"Mo {text}")


SaidDays = Annotated[list[SaidDay], Field(max_length=MAX_EXCEPTIONS), AfterValidator(_days)]
Words = Annotated[list[Name], Field(max_length=20)]


class OpeningTimes(Body):
    """When a shop is open: the usual week, and single days that differ. A text that nobody can evaluate is shown as it is."""

    hours: Hours | None = None
    exceptions: SaidDays = []


class ShopContent(OpeningTimes):
    """What is said of a shop. Its telephone number is for people who look at the shop, it is told on no bus."""

    title: Said
    kind: Annotated[ShopKind, Field(strict=False)] = ShopKind.RETAIL
    summary: Text = {}
    text: Text = {}
    assortment: Words = []
    services: Words = []
    payment: Words = []
    place: SaidPlace | None = None
    url: WebAddress | None = None
    phone: Annotated[str, Field(pattern=PHONE)] | None = None


@dataclass(frozen=True)
class Standing:
    """What a fact says of a shop beside its content."""

    shop_id: str
    status: str
    published_at: datetime | None
    changed_at: datetime
    hours_confirmed_on: date | None = None
    notices: Sequence[Notice] = ()


def hours_of(times: OpeningTimes) -> str | None:
    """Opening hours with the days that differ, as a reader of OpenStreetMap's syntax evaluates them; None for a text.

    What is longer than a card holds leaves out the latest of those days.
    """
    if times.hours is None or not town_hours.readable(times.hours):
        return None
    found = times.hours
    for part in map(_rule, times.exceptions):
        if len(found) + len(part) + 2 > town_hours.MAX_LENGTH:
            break
        found += f"; {part}"
    return found


def _rule(each: DayHours) -> str:
    return f"{each.day.year} {_MONTHS[each.day.month - 1]} {each.day.day:02} {each.hours or 'off'}"


@dataclass(frozen=True)
class OpenDay:
    """When a shop is open on a day, in minutes of local time from its beginning."""

    day: date
    spans: Sequence[town_hours.Span]
    differs: bool


def coming_days(times: OpeningTimes, since: date, days: int, calendar: Calendar) -> Iterator[OpenDay]:
    """Yield the days to come, one after the other; nothing when the hours cannot be evaluated."""
    text, differing = hours_of(times), {each.day for each in times.exceptions}
    for number in range(days if text else 0):
        day = since + timedelta(days=number)
        yield OpenDay(day, town_hours.spans(text or "", day, calendar), day in differing)


def card(content: ShopContent, standing: Standing, labels: Sequence[str]) -> Card:
    """How the shop is found: its own words, and the town's labels of what it has."""
    return Card(
        kind="shop",
        title=content.title,
        summary=content.summary,
        text=content.text,
        keywords=list(labels)[:MAX_KEYWORDS],
        facets={
            name: values
            for name, values in (
                ("shop_kind", [content.kind.value]),
                ("assortment", content.assortment),
                ("services", content.services),
                ("payment", content.payment),
                ("notice", sorted({notice.kind for notice in standing.notices})),
            )
            if values
        },
        place=plain(content.place),
        hours=hours_of(content),
        provider=CardProvider(id=standing.shop_id, title=content.title),
        checked_on=standing.hours_confirmed_on,
        url=content.url,
        published_at=standing.published_at,
        listed=standing.status == ShopStatus.PUBLISHED,
    )


def fact(content: ShopContent, standing: Standing, labels: Sequence[str], kind: type[ShopFact]) -> ShopFact:
    """A shop's present state as a fact."""
    return kind(
        title=content.title,
        kind=content.kind,
        assortment=content.assortment,
        services=content.services,
        payment=content.payment,
        hours=content.hours,
        exceptions=[DayHours(day=each.day, hours=each.hours) for each in content.exceptions],
        hours_confirmed_on=standing.hours_confirmed_on,
        place=plain(content.place),
        url=content.url,
        notices=list(standing.notices),
        published_at=standing.published_at,
        changed_at=standing.changed_at,
        card=card(content, standing, labels),
    )
