"""Reads of things."""

from sqlmodel import Session, select

from services.notify.things.models import Thing


def by_id(session: Session, kind: str, thing_id: str) -> Thing | None:
    """A thing as those who ask for messages name it: by its kind and id; None for one that notify never heard of."""
    return session.exec(select(Thing).where(Thing.thing_id == thing_id, Thing.kind == kind)).first()


def by_key(session: Session, key: str) -> Thing | None:
    """A thing by its name across services."""
    return session.get(Thing, key)
