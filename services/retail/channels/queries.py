"""Reads of short links."""

from datetime import date

from sqlmodel import Session, col, select

from libs.servicekit.errors import NotFound
from services.retail.channels.models import LinkCount, ShortLink


def link(session: Session, code: str) -> ShortLink:
    """A short link; NotFound when there is none."""
    found = session.get(ShortLink, code)
    if found is None:
        raise NotFound("link")
    return found


def counts(session: Session, story_id: str, since: date) -> list[tuple[str, date, int]]:
    """How often a story's links were followed: channel, day, times."""
    query = (
        select(col(ShortLink.channel), col(LinkCount.day), col(LinkCount.times))
        .join(LinkCount, col(ShortLink.code) == col(LinkCount.code))
        .where(ShortLink.story_id == story_id, col(LinkCount.day) >= since)
    )
    return [(channel, day, times) for channel, day, times in session.exec(query.order_by(col(LinkCount.day)))]
