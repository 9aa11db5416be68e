"""Rules of places: what a board says of them, what a provider may state, and how many are free. Values in, values out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field, model_validator

from libs.contracts.card import Name, Text
from libs.servicekit.values import Body, Instant

MOST = 1_000_000
Count = Annotated[int, Field(ge=0, le=MOST)]


class PlacesRules(Body):
    """`[places]` of a board: what is counted, and whether providers state what is free instead of booking it down."""

    unit: Name = "places"
    label: Text = {"de": "Plätze", "en": "places"}
    stated: bool = False


class Provision(Body):
    """What a provider says of an offer's own places. With `free` it is stated; `as_of` says since when that is true."""

    unit: Name | None = None
    max: Count | None = None
    free: Count | None = None
    as_of: Instant | None = None

    @model_validator(mode="after")
    def _fits(self) -> "Provision":
        if self.max is None and self.free is None:
            raise ValueError("needs max, free or both")
        if self.max is not None and self.free is not None and self.free > self.max:
            raise ValueError("free lies above max")
        if self.as_of is not None and self.free is None:
            raise ValueError("as_of belongs to free: what bookings count is always of now")
        return self


def free(maximum: int | None, taken: int, stated: int | None) -> int | None:
    """How many places are left; None when nothing limits them."""
    if stated is not None:
        return stated
    return None if maximum is None else max(0, maximum - taken)


def together(parts: Iterable[int | None]) -> int | None:
    """What is free over several dates; None when one of them has no limit, or there is none."""
    known = list(parts)
    if not known or any(part is None for part in known):
        return None
    return min(MOST, sum(part for part in known if part is not None))


@dataclass(frozen=True)
class Left:
    """The places of an offer: how many are free, of how many, and since when that is so."""

    free: int
    most: int | None
    as_of: datetime


def as_of(provision: Provision, moment: datetime) -> datetime:
    """Since when a provision holds: as stated, but never in the future."""
    return min(provision.as_of or moment, moment)
