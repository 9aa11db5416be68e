"""Reads of pictures."""

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session, col, select

from libs.servicekit.errors import NotFound
from services.retail.pictures.models import Picture


def one(session: Session, picture_id: str) -> Picture:
    """A picture; NotFound when there is none."""
    found = session.get(Picture, picture_id)
    if found is None:
        raise NotFound("picture")
    return found


def there(session: Session, ids: Iterable[str]) -> dict[str, Picture]:
    """Those of these pictures that there are, by id."""
    wanted = list(ids)
    query = select(Picture).where(col(Picture.id).in_(wanted))
    return {each.id: each for each in session.exec(query)} if wanted else {}


def unused_since(session: Session, at: datetime, limit: int) -> list[Picture]:
    """Pictures that nothing has shown since, some at a time."""
    query = select(Picture).where(col(Picture.used_at) < at).order_by(col(Picture.used_at)).limit(limit)
    return list(session.exec(query.with_for_update()))
