"""Compatibility: every kind of break is found and told, every harmless change passes."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, StringConstraints

from libs.contracts.compat import Break, breaks
from libs.contracts.event import Contract, Fact
from libs.contracts.schemas import schema

NAME = "test.thing.changed.v1"


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class MoreColour(StrEnum):
    RED = "red"
    BLUE = "blue"
    GREEN = "green"


class Place(Contract):
    """A value inside the fact."""

    lat: float = Field(ge=-90, le=90)
    district: str | None = None


class Tree(Contract):
    """A value that holds its own kind."""

    label: str = Field(max_length=50)
    parts: list["Tree"] = Field(default=[])
    best: "Tree | None" = None


Text = Annotated[str, StringConstraints(max_length=100)]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z]+$")]

RELEASED: dict[str, Any] = {
    "slug": (str, Field(pattern=r"^[a-z]+$", min_length=2, max_length=40)),
    "count": (int, Field(default=0, ge=0, le=100)),
    "colour": (Colour, Colour.RED),
    "note": (str | None, None),
    "day": (date | None, None),
    "kind": (Literal["house"], "house"),
    "words": (list[Text], Field(default=[], max_length=5)),
    "texts": (dict[Key, Text], Field(default={}, max_length=3)),
    "place": (Place | None, None),
    "tree": (Tree | None, None),
    "any": (str | int | list[str], ""),
}


def fact(fields: dict[str, Any], doc: str = "A thing changed.") -> type[Fact]:
    """An event type with these fields, each a pair of type and default or Field."""
    annotations = {name: annotation for name, (annotation, _) in fields.items()}
    defaults = {name: default for name, (_, default) in fields.items() if default is not ...}
    body = {"__annotations__": annotations, "__doc__": doc, "__module__": __name__, **defaults}
    return type("ThingChanged", (Fact,), body, name=NAME)


def found(**changes: Any) -> list[Break]:
    """What breaks when these fields change; None takes one away."""
    today = {name: value for name, value in {**RELEASED, **changes}.items() if value is not None}
    return breaks(NAME, schema(fact(RELEASED)), schema(fact(today)))


class SmallerPlace(Contract):
    """A value inside the fact."""

    lat: float = Field(ge=-90, le=90)


class StricterPlace(Contract):
    """A value inside the fact."""

    lat: float = Field(ge=-90, le=90)
    district: str | None


class NarrowerTree(Contract):
    """A value that holds its own kind."""

    label: str = Field(max_length=10)
    parts: list["NarrowerTree"] = Field(default=[])
    best: "NarrowerTree | None" = None


class WiderPlace(Contract):
    """A value inside the fact, told in other words."""

    lat: float = Field(ge=-90, le=90, description="Degrees.")
    district: str | None = None
    street: str | None = None


BREAKS = {
    "removed": ({"note": None}, "$.data.note", "was removed or renamed"),
    "renamed": ({"note": None, "remark": (str | None, None)}, "$.data.note", "was removed or renamed"),
    "new and required": ({"size": (int, ...)}, "$.data.size", "is required now"),
    "optional is required": ({"note": (str | None, ...)}, "$.data.note", "is required now"),
    "required is optional": (
        {"slug": (str, Field(default="x", pattern=r"^[a-z]+$", min_length=2, max_length=40))},
        "$.data.slug",
        "may be absent now",
    ),
    "type changed": ({"note": (int | None, None)}, "$.data.note", "without type string it is narrower"),
    "type widened": ({"note": (str | int | None, None)}, "$.data.note", "with type integer it is wider"),
    "null no longer": ({"note": (str, "")}, "$.data.note", "without type null it is narrower"),
    "null may be": ({"count": (int | None, Field(default=0))}, "$.data.count", "with type null it is wider"),
    "format changed": ({"day": (str | None, None)}, "$.data.day", "without type string date it is narrower"),
    "alternative gone": ({"any": (str | int, "")}, "$.data.any", "without type array it is narrower"),
    "range narrowed": (
        {"count": (int, Field(default=0, ge=0, le=10))},
        "$.data.count",
        "maximum 100 → 10 is narrower",
    ),
    "range widened": (
        {"count": (int, Field(default=0, ge=0, le=999))},
        "$.data.count",
        "maximum 100 → 999 is wider",
    ),
    "lower limit raised": (
        {"count": (int, Field(default=0, ge=5, le=100))},
        "$.data.count",
        "minimum 0 → 5 is narrower",
    ),
    "limit gone": ({"count": (int, Field(default=0, ge=0))}, "$.data.count", "maximum 100 → none is wider"),
    "limit added": ({"note": (Text | None, None)}, "$.data.note", "maxLength none → 100 is narrower"),
    "pattern changed": (
        {"slug": (str, Field(pattern=r"^[a-z0-9]+$", min_length=2, max_length=40))},
        "$.data.slug",
        "pattern '^[a-z]+$' → '^[a-z0-9]+$' admits other values",
    ),
    "list shortened": (
        {"words": (list[Text], Field(default=[], max_length=2))},
        "$.data.words",
        "maxItems 5 → 2",
    ),
    "list of others": (
        {"words": (list[int], Field(default=[], max_length=5))},
        "$.data.words[*]",
        "type string",
    ),
    "map of others": (
        {"texts": (dict[Key, int], Field(default={}, max_length=3))},
        "$.data.texts.*",
        "type string",
    ),
    "map with other keys": (
        {"texts": (dict[str, Text], Field(default={}, max_length=3))},
        "$.data.texts.*",
        "changed",
    ),
    "enum value added": (
        {"colour": (MoreColour, MoreColour.RED)},
        "$.data.colour",
        "beyond ['blue', 'red'] it is wider",
    ),
    "enum value gone": ({"colour": (Literal["red"], "red")}, "$.data.colour", "only ['red'] is narrower"),
    "constant changed": ({"kind": (Literal["flat"], "house")}, "$.data.kind", "only ['flat'] is narrower"),
    "enumerated at all": ({"note": (Literal["a"] | None, None)}, "$.data.note", "only ['a'] is narrower"),
    "enumerated no more": ({"kind": (str, "house")}, "$.data.kind", "beyond ['house'] it is wider"),
    "default changed": (
        {"count": (int, Field(default=1, ge=0, le=100))},
        "$.data.count",
        "default 0 → 1 changes",
    ),
    "removed inside": ({"place": (SmallerPlace | None, None)}, "$.data.place.district", "was removed"),
    "required inside": ({"place": (StricterPlace | None, None)}, "$.data.place.district", "is required now"),
    "in what holds its own kind": (
        {"tree": (NarrowerTree | None, None)},
        "$.data.tree.label",
        "50 → 10 is narrower",
    ),
}

HARMLESS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "new with default": {"size": (int, 0)},
    "new and nullable": {"size": (int | None, None)},
    "new inside, and other words": {"place": (WiderPlace | None, None)},
    "new list": {"sizes": (list[int], [])},
    "other order": {"note": None, "slug": None, **{key: RELEASED[key] for key in ("slug", "note")}},
}


@pytest.mark.parametrize(("changes", "path", "reason"), BREAKS.values(), ids=BREAKS)
def test_a_break_is_found_where_it_is_and_told(changes: dict[str, Any], path: str, reason: str) -> None:
    matching = [one for one in found(**changes) if one.path == path and reason in one.reason]
    assert len(matching) == 1, found(**changes)


@pytest.mark.parametrize("changes", HARMLESS.values(), ids=HARMLESS)
def test_what_nobody_stumbles_over_passes(changes: dict[str, Any]) -> None:
    assert found(**changes) == []


def test_other_words_pass() -> None:
    assert breaks(NAME, schema(fact(RELEASED)), schema(fact(RELEASED, doc="The thing is another now."))) == []


def test_the_envelope_is_compared_too() -> None:
    today = schema(fact(RELEASED))
    envelope = {**today, "properties": {**today["properties"], "id": {"type": "string", "maxLength": 10}}}
    paths = {one.path for one in breaks(NAME, today, envelope)}
    assert paths == {"$.id"}


def test_a_break_reads_as_a_sentence() -> None:
    [one] = found(note=None)
    expected = "test.thing.changed.v1 at $.data.note: was removed or renamed: readers of the released contract look for it"
    assert str(one) == expected


def test_a_break_in_a_shared_class_is_told_once() -> None:
    old = {**RELEASED, "other": (Place | None, None)}
    new = {**RELEASED, "other": (SmallerPlace | None, None), "place": (SmallerPlace | None, None)}
    assert len(breaks(NAME, schema(fact(old)), schema(fact(new)))) == 1
