"""What is done with organisations: one function = one transaction of the caller's."""

from collections.abc import Sequence

from sqlmodel import Session

from libs.httpkit.auth import Principal
from libs.httpkit.problems import conflict, not_found
from services.offers.organisations import queries
from services.offers.organisations.domain import Topic
from services.offers.organisations.models import Recipient
from services.offers.providers import queries as providers

MAX_RECIPIENTS = 50


def register(
    session: Session, actor: Principal, provider_id: str, recipient_id: str, topics: Sequence[Topic]
) -> Recipient:
    """Tell a recipient of what concerns an organisation from now on; registering again replaces the topics."""
    queries.must_act_for(actor, provider_id)
    providers.locked(session, provider_id)
    known = queries.recipient(session, provider_id, recipient_id)
    if known is None:
        if len(queries.recipients(session, provider_id)) >= MAX_RECIPIENTS:
            raise conflict(f"An organisation has at most {MAX_RECIPIENTS} recipients.")
        known = Recipient(
            provider_id=provider_id, recipient_id=recipient_id, topics=[], created_by=actor.subject
        )
        session.add(known)
    known.topics = list(dict.fromkeys(topics))
    return known


def unregister(session: Session, actor: Principal, provider_id: str, recipient_id: str) -> None:
    """Tell a recipient nothing any more; the links it was sent end with that."""
    queries.must_act_for(actor, provider_id)
    known = queries.recipient(session, provider_id, recipient_id)
    if known is None:
        raise not_found("recipient")
    session.delete(known)


def unsubscribe(session: Session, registration_id: str) -> None:
    """The same by the link in a message; a second click finds nothing to do."""
    known = session.get(Recipient, registration_id)
    if known is not None:
        session.delete(known)
