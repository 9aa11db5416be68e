"""What is done with offers: one function = one transaction of the caller's, with the facts it causes."""

from datetime import date
from functools import partial

from sqlmodel import Session, col, select

from libs.contracts import offers as events
from libs.selfservice.members.queries import must_act_for
from libs.servicekit.batches import each_apart
from libs.servicekit.db import now
from libs.servicekit.errors import Conflict, FieldError, Forbidden, Invalid, check_version
from libs.servicekit.principal import Principal
from services.offers.boards import queries as boards
from services.offers.boards.domain import Declaration, check_fields
from services.offers.offers import queries
from services.offers.offers.domain import (
    RELEASED,
    OfferContent,
    OfferStatus,
    is_over,
    may_become,
)
from services.offers.offers.facts import tell
from services.offers.offers.models import Offer
from services.offers.places import stating as places
from services.offers.providers.models import Provider
from services.offers.sessions import queries as sessions

EXPIRE_AT_ONCE = 200


def draft(
    session: Session, actor: Principal, board: str, provider_id: str | None, content: OfferContent
) -> Offer:
    """A new offer that nobody sees yet."""
    declaration = boards.one(session, board, hold=True).declared
    if provider_id is not None:
        _provider_exists(session, provider_id)
    must_act_for(actor, provider_id)
    check(declaration, content, complete=False)
    offer = Offer(board=board, provider_id=provider_id, content={}, created_by=actor.subject)
    offer.say(content)
    session.add(offer)
    return offer


def _provider_exists(session: Session, provider_id: str) -> None:
    provider = session.get(Provider, provider_id)
    if provider is None or not provider.active:
        raise Invalid(FieldError(field="provider_id", reason="there is no such provider"))


def change(session: Session, actor: Principal, offer_id: str, expected: int, content: OfferContent) -> Offer:
    """Replace what is said of an offer. A provider may do so until it is published, an editor always."""
    offer = _held(session, actor, offer_id, expected)
    if offer.status in RELEASED and not actor.is_any("editor"):
        raise Forbidden(
            "A published offer is changed by an editor; propose the change.", code="propose-instead"
        )
    declaration = boards.declaration(session, offer.board, hold=True)
    check(declaration, content, complete=offer.status in (OfferStatus.SUBMITTED, *RELEASED))
    before = offer.content
    offer.say(content)
    if offer.content != before:
        _restate(session, offer, before.get("free_places"))
        retell(session, offer)
    return offer


def revise(session: Session, offer: Offer, content: OfferContent, today: date) -> None:
    """Put a content that an editor released into a published or hidden offer; it was looked at, so it is fresh."""
    check(boards.declaration(session, offer.board, hold=True), content, complete=True)
    before = offer.content.get("free_places")
    offer.say(content)
    _restate(session, offer, before)
    offer.vouch(events.CheckedAs.EDITOR, today)
    if offer.status == OfferStatus.HIDDEN:
        show(session, offer)
    else:
        retell(session, offer)


def submit(session: Session, actor: Principal, offer_id: str, expected: int) -> Offer:
    """Hand an offer to the editors; it must be complete."""
    offer = _held(session, actor, offer_id, expected)
    _move(offer, OfferStatus.SUBMITTED)
    check(boards.declaration(session, offer.board, hold=True), offer.said, complete=True)
    return offer


def publish(session: Session, offer_id: str, expected: int, today: date) -> Offer:
    """Make an offer public; it must be complete and not over."""
    offer = queries.locked(session, offer_id)
    check_version(expected, offer.version)
    _move(offer, OfferStatus.PUBLISHED)
    make_public(session, offer, today)
    return offer


def make_public(session: Session, offer: Offer, today: date) -> None:
    """Publish an offer of this transaction; Invalid when it is not complete, or over."""
    offer.status = OfferStatus.PUBLISHED
    declaration = boards.one(session, offer.board, hold=True).declared
    check(declaration, offer.said, complete=True)
    if is_over(offer.said, today):
        raise Invalid(FieldError(field="period.end", reason="lies in the past"))
    if offer.provider_id is not None:
        _provider_exists(session, offer.provider_id)
    offer.published_at = now()
    offer.vouch(events.CheckedAs.EDITOR, today)
    tell(session, offer, declaration, events.OfferPublished)


def withdraw(session: Session, actor: Principal, offer_id: str, expected: int, reason: str | None) -> Offer:
    """Take an offer back; listeners that knew it are told."""
    offer = _held(session, actor, offer_id, expected)
    was_public = offer.status in RELEASED
    _move(offer, OfferStatus.WITHDRAWN)
    if was_public:
        tell(session, offer, boards.declaration(session, offer.board), events.OfferWithdrawn, reason=reason)
    return offer


def expire_due(session: Session, today: date) -> int:
    """End published offers whose period is over; returns how many, at most `EXPIRE_AT_ONCE`."""
    query = select(Offer).where(col(Offer.status).in_(RELEASED), col(Offer.ends_on) < today)
    due = session.exec(query.limit(EXPIRE_AT_ONCE).with_for_update(skip_locked=True)).all()
    return each_apart(session, "offers.expire", due, partial(_expire, session))


def _expire(session: Session, offer: Offer) -> None:
    _move(offer, OfferStatus.EXPIRED)
    tell(session, offer, boards.declaration(session, offer.board), events.OfferExpired)


def hide(session: Session, offer: Offer) -> None:
    """Take an offer out of the public until somebody checks it."""
    _move(offer, OfferStatus.HIDDEN)
    tell(session, offer, boards.declaration(session, offer.board), events.OfferHidden)


def show(session: Session, offer: Offer) -> None:
    """Bring a hidden offer back."""
    _move(offer, OfferStatus.PUBLISHED)
    tell(session, offer, boards.declaration(session, offer.board), events.OfferPublished)


def republish_of(session: Session, provider: Provider) -> None:
    """Tell the provider's public offers again, with its new name."""
    query = select(Offer).where(Offer.provider_id == provider.id, Offer.status == OfferStatus.PUBLISHED)
    for offer in session.exec(query.order_by(Offer.id).with_for_update()):
        retell(session, offer)


def retell(session: Session, offer: Offer) -> None:
    """Something that is shown of an offer changed elsewhere: a new version, told if the offer is public."""
    _step(offer)
    if offer.status == OfferStatus.PUBLISHED:
        tell(session, offer, boards.declaration(session, offer.board), events.OfferChanged)


def has_published(session: Session, provider_id: str) -> bool:
    """Whether a provider has public offers."""
    query = select(Offer.id).where(Offer.provider_id == provider_id, col(Offer.status).in_(RELEASED))
    return session.exec(query.limit(1)).first() is not None


def check(board: Declaration, content: OfferContent, *, complete: bool) -> None:
    """Raise Invalid naming every field that the board does not admit."""
    found = [
        FieldError(field=f"fields.{name}", reason=why)
        for name, why in check_fields(board, content.fields, complete=complete)
    ]
    if len(set(content.dates)) < len(content.dates):
        found.append(FieldError(field="dates", reason="names a date twice"))
    if board.booking and board.booking.slots and content.free_places is not None:
        reason = "what is booked by slot has its places there: say its max instead"
        found.append(FieldError(field="free_places", reason=reason))
    if found:
        raise Invalid(*found)


def _restate(session: Session, offer: Offer, before: int | None) -> None:
    """What a provider newly states as free is what bookings count down; Invalid where they count each date."""
    free = offer.said.free_places
    if free == before:
        return
    if free is not None and sessions.any_of(session, offer.id):
        reason = "this offer has dates: say for each how many places it has"
        raise Invalid(FieldError(field="free_places", reason=reason))
    places.restate(session, offer.id, free)


def held_for(session: Session, actor: Principal, offer_id: str) -> Offer:
    """An offer the caller may act for, held until the transaction ends; Forbidden or NotFound otherwise."""
    offer = queries.locked(session, offer_id)
    must_act_for(actor, offer.provider_id)
    return offer


def _held(session: Session, actor: Principal, offer_id: str, expected: int) -> Offer:
    offer = held_for(session, actor, offer_id)
    check_version(expected, offer.version)
    return offer


def _move(offer: Offer, status: OfferStatus) -> None:
    if not may_become(OfferStatus(offer.status), status):
        raise Conflict(
            f"An offer that is {offer.status} cannot become {status}.",
            code="offer-state",
            status=offer.status,
        )
    offer.status = status
    _step(offer)


def _step(offer: Offer) -> None:
    offer.version, offer.changed_at = offer.version + 1, now()
