"""From a card to the document that is indexed: an event enters, a `Change` of the index leaves. No I/O."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from libs.cardquery.document import described
from libs.cardquery.findable import findable
from libs.contracts.card import Card
from libs.contracts.event import NAME, Envelope
from libs.contracts.offers import BoardFact
from libs.servicekit.delivery import InvalidEvent
from libs.town.calendar import Calendar


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be known of one thing from `version` on; `document` is JSON.

    `boost` and `fields` (of action) decide how it ranks; a tombstone has no rank.
    """

    key: str
    version: int
    document: bytes
    boost: float | None = None
    fields: tuple[str, ...] = ()

    def ranked(self, lifts: Mapping[str, float]) -> bytes:
        """The document with its place among equals, as these factors of fields of action lift it."""
        if self.boost is None:
            return self.document
        return self.document[:-1] + b"," + to_json(rank(self.boost, self.fields, lifts))[1:]


def rank(boost: float, fields: Iterable[str], lifts: Mapping[str, float]) -> dict[str, float]:
    """What a thing is lifted by, and its place among equals that follows; of several factors the highest counts."""
    lift = max((lifts.get(field, 1.0) for field in fields), default=1.0)
    return {"lift": lift, "rank": boost * lift}


def change(event: Envelope[Any], calendar: Calendar) -> Change | None:
    """The change an event makes; None for a fact without a card. Raises InvalidEvent for a type that is no event's."""
    card: Card | None = event.data.card
    if card is None:
        return None
    name = NAME.match(event.name)
    if name is None:
        raise InvalidEvent(f"type {event.type!r} does not end in <service>.<aggregate>.<fact>.v<major>")
    key = f"{name['service']}-{name['aggregate']}-{event.subject}"
    identity: dict[str, Any] = {"key": key, "id": event.subject, "version": event.version}
    if card.listed and isinstance(event.data, BoardFact):
        identity["declares"] = [field.model_dump(mode="json") for field in event.data.fields]
    if not card.listed:
        return Change(key, event.version, _tombstone(identity, card))
    document = _document(identity, card, calendar)
    return Change(key, event.version, document, card.boost, tuple(card.fields_of_action))


def newest(changes: Iterable[Change]) -> list[Change]:
    """Of several changes of one thing the one that counts."""
    found: dict[str, Change] = {}
    for one in changes:
        if one.key not in found or one.version > found[one.key].version:
            found[one.key] = one
    return list(found.values())


def _document(identity: dict[str, Any], card: Card, calendar: Calendar) -> bytes:
    # The card's own JSON is kept as it is and only opened for our fields: half the cost of going through a dict.
    own = identity | findable(card) | described(card, calendar)
    return to_json(own)[:-1] + b"," + card.model_dump_json(exclude_none=True).encode()[1:]


def _tombstone(identity: dict[str, Any], card: Card) -> bytes:
    """Only what keeps a late older version from raising the thing again."""
    return to_json(identity | {"kind": card.kind, "listed": False})
