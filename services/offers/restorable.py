"""Which of the service's things can be brought in order with the bus after its database was restored, and how.

Money, needs, periods and boards rest on rows that the bus never saw; they can only go on above its versions.
"""

from typing import Any

from sqlmodel import Session

from libs.contracts import offers as events
from libs.contracts.event import Envelope
from libs.publishing.restored import Restorable
from services.offers.allocation.models import Period
from services.offers.blueprints.models import Improvement
from services.offers.boards.models import Board
from services.offers.funding.models import Budget
from services.offers.needs.models import Need
from services.offers.offers.domain import OfferContent, OfferStatus
from services.offers.offers.models import Offer
from services.offers.providers.domain import ProviderContent
from services.offers.providers.models import Provider
from services.offers.sessions.models import OfferSession

STATUS = {
    events.OfferPublished: OfferStatus.PUBLISHED,
    events.OfferChanged: OfferStatus.PUBLISHED,
    events.OfferWithdrawn: OfferStatus.WITHDRAWN,
    events.OfferExpired: OfferStatus.EXPIRED,
    events.OfferHidden: OfferStatus.HIDDEN,
}


def take_offer(session: Session, event: Envelope[Any]) -> None:
    """Write an offer as the bus has it; what only the database knew (whose import it was, flags) stays as it is."""
    fact: events.OfferFact = event.data
    offer = session.get(Offer, event.subject) or Offer(id=event.subject, board=fact.board, content={})
    said = (fact.card.model_dump(mode="json", exclude_defaults=True) if fact.card else {}) | {
        "fields": fact.model_dump(mode="json")["fields"],
        "price_per": fact.price_per,
    }
    known = {name: value for name, value in said.items() if name in OfferContent.model_fields}
    offer.say(OfferContent.model_validate(known, strict=False))
    offer.board, offer.provider_id, offer.status = fact.board, fact.provider_id, STATUS[type(fact)]
    offer.published_at, offer.changed_at = fact.published_at, fact.changed_at
    offer.checked_on, offer.checked_as = fact.checked_on, fact.checked_as
    offer.version = event.version
    session.add(offer)


def take_provider(session: Session, event: Envelope[Any]) -> None:
    """Write a provider as the bus has it."""
    fact: events.ProviderFact = event.data
    provider = session.get(Provider, event.subject) or Provider(id=event.subject, content={})
    said: dict[str, Any] = {"title": fact.title, "kind": fact.kind, "url": fact.url}
    said["place"] = fact.place and fact.place.model_dump(mode="json")
    content = ProviderContent.model_validate(said, strict=False)
    provider.content = content.model_dump(mode="json")
    provider.active = not isinstance(fact, events.ProviderWithdrawn)
    provider.version = event.version
    session.add(provider)


RESTORABLE = [
    Restorable("provider", Provider.id, (Provider.version,), events.ProviderWithdrawn, take_provider),
    Restorable("offer", Offer.id, (Offer.version,), events.OfferWithdrawn, take_offer),
    Restorable("session", OfferSession.id, (OfferSession.version, OfferSession.told)),
    Restorable("board", Board.slug, (Board.version,), events.BoardWithdrawn),
    Restorable("budget", Budget.id, (Budget.sequence,)),
    Restorable("need", Need.id, (Need.version,), events.NeedSettled),
    Restorable("period", Period.id, (Period.version,)),
    Restorable("improvement", Improvement.id, (Improvement.version,), events.ImprovementLapsed),
]
