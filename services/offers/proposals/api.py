"""HTTP edge of proposals at the exchanges: an organisation proposes what is to be said of its offers and of itself."""

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response

from libs.httpkit.auth import require
from libs.httpkit.idempotency import Idempotency
from libs.httpkit.params import Id
from libs.httpkit.preconditions import IfMatch
from libs.httpkit.recipients import Proven
from libs.httpkit.transactions import Transaction
from libs.selfservice.proposals.api import ProposalView, RecipientId, made
from libs.servicekit.principal import Principal
from libs.servicekit.values import Body
from libs.town.accessibility import check_place
from services.offers.offers.domain import OfferContent
from services.offers.proposals import commands
from services.offers.providers.domain import ProviderContent

router = APIRouter(prefix="/v1", tags=["proposals"])
Actor = Annotated[Principal, require("editor", "provider")]


class NewProposal(Body):
    """What is to be said of an offer, all of it; `recipient_id` is told of the decision."""

    content: OfferContent
    recipient_id: RecipientId | None = None


class NewDetails(Body):
    """What is to be said of the organisation, all of it; `recipient_id` is told of the decision."""

    content: ProviderContent
    recipient_id: RecipientId | None = None


@router.post("/offers/{offer_id}/proposals", status_code=201, response_model=ProposalView)
def propose_offer(
    offer_id: Id,
    body: NewProposal,
    caller: Actor,
    expected: IfMatch,
    session: Transaction,
    idempotency: Idempotency,
    proof: Proven,
    request: Request,
) -> Response:
    """Propose a change to a published offer; If-Match is the version of the offer it is made on."""
    check_place(body.content.place, request.app.state.kit.settings.town)
    if body.recipient_id:
        proof.check(body.recipient_id)
    return made(
        idempotency,
        commands.propose_offer(session, caller, offer_id, expected, body.content, body.recipient_id),
    )


@router.post("/providers/{provider_id}/proposals", status_code=201, response_model=ProposalView)
def propose_details(
    provider_id: Id,
    body: NewDetails,
    caller: Actor,
    expected: IfMatch,
    session: Transaction,
    idempotency: Idempotency,
    proof: Proven,
    request: Request,
) -> Response:
    """Propose a change to the organisation's own details; If-Match is the version it is made on."""
    check_place(body.content.place, request.app.state.kit.settings.town)
    if body.recipient_id:
        proof.check(body.recipient_id)
    return made(
        idempotency,
        commands.propose_details(session, caller, provider_id, expected, body.content, body.recipient_id),
    )
