"""Invented facts for previews: one value for each name that a template may have."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from libs.contracts.messages import TEMPLATES
from libs.contracts.notify import Occasion

START, END = datetime(2027, 1, 12, 15, 0, tzinfo=UTC), datetime(2027, 1, 12, 16, 30, tzinfo=UTC)
VALUES: dict[str, Any] = {
    "starts_at": START,
    "ends_at": END,
    "session_starts_at": START,
    "session_ends_at": END,
    "deadline_at": datetime(2027, 1, 5, 17, 0, tzinfo=UTC),
    "reason": "full",
    "granted_cents": 4500,
    "places": 2,
    "position": 3,
    "version": 1,
    "asking": 7,
    "how": "unanswered",
    "words": "schwimmen",
    "role": "member",
    "offers": 3,
    "children": 2,
    "placed": 2,
    "left_out": 1,
}


ITEM = SimpleNamespace(
    title="Schwimmen lernen im Aquaria",
    where="Rosenauer Straße 32, 96450 Coburg",
    when=START,
    change="place_free",
    url="https://example.org/offer/demo",
    board="Sport und Bewegung",
    fact_id="demo",
)
# What notify itself says, beside what services ask for.
OWN: dict[str, dict[str, Any]] = {
    "confirm-address": {"code": "ABCDEFGHJK", "recipient": "demo", "waiting": ["Antwort auf Ihre Buchung"]},
    "news": {"item": ITEM},
    "digest": {
        "groups": [SimpleNamespace(title=ITEM.board, items=[ITEM, ITEM])],
        "count": 2,
        "items": [ITEM, ITEM],
    },
}


def facts(name: str) -> dict[str, Any]:
    """A template's facts, all of them filled."""
    template = TEMPLATES.get(name)
    if template is None:
        return OWN[name]
    return {field: VALUES.get(field, "demo") for field in template.model_fields}


def surroundings(kind: str = "offer") -> dict[str, Any]:
    """What a message is about, invented."""
    return {
        "title": "Schwimmen lernen im Aquaria",
        "where": "Rosenauer Straße 32, 96450 Coburg",
        "provider": "Schwimmverein Coburg",
        "about_kind": kind,
        "about_id": "demo",
        "about_board": "sport",
        "dates": [Occasion(id="demo", starts_at=START, ends_at=END)],
    }
