"""Reads of places."""

from sqlmodel import Session, col, select

from libs.servicekit.db import now
from services.offers.places.domain import together
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


def free(session: Session, offer_id: str) -> int | None:
    """What the offer's card says is left: of the whole, else of its dates to come together; None when nothing limits it."""
    stocks = of_offer(session, offer_id)
    whole = next((stock for stock in stocks if stock.id == offer_id and stock.limited), None)
    if whole:
        return whole.free
    if not stocks:
        return None
    without = {offer_id, *sessions.not_to_come(session, offer_id, now())}
    return together(stock.free for stock in stocks if stock.id not in without)


def having(session: Session, offer_ids: list[str]) -> set[str]:
    """Those of the offers whose places are counted or stated here."""
    return set(session.exec(select(Stock.offer_id).where(col(Stock.offer_id).in_(offer_ids)).distinct()))
