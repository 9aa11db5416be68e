"""Notices: what is taken as it is said and may be a slip. Values in, values out; the words are the town's."""

import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from libs.contracts.card import Place, Text
from libs.contracts.offers import BoardField, FieldType
from libs.town.hours import readable
from libs.town.places import Point, kilometres

FAR_KM = 50


class Notice(BaseModel):
    """Something that may be a slip: in which field, under a code that stays, in the town's words."""

    field: str
    code: str
    text: Text


def of_hours(fields: Mapping[str, BoardField], values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (field, code) for opening hours that are a text only."""
    for name, value in values.items():
        field = fields.get(name)
        if field and field.type is FieldType.HOURS and isinstance(value, str) and not readable(value):
            yield f"fields.{name}", "hours-as-text"


def of_place(place: Place | None, centre: Point | None) -> Iterator[tuple[str, str]]:
    """Yield (field, code) for coordinates that can hardly be meant, seen from the town's centre."""
    if place is None or place.lat is None or place.lon is None:
        return
    if (place.lat, place.lon) == (0, 0):
        yield "place.lat", "coordinates-zero"
    elif centre and kilometres((place.lat, place.lon), centre) > FAR_KM:
        swapped = kilometres((place.lon, place.lat), centre) <= FAR_KM
        yield "place.lat", "coordinates-swapped" if swapped else "coordinates-far"


def worded(found: Iterator[tuple[str, str]], city: Path) -> list[Notice]:
    """Notices in the town's words."""
    words = _words(city)
    return [Notice(field=field, code=code, text=words.get(code, {})) for field, code in found]


@lru_cache
def _words(city: Path) -> dict[str, dict[str, str]]:
    file = city / "notices.toml"
    return tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
