"""Use case of things: a fact brings a card."""

from typing import Any, NamedTuple

from sqlalchemy import bindparam, select
from sqlmodel import Session

from libs.contracts.card import Card
from libs.contracts.event import Envelope
from libs.servicekit import inbox
from libs.servicekit.db import INSERTS, dialect_of
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


_TABLE: Any = Thing.__table__  # type: ignore[attr-defined]


def _entry(insert: Any) -> Any:
    entry = insert(_TABLE)
    new = {column.name: entry.excluded[column.name] for column in _TABLE.c if column.name != "key"}
    return entry.on_conflict_do_update(index_elements=["key"], set_=new)


# Made once: every public fact of the town passes here.
_ENTRIES = {dialect: _entry(insert) for dialect, insert in INSERTS.items()}
_KNOWN = select(_TABLE.c.listed, _TABLE.c.board, _TABLE.c.card).where(_TABLE.c.key == bindparam("key"))


def learn(session: Session, event: Envelope[Any]) -> News | None:
    """Keep the newest card of a thing; None for an older one, and for news that nobody would notice."""
    card: Card | None = event.data.card
    if card is None:
        return None
    key = key_of(event.name, event.subject)
    if not inbox.newer(session, "notify-things", key, event.version):
        return None
    known = session.execute(_KNOWN, {"key": key}).first()
    before = Card.model_validate(known.card, strict=False) if known and known.listed else None
    thing = _thing(key, event, card, known)
    session.execute(_ENTRIES[dialect_of(session)], thing.model_dump())
    change = change_of(before, card)
    return News(thing, card, change, before, known is not None) if change else None


def _thing(key: str, event: Envelope[Any], card: Card, known: Any) -> Thing:
    shown = card.model_dump(mode="json", exclude_none=True)
    return Thing(
        key=key,
        thing_id=event.subject,
        version=event.version,
        listed=card.listed,
        kind=card.kind,
        board=card.board or (known.board if known else None),
        # A tombstone names nothing: what was said last still does.
        card=known.card if known and known.card and not card.listed else shown,
        fact=event.name,
        fact_id=event.id,
        at=event.time,
    )
