"""Reads of conversations, and who may read them: the organisation's own people and who began it, nobody else."""

from datetime import datetime

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from libs.servicekit.errors import Forbidden, NotFound
from libs.servicekit.principal import Principal
from services.offers.contact.models import Conversation, Message


def must_belong(actor: Principal, provider_id: str) -> None:
    """Raise Forbidden unless the caller acts for the organisation; editors do not read what others write."""
    if provider_id not in actor.providers:
        raise Forbidden("This is read by the organisation alone.", code="organisation-alone")


def one(
    session: Session, asker: Principal | str, conversation_id: str, *, lock: bool = False
) -> Conversation:
    """A conversation the caller takes part in, by membership or by link; Forbidden or NotFound otherwise."""
    query = select(Conversation).where(Conversation.id == conversation_id)
    found = session.exec(query.with_for_update() if lock else query).first()
    if isinstance(asker, str) and asker != conversation_id:
        raise Forbidden("The link is for another conversation.", code="wrong-link")
    if found is None or not texts(session, conversation_id):
        raise NotFound("conversation")
    if isinstance(asker, Principal):
        must_belong(asker, found.provider_id)
    return found


def texts(session: Session, conversation_id: str) -> list[Message]:
    """All of a conversation, oldest first."""
    query = select(Message).where(Message.conversation_id == conversation_id)
    return list(session.exec(query.order_by(Message.id)))


def inbox(session: Session, provider_id: str, limit: int, after: str) -> list[tuple[Message, Conversation]]:
    """What was written to and by an organisation, oldest first; one more than `limit` when there are more."""
    query = select(Message, Conversation).join(
        Conversation, col(Conversation.id) == col(Message.conversation_id)
    )
    query = query.where(Message.provider_id == provider_id, col(Message.id) > after)
    return list(session.exec(query.order_by(Message.id).limit(limit + 1)))


def begun_since(session: Session, who: ColumnElement[bool], since: datetime) -> int:
    """How many conversations of a side began since then."""
    query = select(func.count()).select_from(Conversation)
    return session.exec(query.where(who, col(Conversation.created_at) > since)).one()
