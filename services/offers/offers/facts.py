"""What is told of offers: their own words, with what sessions and places know of them."""

from sqlmodel import Session

from libs.contracts import offers as events
from libs.contracts.card import Text
from libs.servicekit import outbox
from libs.servicekit.db import now
from services.offers.boards.domain import Declaration
from services.offers.offers.domain import NOTHING, Extras, OfferContent, Stand, card
from services.offers.offers.models import Offer
from services.offers.places import queries as places
from services.offers.providers.models import Provider
from services.offers.sessions import facts as session_facts
from services.offers.sessions import queries as sessions


def tell(
    session: Session,
    offer: Offer,
    board: Declaration,
    kind: type[events.OfferFact],
    reason: str | None = None,
) -> None:
    """Say the present state of an offer; when it is published, that of its dates too."""
    provider = session.get(Provider, offer.provider_id) if offer.provider_id else None
    title: Text | None = provider.content["title"] if provider else None
    fact = fact_of(offer.stand, offer.said, board, title, kind, reason, extras_of(session, offer.id))
    outbox.add(session, fact, thing_id=offer.id, version=offer.version)
    if kind is events.OfferPublished:
        session_facts.tell_untold(session, offer)


def extras_of(session: Session, offer_id: str) -> Extras:
    """What sessions and places know of an offer."""
    free = places.free(session, offer_id)
    coming = sessions.next_ones(session, offer_id, now())
    if coming is None:
        return Extras(free_places=free)
    venues = (each.place for each in coming if each.place)
    return Extras(free_places=free, dates=[each.starts_at for each in coming], place=next(venues, None))


def fact_of(
    stand: Stand,
    content: OfferContent,
    board: Declaration,
    provider_title: Text | None,
    kind: type[events.OfferFact],
    reason: str | None = None,
    extras: Extras = NOTHING,
) -> events.OfferFact:
    """An offer's present state as a fact."""
    more = {"reason": reason} if reason and kind is events.OfferWithdrawn else {}
    return kind(
        board=stand.board,
        provider_id=stand.provider_id,
        fields={name: value for name, value in content.fields.items() if value is not None},
        price_per=content.price_per,
        published_at=stand.published_at,
        changed_at=stand.changed_at,
        checked_on=stand.checked_on,
        checked_as=events.CheckedAs(stand.checked_as) if stand.checked_as else None,
        card=card(board, content, provider_title, stand, extras),
        **more,
    )
