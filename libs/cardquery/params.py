"""The query string of a search: text enters, a `Query` or a problem naming each wrong field leaves."""

import math
import re
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError
from starlette.datastructures import QueryParams

from libs.cardquery.named import MAX_MONTHS, VALUES, Named
from libs.cardquery.query import FACET, Limits, Query, is_facet, now
from libs.servicekit.errors import FieldError, Invalid, field_errors
from libs.servicekit.values import is_clean

VALUE_LENGTH = 200
_RANGE = re.compile(r"[a-z][a-z0-9_-]{0,39}\.(min|max)")
MAX_FIGURE = 2**53
YEARS = range(1970, 2101)
NAMES = {field.alias or name for name, field in Named.model_fields.items()}
LISTS = ("kind", "board")
COMMAS = ("weekday", "accessibility")


def query(asked: QueryParams) -> Query:
    """The whole query; raises Invalid.

    Not left to FastAPI, which validates parameter by parameter: that took as long as all our other work on a search.
    """
    named = _named(asked)
    filters = {name: list(values) for name in LISTS if (values := getattr(named, name))}
    others = asked.keys() - NAMES
    ranges = {name: asked[name] for name in others if _RANGE.fullmatch(name)}
    filters |= {name: asked.getlist(name) for name in others - ranges.keys()}
    counted = tuple(name for name in named.facets.split(",") if name)
    wrong = [*_contradictions(named), *_unusable(filters), *_unmeasurable(ranges), *_uncountable(counted)]
    if wrong:
        raise Invalid(*wrong)
    return Query(
        q=named.q,
        lang=named.lang,
        filters=filters,
        numbers=_numbers(ranges),
        near=_point(named.near),
        radius=named.radius,
        since=named.since,
        until=named.until,
        free=named.free,
        age=_months(named.age) if named.age else None,
        price=(named.price, named.price) if named.price is not None else (named.price_min, named.price_max),
        weekdays=named.weekday,
        open_at=now() if named.open_now else named.open_at,
        accessibility=named.accessibility,
        sort=named.sort,
        facets=counted,
        limit=named.limit,
        offset=named.offset,
    )


def _named(asked: QueryParams) -> Named:
    values: dict[str, Any] = {name: asked[name] for name in asked.keys() & NAMES}
    values |= {name: tuple(asked.getlist(name)) for name in LISTS if name in values}
    values |= {name: tuple(",".join(asked.getlist(name)).split(",")) for name in COMMAS if name in values}
    try:
        return Named.model_validate(values)
    except ValidationError as error:
        raise Invalid(*field_errors(error)) from None


def documented() -> list[dict[str, Any]]:
    """The parameters as the OpenAPI document shows them."""
    schemas = Named.model_json_schema()["properties"]
    named = [{"name": name, "in": "query", "schema": schema} for name, schema in schemas.items()]
    return [*named, _FACETS, _RANGES]


# OpenAPI's way of saying that further parameters are facets.
_FACETS: dict[str, Any] = {
    "name": "facet",
    "in": "query",
    "description": "Any facet by its name, repeatable: values of one facet are alternatives, facets add up. "
    "`district`, `tag` and `field` (of action) exist for all things, others as their publishers declare them.",
    "style": "form",
    "explode": True,
    "schema": {
        "type": "object",
        "propertyNames": {"pattern": FACET},
        "additionalProperties": {
            "type": "array",
            "minItems": 1,
            "maxItems": VALUES,
            "items": {"type": "string", "maxLength": VALUE_LENGTH, "pattern": r"^[^\x00-\x1f\x7f]*$"},
        },
    },
}


_RANGES: dict[str, Any] = {
    "name": "range",
    "in": "query",
    "description": "Any figure that a publisher declares, by its name and `.min` or `.max`, both ends included.",
    "style": "form",
    "explode": True,
    "schema": {
        "type": "object",
        "propertyNames": {"pattern": f"^{_RANGE.pattern}$"},
        "additionalProperties": {"type": "number", "minimum": -MAX_FIGURE, "maximum": MAX_FIGURE},
    },
}


def _months(age: str) -> tuple[int, int]:
    """The months that an age may mean: somebody of 6 years has lived 72 to 83."""
    if age.endswith("m"):
        return int(age[:-1]), int(age[:-1])
    return int(age) * 12, int(age) * 12 + 11


def _numbers(ranges: dict[str, str]) -> dict[str, Limits]:
    names = {name.rpartition(".")[0] for name in ranges}
    return {name: (_number(ranges, f"{name}.min"), _number(ranges, f"{name}.max")) for name in sorted(names)}


def _number(ranges: dict[str, str], name: str) -> float | None:
    try:
        return float(ranges[name]) if name in ranges else None
    except ValueError:
        return math.nan


def _unmeasurable(ranges: dict[str, str]) -> Iterator[FieldError]:
    if len(ranges) > VALUES:
        yield FieldError(field="range", reason=f"at most {VALUES}")
    for name in ranges:
        value = _number(ranges, name)
        if value is None or not abs(value) <= MAX_FIGURE:
            yield FieldError(field=name, reason="must be a number")


def _point(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    latitude, _, longitude = text.partition(",")
    return float(latitude), float(longitude)


def _contradictions(named: Named) -> Iterator[FieldError]:
    if named.radius is not None and named.near is None:
        yield FieldError(field="radius", reason="needs near")
    if named.since and named.until and named.since > named.until:
        yield FieldError(field="to", reason="is before from")
    if named.sort == "near" and named.near is None:
        yield FieldError(field="sort", reason="needs near")
    if named.age and _months(named.age)[0] > MAX_MONTHS:
        yield FieldError(field="age", reason=f"at most {MAX_MONTHS} months")
    if named.price is not None and (named.price_min, named.price_max) != (None, None):
        yield FieldError(field="price", reason="is exact, so there are no price_min and price_max beside it")
    if named.open_now and named.open_at:
        yield FieldError(field="open_at", reason="is another moment than open_now")
    if named.open_at and named.open_at.year not in YEARS:
        yield FieldError(field="open_at", reason=f"lies outside {YEARS[0]} to {YEARS[-1]}")


def _unusable(filters: dict[str, list[str]]) -> Iterator[FieldError]:
    for name, values in filters.items():
        if not is_facet(name):
            yield FieldError(field=name[:100], reason="is neither a parameter nor a facet")
        elif len(values) > VALUES or any(len(value) > VALUE_LENGTH for value in values):
            yield FieldError(field=name, reason=f"at most {VALUES} values of {VALUE_LENGTH} characters")
        elif not all(is_clean(value) for value in values):
            yield FieldError(field=name, reason="has a control character")


def _uncountable(facets: tuple[str, ...]) -> Iterator[FieldError]:
    for name in facets:
        if name != "*" and not is_facet(name):
            yield FieldError(field="facets", reason=f"{name[:100]!r} is no facet")
