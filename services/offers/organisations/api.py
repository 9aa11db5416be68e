"""HTTP edge of organisations: who is told of what concerns a provider."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import Field

from libs.contracts.event import THING_ID
from libs.httpkit.auth import Principal, require
from libs.httpkit.edge import Body, Items, OnlyOnce, Reading, Transaction
from services.offers.links import LinkToken, Signing
from services.offers.organisations import commands, queries
from services.offers.organisations.domain import Topic
from services.offers.organisations.models import Recipient
from services.offers.params import Id, ThingId

router = APIRouter(prefix="/v1", tags=["organisations"])
Actor = Annotated[Principal, require("editor", "provider")]
RecipientId = Annotated[str, Field(pattern=THING_ID, description="As notify gave it out for an address.")]


class Registration(Body):
    """Who is to be told, and of what."""

    recipient_id: RecipientId
    topics: list[Annotated[Topic, Field(strict=False)]] = Field(
        default=list(Topic), min_length=1, max_length=len(Topic)
    )


class RegistrationView(Registration):
    """A registered recipient."""

    created_at: datetime


def registered(recipient: Recipient) -> RegistrationView:
    """The recipient as the API shows it."""
    topics = [Topic(topic) for topic in recipient.topics]
    return RegistrationView(
        recipient_id=recipient.recipient_id, topics=topics, created_at=recipient.created_at
    )


@router.get("/providers/{provider_id}/recipients")
def list_recipients(provider_id: Id, caller: Actor, session: Reading) -> Items[RegistrationView]:
    """Who is told of what concerns the organisation."""
    queries.must_act_for(caller, provider_id)
    return Items(items=[registered(row) for row in queries.recipients(session, provider_id)])


@router.post("/providers/{provider_id}/recipients", status_code=201, response_model=RegistrationView)
def register_recipient(
    provider_id: Id, body: Registration, caller: Actor, session: Transaction, once: OnlyOnce
) -> Response:
    """Ask to be told; registering again replaces the topics."""
    known = commands.register(session, caller, provider_id, body.recipient_id, body.topics)
    return once.answer(registered(known), 201, {})


@router.delete("/providers/{provider_id}/recipients/{recipient_id}", status_code=204)
def unregister_recipient(provider_id: Id, recipient_id: ThingId, caller: Actor, session: Transaction) -> None:
    """Be told nothing any more."""
    commands.unregister(session, caller, provider_id, recipient_id)


@router.post("/unsubscribe", status_code=204)
def unsubscribe(session: Transaction, links: Signing, token: LinkToken = None) -> None:
    """The same with the link in a message, without an account."""
    commands.unsubscribe(session, links.read("reminder", token))
