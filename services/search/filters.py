"""What may be asked of the index besides words: a `Query` enters, Meilisearch's filter and sort expressions leave.

What a thing does not say counts for it where silence means "always" or "everybody" (days, age), and against it where
only a statement helps (free places, price, opening hours, weekday, accessibility).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from libs.town.calendar import Calendar
from services.search.domain import FIRST_DAY, LAST_DAY
from services.search.engine import BACKSLASH
from services.search.hours import moment_codes

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


def filters(query: Query, calendar: Calendar) -> Iterable[str | list[str]]:
    """Meilisearch's form: all of these must hold, of an inner list any."""
    yield "listed = true"
    for name, values in query.filters.items():
        yield [f"{attribute(name)} = {_quoted(value)}" for value in values]
    yield from (f"place.accessibility = {_quoted(one)}" for one in query.accessibility)
    for name, limits in [("price_cents", query.price), *_named(query.numbers)]:
        yield from _within(name, limits)
    yield from _place(query)
    yield from _time(query, calendar)
    if query.free:
        # Places that nobody can book any more are none.
        yield from ("free_places > 0", f"closes > {int(now().timestamp())}")
    if query.age:
        yield from (f"age_from <= {query.age[1]}", f"age_to >= {query.age[0]}")


def _named(numbers: dict[str, Limits]) -> list[tuple[str, Limits]]:
    return [(f"numbers.{name}", limits) for name, limits in numbers.items()]


def _within(name: str, limits: Limits) -> Iterable[str]:
    low, high = limits
    if low is not None:
        yield f"{name} >= {low}"
    if high is not None:
        yield f"{name} <= {high}"


def _place(query: Query) -> Iterable[str]:
    if query.near and query.radius is not None:
        yield f"_geoRadius({query.near[0]},{query.near[1]},{query.radius})"


def _time(query: Query, calendar: Calendar) -> Iterable[str]:
    if query.since or query.until:
        first = query.since.toordinal() if query.since else FIRST_DAY
        last = query.until.toordinal() if query.until else LAST_DAY
        yield f"(days {first} TO {last}) OR (starts <= {last} AND ends >= {first})"
    if query.weekdays:
        yield f"weekdays IN [{', '.join(query.weekdays)}]"
    if query.open_at:
        yield f"open IN [{', '.join(str(code) for code in moment_codes(query.open_at, calendar))}]"


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", BACKSLASH).replace('"', '\\"') + '"'


def order(query: Query) -> list[str]:
    """What decides among equally good answers. With `near` distance does, or comes second."""
    by_distance = [f"_geoPoint({query.near[0]},{query.near[1]}):asc"] if query.near else []
    return [*_SORTS.get(query.sort or "near", ()), *by_distance]


# What says nothing about it comes last, whichever way.
_SORTS = {"soonest": ("soonest:asc",), "price": ("price_cents:asc",), "newest": ("published:desc",)}


def now() -> datetime:
    """The present moment, for `open_now`."""
    return datetime.now(UTC)
