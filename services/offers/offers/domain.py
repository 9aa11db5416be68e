"""Rules of offers: their content, their lifecycle, and how they are found. Values in, values out."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from libs.contracts import card as cards
from libs.contracts.address import WebAddress
from libs.contracts.card import Card, Name, Text, Word
from libs.servicekit.values import Body, Day, Instant, Said
from libs.town.places import SaidPlace, plain
from services.offers.boards import domain as boards
from services.offers.boards.domain import Declaration
from services.offers.freshness.domain import Stage

MAX_KEYWORDS = 200


class OfferStatus(StrEnum):
    """Where an offer stands in its life."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    HIDDEN = "hidden"


# Which state may follow which; what is not here is a conflict.
FOLLOWS = {
    OfferStatus.SUBMITTED: (OfferStatus.DRAFT, OfferStatus.WITHDRAWN, OfferStatus.EXPIRED),
    OfferStatus.PUBLISHED: (
        OfferStatus.DRAFT,
        OfferStatus.SUBMITTED,
        OfferStatus.WITHDRAWN,
        OfferStatus.EXPIRED,
        OfferStatus.HIDDEN,
    ),
    OfferStatus.WITHDRAWN: (
        OfferStatus.DRAFT,
        OfferStatus.SUBMITTED,
        OfferStatus.PUBLISHED,
        OfferStatus.HIDDEN,
    ),
    OfferStatus.EXPIRED: (OfferStatus.PUBLISHED, OfferStatus.HIDDEN),
    OfferStatus.HIDDEN: (OfferStatus.PUBLISHED,),
}
# Released by an editor: in public, or out of it only until somebody checks the offer.
RELEASED = (OfferStatus.PUBLISHED, OfferStatus.HIDDEN)


class Period(cards.Period, Body):
    """First and last day; the last is not before the first."""

    start: Day | None = None
    end: Day | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "Period":
        if self.start and self.end and self.end < self.start:
            raise ValueError("end lies before start")
        return self


class Age(cards.Age, Body):
    """For whom, in months; the upper end is not below the lower."""

    @model_validator(mode="after")
    def _in_order(self) -> "Age":
        if self.from_months is not None and self.to_months is not None and self.to_months < self.from_months:
            raise ValueError("to_months lies below from_months")
        return self


class Image(cards.Image, Body):
    """A picture; what it shows is said for those who cannot see it."""

    url: WebAddress
    alt: Said


class OfferContent(Body):
    """What is said of an offer; `fields` holds the values of the board's own fields."""

    title: Said
    summary: Text = {}
    text: Text = {}
    tags: list[Word] = Field(default=[], max_length=50)
    fields_of_action: list[Name] = Field(default=[], max_length=20)
    place: SaidPlace | None = None
    period: Period | None = None
    dates: list[Instant] = Field(default=[], max_length=50)
    age: Age | None = None
    price_cents: Annotated[int, Field(ge=0, le=100_000_000)] | None = None
    price_per: Literal["person", "group"] = "person"
    free_places: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    url: WebAddress | None = None
    image: Image | None = None
    fields: dict[Name, Any] = Field(default={}, max_length=100)


class Flag(Body):
    """Something in an offer that no longer suits its board; `value` was kept aside and is not shown to the public."""

    field: Name
    reason: str
    value: Any = None


@dataclass(frozen=True)
class Stand:
    """Where an offer stands: what a fact says of it beside its content."""

    board: str
    provider_id: str | None
    status: str
    published_at: datetime | None
    changed_at: datetime
    stage: str = Stage.FRESH
    checked_on: date | None = None
    checked_as: str | None = None


def may_become(status: OfferStatus, following: OfferStatus) -> bool:
    """Whether an offer may go from one state to another."""
    return status in FOLLOWS[following]


def is_over(content: OfferContent, today: date) -> bool:
    """Whether the offer's period has ended."""
    return content.period is not None and content.period.end is not None and content.period.end < today


def price_of(content: OfferContent, persons: int) -> int:
    """What a booking for so many persons costs in all, in cents."""
    return (content.price_cents or 0) * (persons if content.price_per == "person" else 1)


@dataclass(frozen=True)
class Extras:
    """What other parts know of an offer; where one is set it stands instead of what the content says."""

    free_places: int | None = None
    # Its next dates, with what is left of each.
    spans: list[cards.Span] | None = None
    # Whether it can be booked here, and the last instant at which something of it can.
    bookable: bool = False
    bookable_until: datetime | None = None
    # The next venue: an offer that says no place of its own is found where it takes place.
    place: cards.Place | None = None


NOTHING = Extras()


def spans_of(board: Declaration, content: OfferContent) -> list[cards.Span]:
    """The dates that the content itself names; they last as long as the board's field for it says."""
    minutes = content.fields.get((board.standards and board.standards.duration) or "")
    lasting = timedelta(minutes=minutes) if isinstance(minutes, int) and minutes > 0 else None
    return [
        cards.Span(start=start, end=start + lasting if lasting else None) for start in sorted(content.dates)
    ]


def card(
    board: Declaration, content: OfferContent, provider: Text | None, stand: Stand, extras: Extras = NOTHING
) -> Card:
    """How the offer is found: its own words, its board's facets, its provider's name, its age."""
    facets, numbers = boards.facets(board, content.fields)
    if stand.stage == Stage.OVERDUE:
        facets["freshness"] = [Stage.OVERDUE.value]
    spans = spans_of(board, content) if extras.spans is None else extras.spans
    names = list(dict.fromkeys((provider or {}).values()))
    return Card(
        kind="offer",
        board=board.slug,
        title=content.title,
        summary=content.summary,
        text=content.text,
        keywords=(boards.keywords(board, content.fields) + names)[:MAX_KEYWORDS],
        tags=content.tags,
        fields_of_action=content.fields_of_action,
        facets=facets,
        numbers=numbers,
        place=plain(content.place) or extras.place,
        period=_plain(cards.Period, content.period),
        dates=[span.start for span in spans],
        spans=spans,
        hours=boards.hours(board, content.fields),
        age=_plain(cards.Age, content.age),
        price_cents=content.price_cents,
        free_places=_free(board, content, extras),
        provider=_provider(stand.provider_id, provider),
        bookable=extras.bookable,
        bookable_until=extras.bookable_until,
        url=content.url,
        image=_plain(cards.Image, content.image),
        published_at=stand.published_at,
        checked_on=stand.checked_on,
        listed=stand.status == OfferStatus.PUBLISHED,
    )


def _provider(provider_id: str | None, title: Text | None) -> cards.CardProvider | None:
    return cards.CardProvider(id=provider_id, title=title) if provider_id and title else None


def _free(board: Declaration, content: OfferContent, extras: Extras) -> int | None:
    """What is counted, else what is stated where bookings can count it down: neither on dates nor on slots."""
    slotted = board.booking is not None and board.booking.slots is not None
    if extras.free_places is not None or extras.spans is not None or slotted:
        return extras.free_places
    return content.free_places


def _plain(kind: type[Any], value: Body | None) -> Any:
    return value and kind.model_construct(**vars(value))
