"""Reads of bookings, and who may see which."""

from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, true
from sqlmodel import Session, and_, col, func, not_, or_, select

from libs.servicekit import db
from libs.servicekit.errors import Conflict, NotFound
from libs.servicekit.principal import Principal
from libs.town.calendar import here
from services.offers.boards import queries as boards
from services.offers.bookings.domain import (
    ACTIVE,
    MOST_WAITING,
    BookingRules,
    BookingStatus,
    Terms,
    bookable_until,
    closed_until,
    in_force,
)
from services.offers.bookings.models import Booking, BookingDate, BookingTerms
from services.offers.bookings.openings import Opening, last_call, opening, openings, span
from services.offers.offers.domain import OfferStatus
from services.offers.offers.models import Offer
from services.offers.places import queries as places
from services.offers.places.models import Stock
from services.offers.sessions import queries as session_queries
from services.offers.sessions.models import OfferSession


def page(
    session: Session,
    caller: Principal,
    limit: int,
    after: str,
    board: str | None,
    offer_id: str | None,
    status: BookingStatus | None,
) -> list[Booking]:
    """Bookings of the caller's offers, an editor's are all; oldest first, one more than `limit` if there are more."""
    query = select(Booking).join(Offer, col(Offer.id) == Booking.offer_id)
    query = query.where(_of(caller), col(Booking.id) > after)
    wanted = {Booking.board: board, Booking.offer_id: offer_id, Booking.status: status}
    for column, value in wanted.items():
        if value is not None:
            query = query.where(col(column) == value)
    return list(session.exec(query.order_by(Booking.id).limit(limit + 1)))


def _of(caller: Principal) -> ColumnElement[bool]:
    return true() if caller.is_any("editor") else col(Offer.provider_id).in_(caller.providers)


def one(session: Session, booking_id: str) -> Booking:
    """A booking; NotFound when there is none, or when it was erased."""
    booking = session.get(Booking, booking_id)
    if booking is None:
        raise NotFound("booking")
    return booking


def locked(session: Session, booking_id: str) -> Booking:
    """The same, held until the transaction ends; hold its offer first."""
    query = select(Booking).where(Booking.id == booking_id).with_for_update()
    booking = session.exec(query, execution_options={"populate_existing": True}).first()
    if booking is None:
        raise NotFound("booking")
    return booking


def dates(session: Session, booking_ids: Iterable[str]) -> dict[str, list[str]]:
    """The ids of the stocks that bookings are about."""
    found: dict[str, list[str]] = {booking_id: [] for booking_id in booking_ids}
    if not found:
        return found
    query = select(BookingDate).where(col(BookingDate.booking_id).in_(found))
    for row in session.exec(query.order_by(BookingDate.stock_id)):
        found[row.booking_id].append(row.stock_id)
    return found


def dates_of(session: Session, booking: Booking) -> list[str]:
    """The ids of the stocks that one booking is about."""
    return dates(session, [booking.id])[booking.id]


def terms(session: Session, offer_id: str) -> BookingTerms:
    """What the offer has otherwise than its board; version 0 when that is nothing."""
    found = session.get(BookingTerms, offer_id)
    return found or BookingTerms(offer_id=offer_id, terms=Terms().model_dump(), version=0)


def having_terms(session: Session, offer_ids: list[str]) -> set[str]:
    """Those of the offers that have something otherwise than their board."""
    mine = select(BookingTerms.offer_id).where(col(BookingTerms.offer_id).in_(offer_ids))
    return set(session.exec(mine))


def rules(session: Session, offer: Offer) -> BookingRules:
    """What holds for bookings of an offer; Conflict when it cannot be booked here."""
    found = rules_or_none(session, offer)
    if found is None:
        raise Conflict("This offer cannot be booked here.", code="not-bookable")
    return found


def rules_or_none(session: Session, offer: Offer) -> BookingRules | None:
    """What holds for bookings of an offer; None for an offer that cannot be booked here."""
    return in_force(boards.declaration(session, offer.board).booking, terms(session, offer.id).said)


def closed(session: Session, offers: Iterable[Any]) -> dict[str, datetime]:
    """Up to which beginning the dates of offers (rows with `id` and `board`) can no longer be booked."""
    boards_of = {offer.id: offer.board for offer in offers}
    rows = session.exec(select(BookingTerms).where(col(BookingTerms.offer_id).in_(boards_of)))
    own = {row.offer_id: row.said for row in rows} if boards_of else {}
    declared = {slug: boards.declaration(session, slug).booking for slug in set(boards_of.values())}
    return {
        offer_id: closed_until(in_force(declared[board], own.get(offer_id, Terms())), db.now(), here().zone)
        for offer_id, board in boards_of.items()
    }


def openings_of(session: Session, rows: list[OfferSession], zone: tzinfo) -> dict[str, Opening]:
    """How sessions of one offer can be booked, by their ids."""
    if not rows:
        return {}
    offer = session.get_one(Offer, rows[0].offer_id)
    found = rules_or_none(session, offer)
    return openings(found, offer.said.fields, rows, places.of_offer(session, offer.id), zone)


def last_call_of(session: Session, offer: Offer) -> datetime | None:
    """The last instant at which something of an offer can be booked; None without an end, or if it cannot be here."""
    zone, found = here().zone, rules_or_none(session, offer)
    if found is None:
        return None
    fields, coming = offer.said.fields, session_queries.next_ones(session, offer.id, db.now()) or []
    stocks = {stock.id: stock for stock in places.of_offer(session, offer.id)}
    spans = [span(row, opening(found, fields, row, stocks, zone)) for row in coming]
    return last_call(spans) or bookable_until(found, fields, None, zone)


def retention(session: Session, offer: Offer) -> BookingRules:
    """The board's rules, also for an offer that can no longer be booked."""
    return boards.declaration(session, offer.board).booking or BookingRules()


def sessions(session: Session, ids: Iterable[str]) -> list[OfferSession]:
    """Sessions by their ids, soonest first."""
    query = select(OfferSession).where(col(OfferSession.id).in_(list(ids)))
    return list(session.exec(query.order_by(col(OfferSession.starts_at))))


def waiting(session: Session, offer_id: str) -> list[Booking]:
    """Who stands in line for an offer, first come first."""
    query = select(Booking).where(Booking.offer_id == offer_id, Booking.status == BookingStatus.WAITING)
    return list(session.exec(query.order_by(col(Booking.queued_at), col(Booking.id)).limit(MOST_WAITING + 1)))


def position(session: Session, booking: Booking) -> int | None:
    """How many stand in line up to and with this one; None for one that does not wait."""
    if booking.status != BookingStatus.WAITING:
        return None
    queued, key = col(Booking.queued_at), col(Booking.id)
    before = or_(queued < booking.queued_at, and_(queued == booking.queued_at, key <= booking.id))
    query = select(func.count()).where(
        Booking.offer_id == booking.offer_id, Booking.status == BookingStatus.WAITING, before
    )
    return session.exec(query).one()


def open_of(session: Session, booking: Booking, now: datetime) -> list[Booking]:
    """What the person behind a booking has asked for on its board, under whatever id, and is not over."""
    same = or_(
        col(Booking.recipient_id) == booking.recipient_id,
        and_(col(Booking.person).is_not(None), col(Booking.person) == booking.person),
    )
    query = select(Booking).where(
        same,
        Booking.board == booking.board,
        col(Booking.status).in_(ACTIVE),
        or_(col(Booking.ends_at).is_(None), col(Booking.ends_at) > now),
    )
    return list(session.exec(query))


def about(session: Session, stock_id: str) -> list[str]:
    """The ids of the bookings that are about a session."""
    query = select(BookingDate.booking_id).where(BookingDate.stock_id == stock_id)
    return list(session.exec(query.order_by(BookingDate.booking_id)))


def active_of(session: Session, offer_id: str) -> list[str]:
    """The ids of an offer's bookings that have not ended."""
    query = select(Booking.id).where(Booking.offer_id == offer_id, col(Booking.status).in_(ACTIVE))
    return list(session.exec(query.order_by(Booking.id)))


def overdue(session: Session, now: datetime, limit: int) -> list[str]:
    """The ids of those whose deadline has passed."""
    query = select(Booking.id).where(
        col(Booking.status).in_([BookingStatus.PENDING, BookingStatus.OFFERED]),
        col(Booking.deadline_at) <= now,
    )
    return list(session.exec(query.order_by(col(Booking.deadline_at)).limit(limit)))


def forgettable(session: Session, now: datetime, limit: int) -> list[str]:
    """The ids of those whose personal data have served their time."""
    query = select(Booking.id).where(col(Booking.forget_at) <= now)
    return list(session.exec(query.order_by(col(Booking.forget_at)).limit(limit)))


class InLine(NamedTuple):
    """Somebody who waits, and whether all that he waits for is free by now."""

    offer: Offer
    starts_at: datetime | None
    fits: bool


def in_line(session: Session) -> Iterator[InLine]:
    """All who wait for a public offer, first come first."""
    stock = BookingDate.stock_id
    mine = select(stock).where(BookingDate.booking_id == Booking.id)
    short = mine.join(Stock, col(Stock.id) == stock, isouter=True)
    short = short.where(or_(col(Stock.id).is_(None), not_(places.enough(col(Booking.places)))))
    fits = and_(mine.exists(), not_(short.exists()))
    query = select(Offer, Booking.starts_at, fits).join(Booking, col(Offer.id) == Booking.offer_id)
    query = query.where(Booking.status == BookingStatus.WAITING, Offer.status == OfferStatus.PUBLISHED)
    for row in session.exec(query.order_by(col(Booking.queued_at), col(Booking.id))):
        yield InLine(*row)
