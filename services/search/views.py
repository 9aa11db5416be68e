"""What search answers, as its OpenAPI document describes it."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from libs.contracts.card import Age, Period, Place, Span, Text
from libs.contracts.offers import FieldType


class Highlight(BaseModel):
    """Texts as HTML with matches in `<mark>`; nothing else in them is markup."""

    title: str | None
    summary: str | None
    text: str | None = Field(description="An excerpt around the first match.")


class ItemImage(BaseModel):
    """A picture and what it shows."""

    url: str
    alt: str


class ItemProvider(BaseModel):
    """Who is behind it."""

    id: str
    title: str


class Item(BaseModel):
    """A thing that was found; texts in the language asked for or the next best."""

    id: str
    kind: str
    board: str | None
    title: str
    summary: str | None
    highlight: Highlight
    distance: int | None = Field(description="Metres from `near`.")
    url: str | None
    image: ItemImage | None
    district: str | None
    place: Place | None
    tags: list[str]
    fields_of_action: list[str]
    facets: dict[str, list[str]]
    numbers: dict[str, float]
    period: Period | None
    dates: list[datetime]
    age: Age | None
    hours: str | None = Field(description="Opening hours in OpenStreetMap's syntax, the town's time.")
    price_cents: int | None
    free_places: int | None
    spans: list[Span] = Field(description="The same dates with their ends, and what is left of each.")
    provider: ItemProvider | None
    bookable: bool | None = Field(description="Whether it can be booked at its publisher's.")
    bookable_until: datetime | None = Field(description="Until when something of it can be booked.")
    published_at: datetime | None


class Found(BaseModel):
    """One page of what was found; `total` is exact."""

    items: list[Item]
    total: int
    relaxed: Literal["parts", "words"] | None = Field(
        description="Nothing held all words. `parts`: a compound was taken apart; `words`: not all words are held."
    )
    facets: dict[str, dict[str, int]] = Field(description="Facet → value → number of things.")
    took_ms: float


class Choice(BaseModel):
    """One value that a filter can have."""

    value: str
    label: Text


class Filter(BaseModel):
    """Something that can be filtered by, with names for people; texts by language."""

    name: str
    type: FieldType
    label: Text
    unit: str | None
    options: list[Choice] = Field(description="The values there can be; empty when they are open.")
    parameters: list[str] = Field(description="How `GET /v1/search` calls it.")


class Filters(BaseModel):
    """What all things can be filtered by, and what the board declares of its own."""

    board: str | None
    title: Text | None
    common: list[Filter]
    declared: list[Filter]


class Suggestion(BaseModel):
    """Something that could be searched for."""

    text: str
    type: Literal["word", "title"]


class Suggestions(BaseModel):
    """What begins like the query, best first."""

    items: list[Suggestion]


class Access(BaseModel):
    """How to ask Meilisearch directly for a while: as `Authorization: Bearer <token>` at `url`."""

    token: str
    expires_at: datetime
    url: str
    index: str


class Rated(BaseModel):
    """A rating was kept."""

    id: str


class LagView(BaseModel):
    """How far the index is behind the bus."""

    messages: int
    seconds: float = Field(description="Age of the oldest event that is not in the index yet.")


class ReindexView(BaseModel):
    """The present or last rebuild of the index."""

    running: bool
    started_at: datetime
    done: int
    total: int
    error: str | None = Field(description="Why it did not succeed; the index before it is still served.")


class IndexStatus(BaseModel):
    """What the index holds and how current it is."""

    index: str
    documents: int
    synonyms: bool = Field(description="Whether a new index has learned the town's words; it answers before.")
    lag: LagView
    reindex: ReindexView | None
