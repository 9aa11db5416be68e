"""Reads of providers."""

from sqlmodel import Session, col, select

from libs.servicekit.errors import NotFound
from services.offers.providers.models import Provider


def page(session: Session, limit: int, after: str) -> list[Provider]:
    """Active providers in the order in which they joined; one more than `limit` when there are more."""
    query = select(Provider).where(col(Provider.active), col(Provider.id) > after)
    return list(session.exec(query.order_by(Provider.id).limit(limit + 1)))


def one(session: Session, provider_id: str) -> Provider:
    """An active provider; NotFound when there is none."""
    provider = session.get(Provider, provider_id)
    if provider is None or not provider.active:
        raise NotFound("provider")
    return provider


def locked(session: Session, provider_id: str) -> Provider:
    """The same, held until the transaction ends."""
    query = select(Provider).where(Provider.id == provider_id, col(Provider.active))
    provider = session.exec(query.with_for_update()).first()
    if provider is None:
        raise NotFound("provider")
    return provider
