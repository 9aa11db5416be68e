"""The query string of a search: text enters, a `Query` or a problem naming each wrong field leaves."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Query as Param
from fastapi import Request
from pydantic import BeforeValidator

from libs.contracts.card import Name
from libs.servicekit.http import CleanStr, is_clean
from libs.servicekit.problems import FieldError, invalid
from services.search.queries import Query, is_facet, quotable

LATITUDE = r"-?([0-8]?[0-9](\.[0-9]{1,12})?|90(\.0{1,12})?)"
LONGITUDE = r"-?((1[0-7][0-9]|[0-9]{1,2})(\.[0-9]{1,12})?|180(\.0{1,12})?)"
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
VALUE_LENGTH, VALUES = 200, 50


def _iso(value: str) -> str:
    if not _ISO.match(value):
        raise ValueError("must be a day such as 2026-05-01")
    return value


# Without this a bare number would be taken as seconds since 1970.
Day = Annotated[date, BeforeValidator(_iso)]
Language = Literal["de", "en", "de-simple"]

# OpenAPI's way of saying that further parameters are facets.
FACETS: dict[str, Any] = {
    "name": "facet",
    "in": "query",
    "description": "Any facet by its name, repeatable: values of one facet are alternatives, facets add up. "
    "`district`, `tag` and `field` (of action) exist for all things, others as their publishers declare them.",
    "style": "form",
    "explode": True,
    "schema": {
        "type": "object",
        "propertyNames": {"pattern": "^x_[a-z]{1,20}$"},
        "additionalProperties": {
            "type": "array",
            "minItems": 1,
            "maxItems": VALUES,
            "items": {"type": "string", "maxLength": VALUE_LENGTH},
        },
    },
}


NAMES = {"q", "kind", "board", "near", "radius", "from", "to", "lang", "limit", "offset", "facets"}


# Async although it waits for nothing: anything else is sent to a thread, which costs more than the parsing.
async def query(
    request: Request,
    q: Annotated[CleanStr, Param(max_length=200)] = "",
    kind: Annotated[tuple[Name, ...], Param(max_length=VALUES)] = (),
    board: Annotated[tuple[Name, ...], Param(max_length=VALUES)] = (),
    near: Annotated[str | None, Param(pattern=f"^{LATITUDE},{LONGITUDE}$", description="`lat,lon`")] = None,
    radius: Annotated[int | None, Param(ge=1, le=1_000_000, description="Metres around `near`.")] = None,
    since: Annotated[Day | None, Param(alias="from", description="First day.")] = None,
    until: Annotated[Day | None, Param(alias="to", description="Last day.")] = None,
    lang: Annotated[Language, Param(description="Of the texts and of the question.")] = "de",
    limit: Annotated[int, Param(ge=1, le=100)] = 20,
    offset: Annotated[int, Param(ge=0, le=10_000)] = 0,
    facets: Annotated[
        CleanStr, Param(max_length=500, description="Facets to count, with commas; `*`: all.")
    ] = "",
) -> Query:
    """The whole query; raises Problem 422."""
    filters = {name: list(values) for name, values in (("kind", kind), ("board", board)) if values}
    filters |= {name: request.query_params.getlist(name) for name in request.query_params.keys() - NAMES}
    counted = tuple(name for name in facets.split(",") if name)
    asked = Query(q, lang, filters, _point(near), radius, since, until, counted, limit, offset)
    if wrong := [*_contradictions(asked), *_unusable(filters), *_uncountable(counted)]:
        raise invalid(*wrong)
    return asked


def _point(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    latitude, _, longitude = text.partition(",")
    return float(latitude), float(longitude)


def _contradictions(asked: Query) -> Iterator[FieldError]:
    if asked.radius is not None and asked.near is None:
        yield FieldError(field="radius", reason="needs near")
    if asked.since and asked.until and asked.since > asked.until:
        yield FieldError(field="to", reason="is before from")


def _unusable(filters: dict[str, list[str]]) -> Iterator[FieldError]:
    for name, values in filters.items():
        if not is_facet(name):
            yield FieldError(field=name[:100], reason="is neither a parameter nor a facet")
        elif len(values) > VALUES or any(len(value) > VALUE_LENGTH for value in values):
            yield FieldError(field=name, reason=f"at most {VALUES} values of {VALUE_LENGTH} characters")
        elif not all(is_clean(value) and quotable(value) for value in values):
            yield FieldError(
                field=name,
                reason="has a control character or a backslash",
            )


def _uncountable(facets: tuple[str, ...]) -> Iterator[FieldError]:
    for name in facets:
        if name != "*" and not is_facet(name):
            yield FieldError(field="facets", reason=f"{name[:100]!r} is no facet")
