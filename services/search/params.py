"""The query string of a search: text enters, a `Query` or a problem naming each wrong field leaves."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from starlette.datastructures import QueryParams

from libs.contracts.card import Name
from libs.httpkit.edge import CleanStr, is_clean
from libs.httpkit.problems import FieldError, field_errors, invalid
from services.search.queries import FACET, Query, is_facet, quotable

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
    lang: Language = Field("de", description="Of the texts and of the question.")
    limit: int = Field(20, ge=1, le=100)
    offset: int = Field(0, ge=0, le=10_000)
    facets: CleanStr = Field("", max_length=500, description="Facets to count, with commas; `*` for all.")


NAMES = {field.alias or name for name, field in Named.model_fields.items()}
LISTS = ("kind", "board")


def query(asked: QueryParams) -> Query:
    """The whole query; raises Problem 422.

    Not left to FastAPI, which validates parameter by parameter: that took as long as all our other work on a search.
    """
    named = _named(asked)
    filters = {name: list(values) for name in LISTS if (values := getattr(named, name))}
    filters |= {name: asked.getlist(name) for name in asked.keys() - NAMES}
    counted = tuple(name for name in named.facets.split(",") if name)
    if wrong := [*_contradictions(named), *_unusable(filters), *_uncountable(counted)]:
        raise invalid(*wrong)
    return Query(
        q=named.q,
        lang=named.lang,
        filters=filters,
        near=_point(named.near),
        radius=named.radius,
        since=named.since,
        until=named.until,
        facets=counted,
        limit=named.limit,
        offset=named.offset,
    )


def _named(asked: QueryParams) -> Named:
    values: dict[str, Any] = {name: asked[name] for name in asked.keys() & NAMES}
    values |= {name: tuple(asked.getlist(name)) for name in LISTS if name in values}
    try:
        return Named.model_validate(values)
    except ValidationError as error:
        raise invalid(*field_errors(error)) from None


def documented() -> list[dict[str, Any]]:
    """The parameters as the OpenAPI document shows them."""
    schemas = Named.model_json_schema()["properties"]
    return [{"name": name, "in": "query", "schema": schema} for name, schema in schemas.items()] + [_FACETS]


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
            "items": {"type": "string", "maxLength": VALUE_LENGTH, "pattern": r"^[^\\\x00-\x1f\x7f]*$"},
        },
    },
}


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
