"""What is said of a place's accessibility: words of the town's own list, `[accessibility]` of city.toml."""

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import Request

from libs.contracts.card import Place
from libs.servicekit.errors import FieldError, Invalid


def known_facts(town: Mapping[str, Any]) -> list[str]:
    """What can be said in this town; empty where it has no list, and everything can."""
    return list(town.get("accessibility", ()))


def strange_facts(place: Place | None, known: Iterable[str]) -> list[str]:
    """The reasons why facts of a place do not fit, one for each that the list does not know."""
    listed = list(known)
    said = place.accessibility if place and listed else []
    return [f"{fact} is none of {', '.join(listed)}" for fact in said if fact not in listed]


def check_place(request: Request, place: Place | None) -> None:
    """Raise Invalid for every fact of a place that the town's list does not know."""
    reasons = strange_facts(place, known_facts(request.app.state.kit.settings.town))
    if reasons:
        raise Invalid(*(FieldError(field="place.accessibility", reason=reason) for reason in reasons))
