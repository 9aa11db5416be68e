"""HTTP edge of proposals: an organisation proposes, an editor sees the difference and decides."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field

from libs.contracts.card import Paragraphs
from libs.contracts.event import THING_ID
from libs.httpkit.auth import require
from libs.httpkit.idempotency import Idempotency
from libs.httpkit.pagination import Items, Paging, page_of
from libs.httpkit.params import Id, today
from libs.httpkit.preconditions import IfMatch, etag
from libs.httpkit.recipients import Proven
from libs.httpkit.transactions import Reading, Transaction
from libs.servicekit.principal import Principal
from libs.servicekit.values import Body, CleanStr
from libs.town.accessibility import check_place
from services.offers.offers.domain import OfferContent
from services.offers.proposals import commands, queries
from services.offers.proposals.domain import MISSING, Decision, Kind, changes
from services.offers.proposals.models import Proposal
from services.offers.providers.domain import ProviderContent

router = APIRouter(prefix="/v1", tags=["proposals"])
Actor = Annotated[Principal, require("editor", "provider")]
Editor = Annotated[Principal, require("editor")]
RecipientId = Annotated[str, Field(pattern=THING_ID)]


class NewProposal(Body):
    """What is to be said of an offer, all of it; `recipient_id` is told of the decision."""

    content: OfferContent
    recipient_id: RecipientId | None = None


class NewDetails(Body):
    """What is to be said of the organisation, all of it; `recipient_id` is told of the decision."""

    content: ProviderContent
    recipient_id: RecipientId | None = None


class ProposalRefusal(Body):
    """Why a proposal is not taken over; read by the organisation."""

    reason: Annotated[Paragraphs, Field(min_length=1, max_length=500)]


class ChangeView(Body):
    """One place that differs, by JSON Pointer; null is also what is not there."""

    path: str
    old: Any
    new: Any


class ProposalView(Body):
    """A proposal; `changes` is what it changes in the version it was made on."""

    id: str
    kind: Kind
    thing_id: str
    provider_id: str
    made_on: int
    status: Decision
    reason: str | None
    version: int
    created_at: datetime
    decided_at: datetime | None
    changes: list[ChangeView]


def view(proposal: Proposal) -> ProposalView:
    """The proposal as the API shows it."""
    differences = [
        ChangeView(path=change.pointer, old=_shown(change.old), new=_shown(change.new))
        for change in changes(proposal.base, proposal.content)
    ]
    plain = proposal.model_dump(exclude={"kind", "status", "base", "content", "recipient_id", "created_by"})
    return ProposalView(
        kind=Kind(proposal.kind), status=Decision(proposal.status), changes=differences, **plain
    )


def _shown(value: Any) -> Any:
    return None if value is MISSING else value


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
    return _made(
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
    return _made(
        idempotency,
        commands.propose_details(session, caller, provider_id, expected, body.content, body.recipient_id),
    )


def _made(idempotency: Idempotency, proposal: Proposal) -> Response:
    headers = {"Location": f"/v1/proposals/{proposal.id}", **etag(proposal.version)}
    return idempotency.answer(view(proposal), 201, headers)


@router.get("/proposals")
def list_proposals(
    session: Reading,
    caller: Actor,
    paging: Paging,
    provider_id: Annotated[CleanStr | None, Query(max_length=64)] = None,
    thing_id: Annotated[CleanStr | None, Query(max_length=64)] = None,
    status: Decision | None = None,
) -> Items[ProposalView]:
    """Editors see all proposals, organisations their own."""
    found = queries.page(session, caller, paging.limit, paging.after, provider_id, thing_id, status)
    rows, following = page_of(found, paging.limit)
    return Items(items=[view(row) for row in rows], next=following)


@router.get("/proposals/{proposal_id}")
def get_proposal(proposal_id: Id, session: Reading, caller: Actor, response: Response) -> ProposalView:
    """One proposal, with what it changes."""
    return _answer(queries.one(session, caller, proposal_id), response)


@router.post("/proposals/{proposal_id}/release")
def release_proposal(
    proposal_id: Id,
    caller: Editor,
    expected: IfMatch,
    session: Transaction,
    request: Request,
    response: Response,
) -> ProposalView:
    """Make public what was proposed, also if other places changed meanwhile; 409 names those that collide."""
    proposal = commands.release(session, caller, proposal_id, expected, today(request))
    return _answer(proposal, response)


@router.post("/proposals/{proposal_id}/refuse")
def refuse_proposal(
    proposal_id: Id,
    body: ProposalRefusal,
    caller: Editor,
    expected: IfMatch,
    session: Transaction,
    response: Response,
) -> ProposalView:
    """Leave things as they are, and say why."""
    return _answer(commands.refuse(session, caller, proposal_id, expected, body.reason), response)


@router.post("/proposals/{proposal_id}/withdraw")
def withdraw_proposal(
    proposal_id: Id, caller: Actor, expected: IfMatch, session: Transaction, response: Response
) -> ProposalView:
    """Take a proposal back."""
    return _answer(commands.withdraw(session, caller, proposal_id, expected), response)


def _answer(proposal: Proposal, response: Response) -> ProposalView:
    response.headers.update(etag(proposal.version))
    return view(proposal)
