"""Use case of things: a fact brings a card."""

from typing import Any, NamedTuple

from sqlmodel import Session

from libs.contracts.card import Card
from libs.contracts.event import Envelope
from libs.servicekit import inbox
from services.notify.things.domain import Change, change_of, key_of
from services.notify.things.models import Thing


class News(NamedTuple):
    """What a fact changed: the thing as it stands now, what that is to those who follow it, its card before if it was
    listed, and whether it was known at all."""

    thing: Thing
    card: Card
    change: Change
    before: Card | None = None
    known: bool = True


def learn(session: Session, event: Envelope[Any]) -> News | None:
    """Keep the newest card of a thing; None for an older one, and for news that nobody would notice."""
    card: Card | None = event.data.card
    if card is None:
        return None
    key = key_of(event.name, event.subject)
    if not inbox.newer(session, "notify-things", key, event.version):
        return None
    known = session.get(Thing, key)
    before = known.shown if known and known.listed else None
    change = change_of(before, card)
    thing = _write(session, known or _new(key, event), card, event)
    return News(thing, card, change, before, known is not None) if change else None


def _new(key: str, event: Envelope[Any]) -> Thing:
    return Thing(
        key=key,
        thing_id=event.subject,
        version=0,
        listed=False,
        kind="",
        board=None,
        card={},
        fact="",
        fact_id="",
        at=event.time,
    )


def _write(session: Session, thing: Thing, card: Card, event: Envelope[Any]) -> Thing:
    thing.version, thing.listed, thing.kind = event.version, card.listed, card.kind
    thing.board = card.board or thing.board
    if card.listed or not thing.card:  # a tombstone names nothing: what was said last still does
        thing.card = card.model_dump(mode="json", exclude_none=True)
    thing.fact, thing.fact_id, thing.at = event.name, event.id, event.time
    session.add(thing)
    return thing
