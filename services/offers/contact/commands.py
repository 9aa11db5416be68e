"""What is done with conversations: begin, answer, erase. The texts stay here; the bus only says that something waits."""

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlmodel import Session, col, select

from libs.contracts.messages import ContactAnswered, ContactReceived
from libs.contracts.notify import Subject
from libs.selfservice.members import queries as organisations
from libs.selfservice.members.domain import Topic
from libs.servicekit import erasure, messages
from libs.servicekit.db import now
from libs.servicekit.errors import Conflict, FieldError, Invalid, TooMany, check_version
from libs.servicekit.links import Links
from libs.servicekit.principal import Principal
from services.offers.boards import queries as boards
from services.offers.contact import queries
from services.offers.contact.domain import Sender, plain_text
from services.offers.contact.models import Conversation, Message
from services.offers.offers import queries as offers
from services.offers.providers import queries as providers

A_DAY = timedelta(days=1)
MAX_A_DAY_FOR_SENDER, MAX_A_DAY_FOR_ORGANISATION, MAX_TEXTS = 5, 100, 100
DELETE_AT_ONCE = 200


def begin(
    session: Session, offer_id: str, recipient_id: str, text: str, *, pretend: bool = False
) -> Conversation:
    """Write to the organisation behind a public offer; a machine is answered the same, and nothing is kept."""
    offer = offers.one(session, None, offer_id)
    rule = boards.declaration(session, offer.board).contact
    if offer.provider_id is None or not rule.open:
        raise Conflict("Nobody can be written to about this offer.", code="nobody-to-write-to")
    providers.locked(session, offer.provider_id)
    _not_too_many(session, offer.provider_id, recipient_id)
    conversation = Conversation(
        provider_id=offer.provider_id,
        offer_id=offer_id,
        recipient_id=recipient_id,
        kept_until=now() + timedelta(days=rule.keep_days),
    )
    if pretend:
        return conversation
    session.add(conversation)
    session.flush()
    _write(session, conversation, Sender.REQUESTER, text)
    _tell_organisation(session, conversation)
    return conversation


def _not_too_many(session: Session, provider_id: str, recipient_id: str) -> None:
    """The provider is locked, so that nobody gets past the limits by writing often at once."""
    sender = col(Conversation.recipient_id) == recipient_id
    organisation = col(Conversation.provider_id) == provider_id
    for who, limit in ((sender, MAX_A_DAY_FOR_SENDER), (organisation, MAX_A_DAY_FOR_ORGANISATION)):
        if queries.begun_since(session, who, now() - A_DAY) >= limit:
            raise TooMany(f"At most {limit} a day.", retry_after=3600, code="too-many-messages", most=limit)


def answer(
    session: Session, asker: Principal | str, conversation_id: str, text: str, links: Links
) -> Message:
    """Write back: the organisation's people with their token, the other side with its link."""
    conversation = queries.one(session, asker, conversation_id, lock=True)
    before = queries.texts(session, conversation_id)
    if len(before) >= MAX_TEXTS:
        raise Conflict(
            f"A conversation has at most {MAX_TEXTS} messages.", code="conversation-full", most=MAX_TEXTS
        )
    sender = Sender.ORGANISATION if isinstance(asker, Principal) else Sender.REQUESTER
    conversation.kept_until = max(conversation.kept_until, now() + _kept(session, conversation))
    conversation.version += 1
    message = _write(session, conversation, sender, text)
    if not before or before[-1].sender != sender:
        _tell(session, conversation, sender, links)
    return message


def _kept(session: Session, conversation: Conversation) -> timedelta:
    offer = offers.locked(session, conversation.offer_id)
    return timedelta(days=boards.declaration(session, offer.board).contact.keep_days)


def _write(session: Session, conversation: Conversation, sender: Sender, text: str) -> Message:
    plain = plain_text(text)
    if not plain:
        raise Invalid(FieldError(field="text", reason="holds nothing to read"))
    message = Message(
        conversation_id=conversation.id, provider_id=conversation.provider_id, sender=sender, text=plain
    )
    session.add(message)
    return message


def _tell(session: Session, conversation: Conversation, sender: Sender, links: Links) -> None:
    """Several texts of one side in a row are told once."""
    if sender is Sender.REQUESTER:
        return _tell_organisation(session, conversation)
    token = link(conversation, links)
    messages.request(
        session,
        conversation.recipient_id,
        ContactAnswered(token=token, conversation=conversation.id),
        Subject(kind="offer", id=conversation.offer_id),
        send_before=conversation.kept_until,
    )
    return None


def _tell_organisation(session: Session, conversation: Conversation) -> None:
    for recipient in organisations.registered(session, [conversation.provider_id], Topic.MESSAGES):
        messages.request(
            session,
            recipient.recipient_id,
            ContactReceived(conversation=conversation.id),
            Subject(kind="offer", id=conversation.offer_id),
            send_before=conversation.kept_until,
        )


def link(conversation: Conversation, links: Links) -> str:
    """What opens a conversation to who began it."""
    return links.sign("conversation", conversation.id, conversation.kept_until)


def erase(session: Session, asker: Principal | str, conversation_id: str, expected: int) -> None:
    """Delete a conversation, for both sides; VersionMismatch when there is a text that the caller has not seen."""
    conversation = queries.one(session, asker, conversation_id, lock=True)
    check_version(expected, conversation.version)
    session.execute(delete(Message).where(col(Message.conversation_id) == conversation_id))
    # The bare row goes with the next day: deleting must not make room for writing more.
    conversation.kept_until = min(conversation.kept_until, conversation.created_at + A_DAY)
    erasure.forget(session, conversation_id)


def erase_due(session: Session, at: datetime) -> int:
    """Delete conversations whose time is over; returns how many, at most `DELETE_AT_ONCE`."""
    due = select(Conversation.id).where(col(Conversation.kept_until) < at).limit(DELETE_AT_ONCE)
    return _delete(session, list(session.exec(due)))


def _delete(session: Session, ids: list[str]) -> int:
    session.execute(delete(Message).where(col(Message.conversation_id).in_(ids)))
    session.execute(delete(Conversation).where(col(Conversation.id).in_(ids)))
    return len(ids)
