"""Reads of proposals, and who may see which."""

from sqlalchemy import func
from sqlmodel import Session, col, select

from libs.selfservice.members.queries import must_act_for
from libs.selfservice.proposals.domain import Decision
from libs.selfservice.proposals.models import Proposal
from libs.servicekit.errors import NotFound
from libs.servicekit.principal import Principal


def page(
    session: Session,
    caller: Principal,
    limit: int,
    after: str,
    provider_id: str | None,
    thing_id: str | None,
    status: Decision | None,
) -> list[Proposal]:
    """Proposals the caller may see, oldest first; one more than `limit` when there are more."""
    query = select(Proposal).where(col(Proposal.id) > after)
    if not caller.is_any("editor"):
        query = query.where(col(Proposal.provider_id).in_(caller.providers))
    wanted = {Proposal.provider_id: provider_id, Proposal.thing_id: thing_id, Proposal.status: status}
    for column, value in wanted.items():
        if value is not None:
            query = query.where(col(column) == value)
    return list(session.exec(query.order_by(Proposal.id).limit(limit + 1)))


def one(session: Session, caller: Principal, proposal_id: str, *, lock: bool = False) -> Proposal:
    """A proposal of an organisation that the caller acts for; Forbidden or NotFound otherwise."""
    query = select(Proposal).where(Proposal.id == proposal_id)
    found = session.exec(query.with_for_update() if lock else query).first()
    if found is None:
        raise NotFound("proposal")
    must_act_for(caller, found.provider_id)
    return found


def open_count(session: Session, thing_id: str) -> int:
    """How many proposals about a thing wait."""
    query = select(func.count()).select_from(Proposal)
    query = query.where(Proposal.thing_id == thing_id, Proposal.status == Decision.OPEN)
    return session.exec(query).one()
