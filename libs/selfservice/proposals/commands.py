"""What is done with proposals: one function = one transaction of the caller's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json
from sqlmodel import Session

from libs.contracts.messages import ProposalRefused, ProposalReleased
from libs.contracts.notify import Subject
from libs.selfservice.members import queries as members
from libs.selfservice.proposals import queries
from libs.selfservice.proposals.domain import Content, Decision, merge
from libs.selfservice.proposals.models import Proposal
from libs.servicekit import messages
from libs.servicekit.db import now
from libs.servicekit.errors import Conflict, FieldError, Invalid, check_version
from libs.servicekit.principal import Principal

MAX_OPEN = 10


@dataclass(frozen=True)
class Proposable:
    """A kind of thing whose public content is proposed.

    `present` holds a thing until the transaction ends and returns what is public of it; Conflict when nothing is.
    `revise` makes public what came of a proposal, on a day of the town.
    """

    content: type[BaseModel]
    present: Callable[[Session, str], Content]
    revise: Callable[[Session, str, Any, date], object]


def enter(session: Session, proposal: Proposal) -> Proposal:
    """Let a proposal wait for its decision, which goes to whom it names, else to where its author was invited."""
    if proposal.content == proposal.base:
        raise Invalid(FieldError(field="content", reason="is what is said already"))
    if queries.open_count(session, proposal.thing_id) >= MAX_OPEN:
        raise Conflict(
            f"{MAX_OPEN} proposals about this wait already.", code="too-many-proposals", most=MAX_OPEN
        )
    author = members.member_of(session, proposal.provider_id, proposal.created_by)
    if author is not None and proposal.recipient_id is None:
        proposal.recipient_id = author.recipient_id
    session.add(proposal)
    return proposal


def release(
    session: Session,
    kinds: Mapping[str, Proposable],
    actor: Principal,
    proposal_id: str,
    expected: int,
    today: date,
) -> Proposal:
    """Make public what was proposed, and keep what others changed meanwhile; Conflict names what collides."""
    proposal = _open(session, actor, proposal_id, expected)
    kind = kinds[proposal.kind]
    merged = _merged(proposal, kind.present(session, proposal.thing_id))
    kind.revise(session, proposal.thing_id, _read(kind.content, merged), today)
    return _decide(session, proposal, Decision.RELEASED)


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


def _read(kind: type[BaseModel], content: Content) -> BaseModel:
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
