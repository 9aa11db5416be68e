"""Reads of unmet needs."""

from datetime import date

from sqlmodel import Session, col, func, select

from libs.contracts.offers import NeedKind
from services.offers.needs.models import Need, NeedMark
from services.offers.offers.domain import RELEASED
from services.offers.offers.models import Offer


def page(session: Session, limit: int, after: str, board: str | None, kind: str | None) -> list[Need]:
    """Needs that were told, oldest first; one more than `limit` when there are more."""
    query = select(Need).where(col(Need.told) > 0, col(Need.id) > after)
    if board is not None:
        query = query.where(Need.board == board)
    if kind is not None:
        query = query.where(Need.kind == kind)
    return list(session.exec(query.order_by(Need.id).limit(limit + 1)))


def asking(session: Session, need: Need, since: date) -> int:
    """How many had the need since a day. Searchers have another mark each day: of theirs the busiest day counts."""
    marks = (NeedMark.need_id == need.id, col(NeedMark.on) >= since)
    if need.kind != NeedKind.UNANSWERED:
        return session.exec(select(func.count()).where(*marks)).one()
    per_day = select(func.count().label("askers")).where(*marks).group_by(col(NeedMark.on)).subquery()
    return int(session.exec(select(func.coalesce(func.max(per_day.c.askers), 0))).one())


def concerned(session: Session, need: Need) -> list[str]:
    """The organisations that could meet a need: those with offers on its board."""
    query = select(Offer.provider_id).where(Offer.board == need.board, col(Offer.status).in_(RELEASED))
    return [found for found in session.exec(query.distinct()) if found]
