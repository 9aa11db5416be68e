"""The card: the one language in which services describe findable things to listeners that do not know them.

A publisher fills it; search indexes it, notify and front ends show it, none of them knowing the publisher.
"""

from datetime import date
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]{2,10})?$")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
# Databases and terminals stumble over control characters; line breaks and tabs are text.
PRINTABLE = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
Word = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=PRINTABLE)]
Paragraphs = Annotated[str, StringConstraints(max_length=20_000, pattern=PRINTABLE)]
Text = Annotated[dict[Language, Paragraphs], Field(max_length=12)]
ThingId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Url = Annotated[str, StringConstraints(max_length=2000, pattern=PRINTABLE)]


class Part(BaseModel):
    """A value inside a card; as strict and as forgiving as every contract."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class Place(Part):
    """Where the thing is, WGS 84 degrees."""

    lat: float | None = Field(default=None, ge=-90, le=90)
    lon: float | None = Field(default=None, ge=-180, le=180)
    street: Word | None = None
    postcode: Annotated[Word, StringConstraints(max_length=10)] | None = None
    locality: Word | None = None
    district: Word | None = None
    accessibility: list[Name] = Field(default=[], max_length=20)


class Period(Part):
    """First and last day on which the thing is to be had; an open end is null."""

    start: date | None = None
    end: date | None = None


class Age(Part):
    """For whom, in months of age, both ends included; an open end is null."""

    from_months: int | None = Field(default=None, ge=0, le=1500)
    to_months: int | None = Field(default=None, ge=0, le=1500)


class Image(Part):
    """A picture and what it shows, for those who cannot see it."""

    url: Url
    alt: Text


class Span(Part):
    """One date from its beginning to its end, and what is left of it."""

    start: AwareDatetime
    end: AwareDatetime | None = Field(default=None, description="Null when nobody says how long it lasts.")
    id: ThingId | None = Field(default=None, description="The publisher's id of the date.")
    free_places: int | None = Field(default=None, ge=0, le=1_000_000)
    bookable_until: AwareDatetime | None = Field(
        default=None, description="Until when it can be booked; null when it cannot, or not by itself."
    )


class CardProvider(Part):
    """Who is behind the thing."""

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    title: Text


class Card(Part):
    """How a thing is found and shown. Texts are plain text by language; a missing language never hides a thing."""

    kind: Name = Field(description="What it is: offer, provider, board, story, project, …")
    board: Name | None = Field(default=None, description="The exchange it belongs to.")
    title: Text
    summary: Text = {}
    text: Text = {}
    keywords: list[Word] = Field(default=[], max_length=200, description="Words to be found by, not shown.")
    tags: list[Word] = Field(default=[], max_length=50)
    fields_of_action: list[Name] = Field(default=[], max_length=20)
    facets: dict[Name, list[Word]] = Field(
        default={}, description="Filterable values, as the publisher declares them."
    )
    numbers: dict[Name, float] = Field(
        default={}, description="Filterable figures, as the publisher declares them."
    )
    place: Place | None = None
    period: Period | None = None
    dates: list[AwareDatetime] = Field(
        default=[], max_length=50, description="The next dates, soonest first."
    )
    spans: list[Span] = Field(
        default=[], max_length=50, description="The same dates with their ends and what is left of each."
    )
    hours: Annotated[str, StringConstraints(max_length=500, pattern=PRINTABLE)] | None = Field(
        default=None, description="Opening hours in OpenStreetMap's syntax, local time."
    )
    age: Age | None = None
    price_cents: int | None = Field(default=None, ge=0, le=100_000_000)
    free_places: int | None = Field(default=None, ge=0, le=1_000_000)
    provider: CardProvider | None = None
    bookable: bool | None = Field(
        default=None, description="Whether it can be booked at its publisher's; null when that does not tell."
    )
    bookable_until: AwareDatetime | None = Field(
        default=None,
        description="The last instant at which something of it can be booked; null without an end.",
    )
    checked_on: date | None = Field(
        default=None, description="The day on which somebody last found all of this still right."
    )
    url: Url | None = None
    image: Image | None = None
    published_at: AwareDatetime | None = Field(default=None, description="When it became public.")
    boost: float = Field(default=1.0, ge=0, le=10, description="Rank factor; 1 is neutral.")
    listed: bool = Field(default=True, description="False is a tombstone: no longer to be found.")
