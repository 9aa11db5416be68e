"""What a fact means to somebody who follows a thing: two cards enter, the kind of change leaves."""

from enum import StrEnum

from libs.contracts.card import Card, Place
from libs.contracts.event import NAME


class Change(StrEnum):
    """What happened to a thing, in the follower's eyes."""

    NEW = "new"
    CHANGED = "changed"
    PLACE_FREE = "place_free"
    CANCELLED = "cancelled"
    DEADLINE = "deadline"


# What a reader would notice; versions, boosts and check dates are none of it.
NOTICED = {
    "title",
    "summary",
    "text",
    "place",
    "period",
    "dates",
    "hours",
    "age",
    "price_cents",
    "facets",
    "numbers",
}


def key_of(name: str, thing_id: str) -> str:
    """The thing's name across services; ValueError for what is no event type."""
    parts = NAME.match(name)
    if parts is None:
        raise ValueError(f"{name!r} is not <service>.<aggregate>.<fact>.v<major>")
    return f"{parts['service']}-{parts['aggregate']}-{thing_id}"


def change_of(before: Card | None, after: Card) -> Change | None:
    """What a new card tells; None when nobody would notice. `before` is the last card while it was listed."""
    if before is None:
        return Change.NEW if after.listed else None
    if not after.listed:
        return Change.CANCELLED
    if before.free_places == 0 and (after.free_places or 0) > 0:
        return Change.PLACE_FREE
    return Change.CHANGED if _noticeable(before) != _noticeable(after) else None


def _noticeable(card: Card) -> dict[str, object]:
    # How many places are left of a date is no change; that there are some again is told by itself.
    spans = [(span.start, span.end) for span in card.spans]
    return {**card.model_dump(include=NOTICED), "spans": spans}


def where(place: Place | None) -> str:
    """The address on one line."""
    if place is None:
        return ""
    town = " ".join(part for part in (place.postcode, place.locality) if part)
    return " ".join(", ".join(part for part in (place.street, town or place.district) if part).split())
