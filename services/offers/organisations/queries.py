"""Reads of organisations: who acts for one, and who is told."""

from collections.abc import Iterable

from sqlmodel import Session, col, select

from libs.httpkit.auth import Principal
from libs.httpkit.problems import Problem
from services.offers.organisations.domain import Topic
from services.offers.organisations.models import Recipient


def must_act_for(actor: Principal, provider_id: str | None) -> None:
    """Raise Problem 403 unless the caller is an editor or acts for the organisation."""
    if not actor.is_any("editor") and provider_id not in actor.providers:
        raise Problem(403, "Forbidden", "You do not act for this organisation.")


def must_speak_for(session: Session, asker: Principal | str, provider_id: str | None) -> None:
    """The same for who holds a link to a registration; it ends when the recipient is taken off the list."""
    if isinstance(asker, Principal):
        must_act_for(asker, provider_id)
    elif not _registered_for(session, asker, provider_id):
        raise Problem(403, "Forbidden", "The link does not speak for this organisation, or no longer.")


def _registered_for(session: Session, registration_id: str, provider_id: str | None) -> bool:
    known = session.get(Recipient, registration_id)
    return known is not None and known.provider_id == provider_id


def registered(session: Session, provider_ids: Iterable[str], topic: Topic) -> list[Recipient]:
    """Who asked to be told of a topic, of any of these organisations."""
    query = select(Recipient).where(col(Recipient.provider_id).in_(list(provider_ids)))
    found = session.exec(query.order_by(Recipient.id))
    return [recipient for recipient in found if topic in recipient.topics]


def recipients(session: Session, provider_id: str) -> list[Recipient]:
    """All recipients of an organisation, in the order in which they registered."""
    query = select(Recipient).where(Recipient.provider_id == provider_id)
    return list(session.exec(query.order_by(Recipient.id)))


def recipient(session: Session, provider_id: str, recipient_id: str) -> Recipient | None:
    """One recipient of an organisation."""
    query = select(Recipient).where(
        Recipient.provider_id == provider_id, Recipient.recipient_id == recipient_id
    )
    return session.exec(query).first()
