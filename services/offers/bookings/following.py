"""What becomes of bookings when time passes or their offer changes: told, released, expired, forgotten."""

from datetime import datetime

from sqlalchemy import delete
from sqlmodel import Session, col

from libs.contracts.messages import BookingDateCancelled, BookingMoved
from libs.servicekit import erasure
from libs.servicekit.db import now
from libs.servicekit.errors import NotFound, check_version
from services.offers.bookings import funds, holds, queries
from services.offers.bookings.access import Party
from services.offers.bookings.domain import BookingStatus, Reason, forget_at
from services.offers.bookings.messages import Desk, occasion, tell
from services.offers.bookings.models import Booking, BookingDate
from services.offers.bookings.steps import end, held, move_up
from services.offers.offers import domain as offers
from services.offers.offers import queries as offer_queries
from services.offers.offers.models import Offer
from services.offers.places import commands as places
from services.offers.sessions.models import OfferSession


def session_cancelled(session: Session, desk: Desk, session_id: str) -> None:
    """Everyone booked is told; a booking with other dates keeps those, one without ends."""
    row = session.get(OfferSession, session_id)
    if row is None or row.status != "cancelled":
        return
    offer = offer_queries.locked(session, row.offer_id)
    for booking in _active_about(session, session_id):
        if len(queries.dates_of(session, booking)) > 1:
            _drop(session, desk, offer, booking, row)
        else:
            end(session, desk, offer, booking, BookingStatus.CANCELLED, Reason.SESSION_CANCELLED)
    for booking in _active_about(session, offer.id):  # who booked the offer as a whole keeps the other dates
        _tell_cancelled(session, desk, booking, row)
    move_up(session, desk, offer)


def _active_about(session: Session, session_id: str) -> list[Booking]:
    found = [queries.locked(session, booking_id) for booking_id in queries.about(session, session_id)]
    return [booking for booking in found if booking.active]


def _drop(session: Session, desk: Desk, offer: Offer, booking: Booking, row: OfferSession) -> None:
    if booking.held:
        places.give_back(session, offer, {row.id: booking.places})
    mine = (col(BookingDate.booking_id) == booking.id) & (col(BookingDate.stock_id) == row.id)
    session.execute(delete(BookingDate).where(mine))
    _respan(session, offer, booking)
    _tell_cancelled(session, desk, booking, row)


def _tell_cancelled(session: Session, desk: Desk, booking: Booking, row: OfferSession) -> None:
    kept = queries.sessions(session, queries.dates_of(session, booking))
    dates = [*map(occasion, kept), occasion(row, cancelled=True)]
    tell(session, desk, booking, BookingDateCancelled, dates=dates, session_starts_at=row.starts_at)


def session_moved(session: Session, desk: Desk, session_id: str, span: tuple[datetime, datetime]) -> None:
    """Everyone booked is told of the new time `span`; of several moves in a row only the last one."""
    row = session.get(OfferSession, session_id)
    if row is None or (row.starts_at, row.ends_at) != span or row.status == "cancelled":
        return
    offer = offer_queries.locked(session, row.offer_id)
    for booking in _active_about(session, session_id):
        _respan(session, offer, booking)
        funds.follow(session, desk, booking)  # another year, another budget
        _tell_moved(session, desk, booking, row)
    for booking in _active_about(session, offer.id):
        _tell_moved(session, desk, booking, row)


def _tell_moved(session: Session, desk: Desk, booking: Booking, row: OfferSession) -> None:
    dates = {each.id: each for each in queries.sessions(session, queries.dates_of(session, booking))} | {
        row.id: row
    }
    tell(
        session,
        desk,
        booking,
        BookingMoved,
        dates=[occasion(each) for each in dates.values()],
        session_starts_at=row.starts_at,
        session_ends_at=row.ends_at,
    )


def _respan(session: Session, offer: Offer, booking: Booking) -> None:
    rows = queries.sessions(session, queries.dates_of(session, booking))
    booking.starts_at, booking.ends_at = rows[0].starts_at, max(row.ends_at for row in rows)
    booking.version, booking.changed_at = booking.version + 1, now()
    if booking.deadline_at:
        booking.deadline_at = min(booking.deadline_at, booking.starts_at)
    rules = queries.retention(session, offer)
    booking.forget_at = forget_at(rules, BookingStatus(booking.status), now(), booking.ends_at)


def offer_ended(session: Session, desk: Desk, offer_id: str, *, withdrawn: bool) -> None:
    """What was taken back takes its bookings along; what is over ends those that were never approved."""
    try:
        offer = offer_queries.locked(session, offer_id)
    except NotFound:
        return
    if offer.status not in (offers.OfferStatus.WITHDRAWN, offers.OfferStatus.EXPIRED):
        return  # it is public again
    for booking_id in queries.active_of(session, offer_id):
        booking = queries.locked(session, booking_id)
        if booking.ends_at and booking.ends_at <= now():
            continue
        if withdrawn:
            end(session, desk, offer, booking, BookingStatus.CANCELLED, Reason.OFFER_WITHDRAWN)
        elif booking.status != BookingStatus.APPROVED:
            end(session, desk, offer, booking, BookingStatus.EXPIRED, Reason.OFFER_OVER)


def expire(session: Session, desk: Desk, booking_id: str) -> None:
    """End what nobody answered in time: the provider a request, or the requester a place held for him."""
    offer, booking = held(session, booking_id)
    if (
        booking.status not in (BookingStatus.PENDING, BookingStatus.OFFERED)
        or (booking.deadline_at or now()) > now()
    ):
        return
    reason = Reason.UNANSWERED if booking.status == BookingStatus.PENDING else Reason.LAPSED
    end(session, desk, offer, booking, BookingStatus.EXPIRED, reason)


def advance(session: Session, desk: Desk, offer_id: str) -> int:
    """Offer to those in line what became free otherwise, such as by more places; returns to how many."""
    return move_up(session, desk, offer_queries.locked(session, offer_id))


def erase(session: Session, desk: Desk, party: Party, booking_id: str, expected: int) -> None:
    """The requester's data go at once; what he still held is cancelled, a bare row stays until the retention ends."""
    offer, booking = held(session, booking_id)
    party.must_hold(booking)
    check_version(expected, booking.version)
    if booking.active and not _over(booking):
        end(session, desk, offer, booking, BookingStatus.CANCELLED, Reason.ERASED)
    else:
        booking.version, booking.changed_at = booking.version + 1, now()
    _strip(booking)
    erasure.forget(session, booking.id)


def forget(session: Session, desk: Desk, booking_id: str) -> None:
    """The retention period is over: the row goes, or only what is personal where the place is still taken."""
    offer, booking = held(session, booking_id)
    if booking.forget_at is None or booking.forget_at > now():
        return
    if booking.active and booking.status != BookingStatus.APPROVED:
        end(session, desk, offer, booking, BookingStatus.EXPIRED, Reason.UNANSWERED)
    elif booking.active and not _over(booking):
        _strip(booking)
        booking.forget_at = None
    else:
        holds.release(session, offer, booking)
        session.execute(delete(BookingDate).where(col(BookingDate.booking_id) == booking.id))
        session.delete(booking)


def _over(booking: Booking) -> bool:
    return booking.ends_at is not None and booking.ends_at <= now()


def _strip(booking: Booking) -> None:
    booking.form = booking.recipient_id = booking.person = None
