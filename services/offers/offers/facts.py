"""What is told of offers: their own words, with what sessions and places know of them."""

from dataclasses import replace

from sqlmodel import Session

from libs.contracts import offers as events
from libs.contracts.card import Text
from libs.servicekit import outbox
from libs.servicekit.db import now
from libs.town.calendar import here
from services.offers.boards.domain import Declaration
from services.offers.bookings import queries as bookings
from services.offers.bookings.domain import BookingRules, bookable_until, closed_until, in_force
from services.offers.bookings.openings import last_call, opening, span
from services.offers.offers.domain import NOTHING, Extras, OfferContent, Stand, card
from services.offers.offers.models import Offer
from services.offers.places import queries as places
from services.offers.places.models import Stock
from services.offers.providers.models import Provider
from services.offers.sessions import facts as session_facts
from services.offers.sessions import queries as sessions
from services.offers.sessions.models import OfferSession


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
    fact = fact_of(
        offer.stand, offer.said, board, title, kind, reason, extras_of(session, offer.id, board, offer.said)
    )
    outbox.add(session, fact, thing_id=offer.id, version=offer.version)
    if kind is events.OfferPublished:
        session_facts.tell_untold(session, offer)


def extras_of(session: Session, offer_id: str, board: Declaration, content: OfferContent) -> Extras:
    """What sessions, places and bookings know of an offer that says this."""
    rules = in_force(board.booking, bookings.terms(session, offer_id).said)
    stocks, coming = places.of_offer(session, offer_id), sessions.next_ones(session, offer_id, now())
    free = places.left_of(offer_id, stocks, _gone(session, offer_id, rules, stocks, coming or []))
    found = _booked(rules, content, Extras(free_places=free.free if free else None))
    if coming is None:
        return found
    by_id = {stock.id: stock for stock in stocks}
    dates = [span(row, opening(rules, content.fields, row, by_id, here().zone)) for row in coming]
    place = next((each.place for each in coming if each.place), None)
    return replace(found, spans=dates, place=place, bookable_until=last_call(dates) or found.bookable_until)


def _gone(
    session: Session,
    offer_id: str,
    rules: BookingRules | None,
    stocks: list[Stock],
    coming: list[OfferSession],
) -> set[str]:
    """The dates with places that nobody can book any more."""
    closed = closed_until(rules, now(), here().zone)
    if len(coming) == sessions.MAX_DATES:
        return sessions.not_to_come(session, {offer_id: closed}, now())
    return {stock.id for stock in stocks} - {row.id for row in coming if row.starts_at > closed}


def _booked(rules: BookingRules | None, content: OfferContent, extras: Extras) -> Extras:
    if rules is None:
        return extras
    until = bookable_until(rules, content.fields, None, here().zone)
    return replace(extras, bookable=True, bookable_until=until)


def fact_of(
    stand: Stand,
    content: OfferContent,
    board: Declaration,
    provider_title: Text | None,
    kind: type[events.OfferFact],
    reason: str | None = None,
    extras: Extras | None = None,
) -> events.OfferFact:
    """An offer's present state as a fact; without extras that of one of which no other part knows anything."""
    extras = extras or _booked(board.booking, content, NOTHING)
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
