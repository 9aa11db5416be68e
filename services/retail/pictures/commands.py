"""What is done with pictures: one function = one transaction of the caller's."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlmodel import Session

from libs.servicekit.db import now
from services.retail.pictures import queries
from services.retail.pictures.domain import Size
from services.retail.pictures.models import Picture
from services.retail.pictures.store import Store

UNUSED_FOR, AT_ONCE = timedelta(days=30), 100


def keep(session: Session, picture_id: str, size: Size, shapes: list[str], by: str) -> Picture:
    """Note a picture whose files lie in the store; one that is there already is as good as new."""
    known = session.get(Picture, picture_id)
    if known is None:
        known = Picture(id=picture_id, width=size.width, height=size.height, shapes=shapes, created_by=by)
        session.add(known)
    known.used_at = now()
    return known


def forget_unused(session: Session, store: Store, shown: Callable[[Session], set[str]], at: datetime) -> int:
    """Delete pictures that no story has shown for a month; returns how many were looked at. `shown` reads all stories,
    drafts too, and is asked only where there is something to look at."""
    found = queries.unused_since(session, at - UNUSED_FOR, AT_ONCE)
    still = shown(session) if found else set[str]()
    for picture in found:
        if picture.id in still:
            picture.used_at = at
        else:
            session.delete(picture)
            store.delete(picture.id)
    return len(found)
