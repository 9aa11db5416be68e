"""The steps of a booking's life: into a state, into the line, to an end. Each is told to the requester."""

from datetime import datetime

from sqlmodel import Session

from libs.contracts import messages as templates
from libs.contracts.offers import NeedKind
from libs.servicekit.db import now
from libs.servicekit.errors import Conflict
from services.offers.bookings import funds, holds, queries
from services.offers.bookings.domain import (
    MOST_WAITING,
    BookingRules,
    BookingStatus,
    Reason,
    answer_until,
    bookable_until,
    forget_at,
    may_become,
    offer_until,
)
from services.offers.bookings.messages import Desk, tell
from services.offers.bookings.models import Booking
from services.offers.needs import commands as needs
from services.offers.offers import domain as offers
from services.offers.offers import queries as offer_queries
from services.offers.offers.models import Offer

TEMPLATES: dict[BookingStatus, type[templates.BookingMessage]] = {
    BookingStatus.PENDING: templates.BookingReceived,
    BookingStatus.WAITING: templates.BookingWaiting,
    BookingStatus.OFFERED: templates.BookingOffered,
    BookingStatus.APPROVED: templates.BookingApproved,
    BookingStatus.DECLINED: templates.BookingDeclined,
    BookingStatus.CANCELLED: templates.BookingCancelled,
    BookingStatus.EXPIRED: templates.BookingExpired,
}


def held(session: Session, booking_id: str) -> tuple[Offer, Booking]:
    """A booking and its offer, the offer held first; NotFound when there is no such booking."""
    offer = offer_queries.locked(session, queries.one(session, booking_id).offer_id)
    return offer, queries.locked(session, booking_id)


class Full(Conflict):
    """There is no place, and the requester goes away empty-handed: an unmet need of the offer's board."""

    code = "places-full"

    def __init__(self, board: str, detail: str, *, code: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.board = board


def settle(
    session: Session,
    desk: Desk,
    rules: BookingRules,
    booking: Booking,
    status: BookingStatus,
    reason: Reason | None = None,
) -> None:
    """Put a booking into a state, with the deadline and the retention that go with it, and tell the requester."""
    if booking.version and not may_become(BookingStatus(booking.status), status):
        raise Conflict(
            f"A booking that is {booking.status} cannot become {status}.",
            code="booking-state",
            status=booking.status,
        )
    booking.status, booking.reason = status, reason
    booking.version, booking.changed_at = booking.version + 1, now()
    booking.deadline_at = _deadline(desk, rules, booking, status)
    booking.forget_at = forget_at(rules, status, now(), booking.ends_at)
    session.add(booking)
    session.flush()
    tell(session, desk, booking, TEMPLATES[status], granted_cents=funds.follow(session, desk, booking))


def _deadline(desk: Desk, rules: BookingRules, booking: Booking, status: BookingStatus) -> datetime | None:
    if status is BookingStatus.PENDING:
        return answer_until(rules, now(), booking.starts_at, desk.zone)
    if status is BookingStatus.OFFERED and rules.waiting:
        return offer_until(rules.waiting, now(), booking.starts_at)
    return None


def enter(
    session: Session,
    desk: Desk,
    offer: Offer,
    rules: BookingRules,
    booking: Booking,
    stock_ids: list[str],
    *,
    may_wait: bool,
) -> None:
    """Take what is wanted and approve it or leave it to the provider; else stand in line, else Conflict."""
    takes = rules.hold or rules.auto_accept
    behind = takes and _is_behind(session, rules, booking, stock_ids)
    if behind or (takes and not holds.take(session, offer, booking, stock_ids)):
        _line_up(session, desk, rules, booking, may_wait=may_wait)
    else:
        booking.queued_at = None
        settle(
            session,
            desk,
            rules,
            booking,
            BookingStatus.APPROVED if rules.auto_accept else BookingStatus.PENDING,
        )


def _is_behind(session: Session, rules: BookingRules, booking: Booking, stock_ids: list[str]) -> bool:
    """Whether somebody waits for the same dates whom nobody may overtake."""
    if rules.waiting is None or rules.waiting.overtake:
        return False
    line = [each.id for each in queries.waiting(session, booking.offer_id) if each.id != booking.id]
    return any(not set(stock_ids).isdisjoint(wanted) for wanted in queries.dates(session, line).values())


def _line_up(session: Session, desk: Desk, rules: BookingRules, booking: Booking, *, may_wait: bool) -> None:
    if rules.waiting is None or booking.slotted:
        raise Full(booking.board, "There are not enough free places.")
    if not may_wait:
        raise Full(
            booking.board,
            "There are not enough free places; with waiting_list you stand in line.",
            code="places-full-may-wait",
        )
    if len(queries.waiting(session, booking.offer_id)) >= MOST_WAITING:
        raise Full(
            booking.board,
            "There are not enough free places, and the waiting list is full.",
            code="waiting-list-full",
        )
    booking.queued_at = booking.queued_at or now()
    settle(session, desk, rules, booking, BookingStatus.WAITING)
    _note(session, desk, booking, NeedKind.WAITING)


def _note(session: Session, desk: Desk, booking: Booking, kind: NeedKind) -> None:
    on = now().astimezone(desk.zone).date()
    if booking.recipient_id:
        needs.note_offer(session, booking.board, kind, booking.offer_id, booking.recipient_id, on)


def end(
    session: Session, desk: Desk, offer: Offer, booking: Booking, status: BookingStatus, reason: Reason
) -> None:
    """End a booking: what it held is free, and whoever waited longest and fits is offered it."""
    rules = queries.retention(session, offer)
    settle(session, desk, rules, booking, status, reason)
    if reason is Reason.FULL:
        _note(session, desk, booking, NeedKind.REFUSED)
    holds.release(session, offer, booking)
    move_up(session, desk, offer)


def is_closed(desk: Desk, offer: Offer, rules: BookingRules, starts_at: datetime | None) -> bool:
    """Whether it is too late to book the offer, or its date that begins then."""
    until = bookable_until(rules, offer.said.fields, starts_at, desk.zone)
    return until is not None and until <= now()


def _fell_out(session: Session, stock_ids: list[str]) -> bool:
    return any(row.status == "cancelled" for row in queries.sessions(session, stock_ids))


def move_up(session: Session, desk: Desk, offer: Offer) -> int:
    """Offer free places to those who wait and fit, first come first; returns how many were offered something."""
    line = queries.waiting(session, offer.id)
    if not line or offer.status != offers.OfferStatus.PUBLISHED:
        return 0
    rules = queries.rules_or_none(session, offer) or queries.retention(session, offer)
    dates = queries.dates(session, [each.id for each in line])
    offered, passed = 0, list[Booking]()
    for booking in line:
        if is_closed(desk, offer, rules, booking.starts_at):
            settle(session, desk, rules, booking, BookingStatus.EXPIRED, Reason.OFFER_OVER)
        elif _fell_out(session, dates[booking.id]):
            continue  # the event of the cancelled date is on its way and ends it
        elif holds.take(session, offer, booking, dates[booking.id]):
            settle(session, desk, rules, booking, BookingStatus.OFFERED)
            offered += 1
            for each in passed:
                each.overtaken += 1
        elif rules.waiting and not rules.waiting.overtake:
            break
        else:
            passed.append(booking)
    return offered
