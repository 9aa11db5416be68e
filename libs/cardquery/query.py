"""What may be asked of cards: a `Query`, whoever answers it.

What a thing does not say counts for it where silence means "always" or "everybody" (days, age), and against it where
only a statement helps (free places, price, opening hours, weekday, accessibility).
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

# The names that facets of every card have; all others are declared by publishers.
COMMON = {
    "kind": "kind",
    "board": "board",
    "district": "place.district",
    "tag": "tags",
    "field": "fields_of_action",
}
FACET = r"^[a-z][a-z0-9_-]{0,39}$"
_FACET = re.compile(FACET.strip("^$"))
Limits = tuple[float | None, float | None]


@dataclass(frozen=True)
class Query:
    """What a citizen asks. `filters`: facet → values, any of which will do. `near`: latitude and longitude.

    `age` in months, `price` in cents and `numbers` are limits, both ends included. `open_at` without an offset is the
    town's time. All of `accessibility` must be there, of `weekdays` any.
    """

    q: str = ""
    lang: str = "de"
    filters: dict[str, list[str]] = field(default_factory=dict)
    numbers: dict[str, Limits] = field(default_factory=dict)
    near: tuple[float, float] | None = None
    radius: int | None = None
    since: date | None = None
    until: date | None = None
    free: bool = False
    age: tuple[int, int] | None = None
    price: Limits = (None, None)
    weekdays: tuple[str, ...] = ()
    open_at: datetime | None = None
    accessibility: tuple[str, ...] = ()
    sort: str | None = None
    facets: tuple[str, ...] = ()
    limit: int = 20
    offset: int = 0


def attribute(facet: str) -> str:
    """Where the index holds a facet."""
    return COMMON.get(facet, f"facets.{facet}")


def is_facet(name: str) -> bool:
    """Whether a facet could have this name."""
    return _FACET.fullmatch(name) is not None


def now() -> datetime:
    """The present moment, for `open_now`."""
    return datetime.now(UTC)
