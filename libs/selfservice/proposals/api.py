"""HTTP edge of proposals: an editor sees the difference and decides. Proposing itself is the service's own route."""

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
from libs.httpkit.transactions import Reading, Transaction
from libs.selfservice.edge import Own
from libs.selfservice.proposals import commands, queries
from libs.selfservice.proposals.domain import MISSING, Decision, changes
from libs.selfservice.proposals.models import Proposal
from libs.servicekit.principal import Principal
from libs.servicekit.values import Body, CleanStr

router = APIRouter(prefix="/v1", tags=["proposals"])
Actor = Annotated[Principal, require("editor", "provider")]
Editor = Annotated[Principal, require("editor")]
RecipientId = Annotated[str, Field(pattern=THING_ID)]


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
    kind: str
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
    plain = proposal.model_dump(exclude={"status", "base", "content", "recipient_id", "created_by"})
    return ProposalView(status=Decision(proposal.status), changes=differences, **plain)


def _shown(value: Any) -> Any:
    return None if value is MISSING else value


def made(idempotency: Idempotency, proposal: Proposal) -> Response:
    """The answer to who proposed something."""
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
    own: Own,
    expected: IfMatch,
    session: Transaction,
    request: Request,
    response: Response,
) -> ProposalView:
    """Make public what was proposed, also if other places changed meanwhile; 409 names those that collide."""
    proposal = commands.release(session, own.proposable, caller, proposal_id, expected, today(request))
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
