"""A `Query` in Meilisearch's words: it enters, filter and sort expressions leave."""

from collections.abc import Iterable

from libs.cardquery.document import FIRST_DAY, LAST_DAY
from libs.cardquery.hours import moment_codes
from libs.cardquery.query import Limits, Query, attribute, now
from libs.town.calendar import Calendar
from services.search.engine import BACKSLASH


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
