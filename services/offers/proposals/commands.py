"""What is done with proposals: one function = one transaction of the caller's."""

from datetime import date
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json
from sqlmodel import Session

from libs.contracts.messages import ProposalRefused, ProposalReleased
from libs.contracts.notify import Subject
from libs.servicekit import messages
from libs.servicekit.db import now
from libs.servicekit.errors import Conflict, FieldError, Invalid, check_version
from libs.servicekit.principal import Principal
from services.offers.boards import queries as boards
from services.offers.offers import commands as offers
from services.offers.offers import queries as offer_queries
from services.offers.offers.domain import RELEASED, OfferContent
from services.offers.offers.models import stored
from services.offers.organisations import queries as organisations
from services.offers.proposals import queries
from services.offers.proposals.domain import Content, Decision, Kind, merge
from services.offers.proposals.models import Proposal
from services.offers.providers import commands as providers
from services.offers.providers import queries as provider_queries
from services.offers.providers.domain import ProviderContent

MAX_OPEN = 10


def propose_offer(
    session: Session,
    actor: Principal,
    offer_id: str,
    expected: int,
    content: OfferContent,
    recipient_id: str | None,
) -> Proposal:
    """Propose what is to be said of an offer that an editor has released."""
    offer = offers.held_for(session, actor, offer_id)
    check_version(expected, offer.version)
    if offer.provider_id is None or offer.status not in RELEASED:
        raise Conflict("Only an organisation's published offer needs a proposal.", code="no-proposal-needed")
    offers.check(boards.declaration(session, offer.board), content, complete=True)
    proposal = Proposal(
        kind=Kind.OFFER,
        thing_id=offer.id,
        provider_id=offer.provider_id,
        made_on=expected,
        base=offer.content,
        content=stored(content),
        recipient_id=recipient_id,
        created_by=actor.subject,
    )
    return _enter(session, proposal)


def propose_details(
    session: Session,
    actor: Principal,
    provider_id: str,
    expected: int,
    content: ProviderContent,
    recipient_id: str | None,
) -> Proposal:
    """Propose what is to be said of the organisation itself."""
    organisations.must_act_for(actor, provider_id)
    provider = provider_queries.locked(session, provider_id)
    check_version(expected, provider.version)
    proposal = Proposal(
        kind=Kind.PROVIDER,
        thing_id=provider_id,
        provider_id=provider_id,
        made_on=expected,
        base=provider.content,
        content=content.model_dump(mode="json"),
        recipient_id=recipient_id,
        created_by=actor.subject,
    )
    return _enter(session, proposal)


def _enter(session: Session, proposal: Proposal) -> Proposal:
    """Decisions go to whom the proposal names, else to where its author was invited."""
    if proposal.content == proposal.base:
        raise Invalid(FieldError(field="content", reason="is what is said already"))
    if queries.open_count(session, proposal.thing_id) >= MAX_OPEN:
        raise Conflict(
            f"{MAX_OPEN} proposals about this wait already.", code="too-many-proposals", most=MAX_OPEN
        )
    author = organisations.member_of(session, proposal.provider_id, proposal.created_by)
    if author is not None and proposal.recipient_id is None:
        proposal.recipient_id = author.recipient_id
    session.add(proposal)
    return proposal


def release(session: Session, actor: Principal, proposal_id: str, expected: int, today: date) -> Proposal:
    """Make public what was proposed, and keep what others changed meanwhile; Conflict names what collides."""
    proposal = _open(session, actor, proposal_id, expected)
    if proposal.kind == Kind.OFFER:
        _release_offer(session, proposal, today)
    else:
        _release_details(session, proposal)
    return _decide(session, proposal, Decision.RELEASED)


def _release_offer(session: Session, proposal: Proposal, today: date) -> None:
    offer = offer_queries.locked(session, proposal.thing_id)
    if offer.status not in RELEASED:
        raise Conflict(f"The offer is {offer.status} by now.", code="offer-state", status=offer.status)
    merged = _merged(proposal, offer.content)
    offers.revise(session, offer, _read(OfferContent, merged), today)


def _release_details(session: Session, proposal: Proposal) -> None:
    provider = provider_queries.locked(session, proposal.thing_id)
    merged = _merged(proposal, provider.content)
    providers.change(session, provider.id, provider.version, _read(ProviderContent, merged))


def _merged(proposal: Proposal, present: Content) -> Content:
    merged, collisions = merge(proposal.base, proposal.content, present)
    if collisions:
        errors = [
            FieldError(field=change.pointer, reason="was changed otherwise meanwhile")
            for change in collisions
        ]
        told = "The thing has moved on; propose the change anew."
        raise Conflict(told, code="proposal-collides", errors=errors)
    return merged


def _read(kind: Any, content: Content) -> Any:
    try:
        return kind.model_validate_json(to_json(content))
    except ValidationError:
        raise Conflict(
            "What was proposed and what was changed meanwhile do not go together.", code="proposal-collides"
        ) from None


def refuse(session: Session, actor: Principal, proposal_id: str, expected: int, reason: str) -> Proposal:
    """Leave things as they are, and say why; the organisation reads it here."""
    proposal = _open(session, actor, proposal_id, expected)
    proposal.reason = reason
    return _decide(session, proposal, Decision.REFUSED)


def withdraw(session: Session, actor: Principal, proposal_id: str, expected: int) -> Proposal:
    """The organisation takes its proposal back."""
    proposal = _open(session, actor, proposal_id, expected)
    proposal.recipient_id = None
    return _decide(session, proposal, Decision.WITHDRAWN)


def _open(session: Session, actor: Principal, proposal_id: str, expected: int) -> Proposal:
    proposal = queries.one(session, actor, proposal_id, lock=True)
    check_version(expected, proposal.version)
    if proposal.status != Decision.OPEN:
        raise Conflict(
            f"The proposal is {proposal.status} already.", code="proposal-decided", status=proposal.status
        )
    return proposal


def _decide(session: Session, proposal: Proposal, decision: Decision) -> Proposal:
    proposal.status, proposal.decided_at, proposal.version = decision, now(), proposal.version + 1
    if proposal.recipient_id:
        template = ProposalReleased if decision is Decision.RELEASED else ProposalRefused
        about = Subject(kind=proposal.kind, id=proposal.thing_id)
        messages.request(session, proposal.recipient_id, template(proposal=proposal.id), about)
    return proposal
