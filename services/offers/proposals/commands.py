"""What may be proposed at the exchanges: one function = one transaction of the caller's."""

from datetime import date

from sqlmodel import Session

from libs.selfservice.members import queries as members
from libs.selfservice.proposals import commands
from libs.selfservice.proposals.commands import Proposable
from libs.selfservice.proposals.domain import Content
from libs.selfservice.proposals.models import Proposal
from libs.servicekit.errors import Conflict, check_version
from libs.servicekit.principal import Principal
from services.offers.boards import queries as boards
from services.offers.offers import commands as offers
from services.offers.offers import queries as offer_queries
from services.offers.offers.domain import RELEASED, OfferContent
from services.offers.offers.models import stored
from services.offers.providers import commands as providers
from services.offers.providers import queries as provider_queries
from services.offers.providers.domain import ProviderContent


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
        kind="offer",
        thing_id=offer.id,
        provider_id=offer.provider_id,
        made_on=expected,
        base=offer.content,
        content=stored(content),
        recipient_id=recipient_id,
        created_by=actor.subject,
    )
    return commands.enter(session, proposal)


def propose_details(
    session: Session,
    actor: Principal,
    provider_id: str,
    expected: int,
    content: ProviderContent,
    recipient_id: str | None,
) -> Proposal:
    """Propose what is to be said of the organisation itself."""
    members.must_act_for(actor, provider_id)
    provider = provider_queries.locked(session, provider_id)
    check_version(expected, provider.version)
    proposal = Proposal(
        kind="provider",
        thing_id=provider_id,
        provider_id=provider_id,
        made_on=expected,
        base=provider.content,
        content=content.model_dump(mode="json"),
        recipient_id=recipient_id,
        created_by=actor.subject,
    )
    return commands.enter(session, proposal)


def _present_offer(session: Session, offer_id: str) -> Content:
    offer = offer_queries.locked(session, offer_id)
    if offer.status not in RELEASED:
        raise Conflict(f"The offer is {offer.status} by now.", code="offer-state", status=offer.status)
    return offer.content


def _revise_offer(session: Session, offer_id: str, content: OfferContent, today: date) -> None:
    offers.revise(session, offer_queries.locked(session, offer_id), content, today)


def _present_details(session: Session, provider_id: str) -> Content:
    return provider_queries.locked(session, provider_id).content


def _revise_details(session: Session, provider_id: str, content: ProviderContent, _today: date) -> None:
    version = provider_queries.locked(session, provider_id).version
    providers.change(session, provider_id, version, content)


PROPOSABLE = {
    "offer": Proposable(OfferContent, _present_offer, _revise_offer),
    "provider": Proposable(ProviderContent, _present_details, _revise_details),
}
