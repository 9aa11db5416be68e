"""Reads of places."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Mapped
from sqlmodel import Session, and_, col, or_, select

from libs.servicekit.db import now
from services.offers.places.domain import Left, together
from services.offers.places.models import Stock
from services.offers.sessions import queries as sessions


def of_offer(session: Session, offer_id: str) -> list[Stock]:
    """The stocks of an offer, its own and those of its sessions."""
    query = select(Stock).where(Stock.offer_id == offer_id).order_by(Stock.id)
    # As they are now: places move past what the session has read before.
    return list(session.exec(query, execution_options={"populate_existing": True}))


def own(session: Session, offer_id: str) -> Stock | None:
    """The places of the offer as a whole; None when nobody has said anything about them."""
    return session.get(Stock, offer_id, populate_existing=True)


def left(session: Session, closed: Mapping[str, datetime]) -> dict[str, Left]:
    """What is left of each offer, the one figure that is told everywhere: of the whole, else of its dates to come together.
    `closed`: dates of an offer that begin until then can no longer be booked. Where nothing limits it, it is not there."""
    query = select(Stock).where(col(Stock.offer_id).in_(closed)).order_by(Stock.id)
    stocks: dict[str, list[Stock]] = {}
    for stock in session.exec(query, execution_options={"populate_existing": True}):
        stocks.setdefault(stock.offer_id, []).append(stock)
    dated = [
        offer for offer, mine in stocks.items() if not _whole(mine) and len(mine) > (mine[0].id == offer)
    ]
    gone = sessions.not_to_come(session, {offer: closed[offer] for offer in dated}, now())
    found = {offer: left_of(offer, mine, gone) for offer, mine in stocks.items()}
    return {offer: each for offer, each in found.items() if each}


def _whole(stocks: list[Stock]) -> Stock | None:
    return next((stock for stock in stocks if stock.id == stock.offer_id and stock.limited), None)


def left_of(offer: str, stocks: list[Stock], gone: Collection[str]) -> Left | None:
    """The same of one offer with these stocks; `gone` are those of dates that nobody can book any more."""
    whole = _whole(stocks)
    dates = [stock for stock in stocks if stock.id != offer]
    parts = [whole] if whole else [stock for stock in dates if stock.id not in gone]
    if not parts:
        # Dates that are over or closed leave nothing, whatever was said before.
        return Left(0, None, max(stock.as_of for stock in dates)) if dates else None
    free, most = together(stock.free for stock in parts), together(stock.max for stock in parts)
    return None if free is None else Left(free, most, max(stock.as_of for stock in parts))


def enough(wanted: Mapped[int]) -> ColumnElement[bool]:
    """Whether so many places of a stock could be taken now, as SQL."""
    counted = or_(col(Stock.max).is_(None), col(Stock.taken) + wanted <= col(Stock.max))
    stated = col(Stock.stated_free)
    return or_(and_(stated.is_not(None), stated >= wanted), and_(stated.is_(None), counted))


def having(session: Session, offer_ids: list[str]) -> set[str]:
    """Those of the offers whose places are counted or stated here."""
    return set(session.exec(select(Stock.offer_id).where(col(Stock.offer_id).in_(offer_ids)).distinct()))
