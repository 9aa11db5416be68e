"""Reads of sessions; whoever sees an offer sees its sessions."""

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session, and_, col, or_, select

from libs.contracts.offers import SessionStatus
from libs.servicekit.errors import NotFound
from libs.servicekit.principal import Principal
from services.offers.offers import queries as offers
from services.offers.sessions.models import OfferSession

MAX_DATES = 50


def page(
    session: Session,
    offer_id: str,
    limit: int,
    after: tuple[datetime, str] | None,
    since: datetime | None,
    before: datetime | None,
) -> list[OfferSession]:
    """An offer's sessions, soonest first; one more than `limit` when there are more."""
    query = select(OfferSession).where(OfferSession.offer_id == offer_id)
    if after is not None:
        start, id_ = after
        later = col(OfferSession.starts_at) > start
        query = query.where(
            or_(later, and_(col(OfferSession.starts_at) == start, col(OfferSession.id) > id_))
        )
    if since is not None:
        query = query.where(col(OfferSession.ends_at) > since)
    if before is not None:
        query = query.where(col(OfferSession.starts_at) < before)
    order = col(OfferSession.starts_at), col(OfferSession.id)
    return list(session.exec(query.order_by(*order).limit(limit + 1)))


def one(session: Session, caller: Principal | None, session_id: str) -> OfferSession:
    """A session of an offer that the caller may see; NotFound otherwise."""
    found = session.get(OfferSession, session_id)
    if found is None:
        raise NotFound("session")
    offers.one(session, caller, found.offer_id)
    return found


def next_ones(session: Session, offer_id: str, now: datetime) -> list[OfferSession] | None:
    """The offer's next sessions, soonest first, at most `MAX_DATES`; None for an offer that never had one."""
    coming = and_(OfferSession.status == SessionStatus.SCHEDULED, col(OfferSession.ends_at) > now)
    # One that is over or cancelled tells, in the same breath, that there was any.
    some = select(OfferSession.id).where(OfferSession.offer_id == offer_id).limit(1).scalar_subquery()
    query = select(OfferSession).where(
        OfferSession.offer_id == offer_id, or_(coming, col(OfferSession.id) == some)
    )
    order = col(OfferSession.starts_at), col(OfferSession.id)
    found = session.exec(query.order_by(*order).limit(MAX_DATES + 1)).all()
    if not found:
        return None
    return [row for row in found if row.status == SessionStatus.SCHEDULED and row.ends_at > now][:MAX_DATES]


def any_of(session: Session, offer_id: str) -> bool:
    """Whether an offer has sessions, or had."""
    query = select(OfferSession.id).where(OfferSession.offer_id == offer_id)
    return session.exec(query.limit(1)).first() is not None


def not_to_come(session: Session, closed: Mapping[str, datetime], now: datetime) -> set[str]:
    """The ids of the offers' sessions that are cancelled, over, or begin before what is closed of their offer."""
    if not closed:
        return set()
    late = [
        and_(col(OfferSession.offer_id).in_(mine), col(OfferSession.starts_at) <= until)
        for until, mine in _by_instant(closed).items()
    ]
    cancelled = col(OfferSession.status) == SessionStatus.CANCELLED
    gone = or_(cancelled, col(OfferSession.ends_at) <= now, *late)
    return set(session.exec(select(OfferSession.id).where(col(OfferSession.offer_id).in_(closed), gone)))


def _by_instant(closed: Mapping[str, datetime]) -> dict[datetime, list[str]]:
    found: dict[datetime, list[str]] = {}
    for offer, until in closed.items():
        found.setdefault(until, []).append(offer)
    return found


def having(session: Session, offer_ids: list[str]) -> set[str]:
    """Those of the offers that have sessions."""
    mine = select(OfferSession.offer_id).where(col(OfferSession.offer_id).in_(offer_ids))
    return set(session.exec(mine.distinct()))
