"""The parameters of a search that have names of their own, as text that is checked and values that leave."""

import re
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from libs.contracts.card import Language, Name
from libs.servicekit.values import CleanStr

LATITUDE = r"-?([0-8]?[0-9](\.[0-9]{1,12})?|90(\.0{1,12})?)"
LONGITUDE = r"-?((1[0-7][0-9]|[0-9]{1,2})(\.[0-9]{1,12})?|180(\.0{1,12})?)"
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}")
VALUES = 50
MOST_LIMIT, MOST_OFFSET = 100, 10_000
MAX_MONTHS, MAX_CENTS = 1500, 100_000_000


def _iso(value: str) -> str:
    if not _ISO.match(value):
        raise ValueError("must be a day such as 2026-05-01")
    return value


def _instant(value: str) -> str:
    if not _INSTANT.match(value):
        raise ValueError("must be an instant such as 2026-05-01T10:00:00Z")
    return value


# Without these a bare number would be taken as seconds since 1970.
Day = Annotated[date, BeforeValidator(_iso)]
Instant = Annotated[datetime, BeforeValidator(_instant)]
Cents = Annotated[int, Field(ge=0, le=MAX_CENTS)]
Weekday = Literal["mo", "tu", "we", "th", "fr", "sa", "su"]
Sort = Literal["relevance", "near", "soonest", "price", "newest"]


class Named(BaseModel):
    """The parameters that have names of their own."""

    model_config = ConfigDict(frozen=True)

    q: CleanStr = Field("", max_length=200)
    kind: tuple[Name, ...] = Field((), max_length=VALUES)
    board: tuple[Name, ...] = Field((), max_length=VALUES)
    near: str | None = Field(None, pattern=f"^{LATITUDE},{LONGITUDE}$", description="`lat,lon`")
    radius: int | None = Field(None, ge=1, le=1_000_000, description="Metres around `near`.")
    since: Day | None = Field(None, alias="from", description="First day.")
    until: Day | None = Field(None, alias="to", description="Last day.")
    free: bool = Field(False, description="Only what says that places are free.")
    age: str | None = Field(
        None,
        pattern=r"^[0-9]{1,4}m?$",
        description="Of the person: years such as `6`, or months such as `18m`.",
    )
    price: Cents | None = Field(None, description="Exactly so many cents; 0 is free of charge.")
    price_min: Cents | None = Field(None, description="At least so many cents.")
    price_max: Cents | None = Field(None, description="At most so many cents.")
    weekday: tuple[Weekday, ...] = Field(
        (), max_length=7, description="Any of these, by dates or opening hours."
    )
    open_now: bool = Field(False, description="Only what is open at this moment.")
    open_at: Instant | None = Field(
        None, description="Only what is open then; without offset the town's time."
    )
    accessibility: tuple[Name, ...] = Field((), max_length=20, description="All of these must be there.")
    sort: Sort | None = Field(
        None, description="Among equally good answers; with `near` by distance if not told."
    )
    lang: Language = Field("de", description="Of the texts; what lacks it comes in the next best.")
    limit: int = Field(20, ge=1, le=MOST_LIMIT)
    offset: int = Field(0, ge=0, le=MOST_OFFSET)
    facets: CleanStr = Field("", max_length=500, description="Facets to count, with commas; `*` for all.")
