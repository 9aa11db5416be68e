"""Reads of freshness: which offers have aged."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import Session, col, select

from services.offers.freshness.domain import Freshness, Stage, span
from services.offers.offers.domain import OfferStatus
from services.offers.offers.models import Offer


def aged(session: Session, board: str, rule: Freshness | None, at: datetime, limit: int) -> list[Offer]:
    """Offers of a board that are not in the stage that their age asks for, held until the transaction ends."""
    found = list[Offer]()
    for stage in Stage:
        query = select(Offer).where(Offer.board == board, _left(rule, stage, at))
        query = query.limit(limit - len(found)).with_for_update(skip_locked=True)
        found += session.exec(query)
        if len(found) == limit:
            break
    return found


def _left(rule: Freshness | None, stage: Stage, at: datetime) -> ColumnElement[bool]:
    """Those of a stage that belong into another."""
    after, until = span(rule, stage, at)
    status = OfferStatus.HIDDEN if stage is Stage.HIDDEN else OfferStatus.PUBLISHED
    since = col(Offer.fresh_since)
    return and_(col(Offer.status) == status, col(Offer.stage) == stage, or_(since <= after, since > until))


def unchecked(session: Session, provider_id: str, limit: int, after: str) -> list[Offer]:
    """A provider's offers that wait for a check; one more than `limit` when there are more."""
    query = select(Offer).where(
        Offer.provider_id == provider_id,
        col(Offer.status).in_([OfferStatus.PUBLISHED, OfferStatus.HIDDEN]),
        col(Offer.stage) != Stage.FRESH,
        col(Offer.id) > after,
    )
    return list(session.exec(query.order_by(Offer.id).limit(limit + 1)))
