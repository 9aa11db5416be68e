"""HTTP edge of contact: texts enter and leave, addresses do neither."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import Field

from libs.contracts.card import Paragraphs
from libs.contracts.event import THING_ID
from libs.httpkit.auth import require
from libs.httpkit.idempotency import Idempotency
from libs.httpkit.links import Signing, by_token_or_link
from libs.httpkit.pagination import Items, Paging, page_of
from libs.httpkit.params import Id
from libs.httpkit.preconditions import IfMatch, etag
from libs.httpkit.rate_limit import rate_limited
from libs.httpkit.recipients import Proven
from libs.httpkit.transactions import Reading, Transaction
from libs.servicekit.principal import Principal
from libs.servicekit.values import Body
from services.offers.contact import commands, queries
from services.offers.contact.domain import MAX_TEXT, Sender
from services.offers.contact.models import Conversation, Message

router = APIRouter(prefix="/v1", tags=["contact"])
Actor = Annotated[Principal, require("editor", "provider")]
Asker = Annotated[Principal | str, by_token_or_link("conversation")]


class Reply(Body):
    """What one side writes; plain text."""

    text: Annotated[Paragraphs, Field(min_length=1, max_length=MAX_TEXT)]


class Inquiry(Reply):
    """What somebody writes to an organisation. `website` is for machines that fill in everything: people leave it empty."""

    recipient_id: Annotated[str, Field(pattern=THING_ID, description="Who is told of the answer.")]
    website: Annotated[Paragraphs, Field(max_length=200)] = ""


class Begun(Body):
    """A conversation; `token` opens it to who began it."""

    id: str
    token: str
    kept_until: datetime


class TextView(Body):
    """One text, and which side wrote it."""

    id: str
    conversation_id: str
    sender: Sender
    text: str
    sent_at: datetime


class InboxView(TextView):
    """A text as the organisation finds it."""

    offer_id: str


class ConversationView(Body):
    """A whole conversation, oldest text first."""

    id: str
    provider_id: str
    offer_id: str
    kept_until: datetime
    texts: list[TextView]


def view(message: Message) -> TextView:
    """The text as the API shows it."""
    plain = message.model_dump(exclude={"sender", "provider_id"})
    return TextView(sender=Sender(message.sender), **plain)


def begun(conversation: Conversation, token: str) -> Begun:
    """A conversation as its beginner is told of it."""
    return Begun(id=conversation.id, token=token, kept_until=conversation.kept_until)


@router.post(
    "/offers/{offer_id}/contact",
    status_code=201,
    response_model=Begun,
    dependencies=[rate_limited("5/hour", "offer_id"), rate_limited("20/hour")],
)
def begin_conversation(
    offer_id: Id, body: Inquiry, proof: Proven, session: Transaction, links: Signing, idempotency: Idempotency
) -> Response:
    """Write to the organisation behind an offer, without an account: a few times an hour, and a day by sender and
    organisation."""
    proof.check(body.recipient_id)
    machine = bool(body.website)
    conversation = commands.begin(session, offer_id, body.recipient_id, body.text, pretend=machine)
    answer = begun(conversation, commands.link(conversation, links))
    return idempotency.answer(answer, 201, {"Location": f"/v1/conversations/{conversation.id}"})


@router.get("/providers/{provider_id}/messages")
def list_messages(provider_id: Id, caller: Actor, session: Reading, paging: Paging) -> Items[InboxView]:
    """What was written to and by the organisation; for its own people alone."""
    queries.must_belong(caller, provider_id)
    rows, following = page_of(
        [
            InboxView(offer_id=conversation.offer_id, **view(message).model_dump())
            for message, conversation in queries.inbox(session, provider_id, paging.limit, paging.after)
        ],
        paging.limit,
    )
    return Items(items=rows, next=following)


@router.get("/conversations/{conversation_id}")
def get_conversation(
    conversation_id: Id, asker: Asker, session: Reading, response: Response
) -> ConversationView:
    """A conversation, for the two that have it."""
    found = queries.one(session, asker, conversation_id)
    response.headers.update(etag(found.version))
    texts = [view(message) for message in queries.texts(session, conversation_id)]
    plain = found.model_dump(include={"id", "provider_id", "offer_id", "kept_until"})
    return ConversationView(texts=texts, **plain)


@router.post(
    "/conversations/{conversation_id}/replies",
    status_code=201,
    response_model=TextView,
    dependencies=[rate_limited()],
)
def send_reply(
    conversation_id: Id,
    body: Reply,
    asker: Asker,
    session: Transaction,
    links: Signing,
    idempotency: Idempotency,
) -> Response:
    """Write back; the other side is told that something waits."""
    message = commands.answer(session, asker, conversation_id, body.text, links)
    return idempotency.answer(view(message), 201, {})


@router.delete("/conversations/{conversation_id}", status_code=204, dependencies=[rate_limited()])
def erase_conversation(conversation_id: Id, asker: Asker, expected: IfMatch, session: Transaction) -> None:
    """Delete a conversation, for both sides."""
    commands.erase(session, asker, conversation_id, expected)
