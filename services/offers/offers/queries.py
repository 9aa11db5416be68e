"""Reads of offers, and who may see which."""

from sqlalchemy import ColumnElement, or_, true
from sqlmodel import Session, col, select

from libs.servicekit.errors import NotFound
from libs.servicekit.principal import Principal
from services.offers.offers.domain import OfferStatus
from services.offers.offers.models import Offer


def page(
    session: Session,
    caller: Principal | None,
    limit: int,
    after: str,
    board: str | None,
    provider_id: str | None,
    status: OfferStatus | None,
    *,
    flagged: bool = False,
) -> list[Offer]:
    """Offers the caller may see, oldest first; one more than `limit` when there are more."""
    query = select(Offer).where(_visible(caller), col(Offer.id) > after)
    wanted = {Offer.board: board, Offer.provider_id: provider_id, Offer.status: status}
    for column, value in wanted.items():
        if value is not None:
            query = query.where(col(column) == value)
    if flagged:
        query = query.where(col(Offer.flags).is_not(None), _theirs(caller))
    return list(session.exec(query.order_by(Offer.id).limit(limit + 1)))


def one(session: Session, caller: Principal | None, offer_id: str) -> Offer:
    """An offer the caller may see; NotFound otherwise, so that drafts do not show by their ids."""
    offer = session.exec(select(Offer).where(Offer.id == offer_id, _visible(caller))).first()
    if offer is None:
        raise NotFound("offer")
    return offer


def any_one(session: Session, offer_id: str) -> Offer:
    """An offer, whoever may see it; NotFound when there is none."""
    offer = session.get(Offer, offer_id)
    if offer is None:
        raise NotFound("offer")
    return offer


def locked(session: Session, offer_id: str) -> Offer:
    """An offer, held until the transaction ends; NotFound when there is none."""
    offer = session.exec(select(Offer).where(Offer.id == offer_id).with_for_update()).first()
    if offer is None:
        raise NotFound("offer")
    return offer


def _theirs(caller: Principal | None) -> ColumnElement[bool]:
    """What no longer suits a board is the business of those who can mend it."""
    if caller and caller.is_any("editor", "operator"):
        return true()
    return col(Offer.provider_id).in_(caller.providers if caller else ())


def _visible(caller: Principal | None) -> ColumnElement[bool]:
    if caller and caller.is_any("editor", "operator"):
        return true()
    if caller and caller.providers:
        return or_(public(), col(Offer.provider_id).in_(caller.providers))
    return public()


def public() -> ColumnElement[bool]:
    """What everybody may see."""
    return col(Offer.status) == OfferStatus.PUBLISHED
