"""What is told of a place: both coordinates or none, and words of the town's own list, `[accessibility]` of city.toml."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from libs.contracts.card import Place
from libs.servicekit.errors import FieldError, Invalid


def known_facts(town: Mapping[str, Any]) -> list[str]:
    """What can be told in this town; empty where it has no list, and everything can."""
    return list(town.get("accessibility", ()))


def invalid_parts(place: Place | None, known: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield (field of the place, reason) for what does not fit; stored places may be older than a rule."""
    if place is None:
        return
    for name, other in (("lat", "lon"), ("lon", "lat")):
        if getattr(place, name) is None and getattr(place, other) is not None:
            yield name, f"comes together with {other}, or neither is said"
    listed = list(known)
    for fact in place.accessibility if listed else []:
        if fact not in listed:
            yield "accessibility", f"{fact} is none of {', '.join(listed)}"


def check_place(place: Place | None, town: Mapping[str, Any]) -> None:
    """Raise Invalid for everything of a place that does not fit this town."""
    wrong = invalid_parts(place, known_facts(town))
    if found := [FieldError(field=f"place.{field}", reason=reason) for field, reason in wrong]:
        raise Invalid(*found)
