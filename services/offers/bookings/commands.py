"""What is done with bookings: one function = one transaction of the caller's, with the messages it asks for.

Locks are taken in one order: the recipient, the offer, the booking, places and slots.
"""

from sqlalchemy import delete, insert, text
from sqlmodel import Session, col

from libs.contracts.offers import NeedKind
from libs.servicekit.db import now
from libs.servicekit.errors import Conflict, FieldError, Invalid, NotFound, check_version
from services.offers.boards import queries as boards
from services.offers.bookings import funds, holds, queries
from services.offers.bookings.access import Party
from services.offers.bookings.domain import (
    BookingRules,
    BookingStatus,
    Reason,
    Terms,
    Wish,
    rules_of,
)
from services.offers.bookings.messages import Desk
from services.offers.bookings.models import Booking, BookingDate, BookingTerms
from services.offers.bookings.plans import Plan, answered_by, dated, plan_of, within_caps
from services.offers.bookings.steps import end, enter, held, is_closed, move_up, settle
from services.offers.needs import commands as needs
from services.offers.offers import commands as offer_commands
from services.offers.offers import domain as offers
from services.offers.offers import queries as offer_queries
from services.offers.offers.models import Offer


def set_terms(session: Session, party: Party, offer_id: str, expected: int, terms: Terms) -> BookingTerms:
    """Say what an offer has otherwise than its board."""
    offer = offer_queries.locked(session, offer_id)
    party.must_provide(offer)
    board = boards.declaration(session, offer.board).booking
    if board is None:
        raise Conflict("Offers of this board cannot be booked here.", code="not-bookable")
    try:
        rules_of(board, terms)
    except ValueError:
        raise Invalid(FieldError(field="max_dates", reason="lies below min_dates")) from None
    row = queries.terms(session, offer_id)
    check_version(expected, row.version)
    row.terms, row.version = terms.model_dump(), row.version + 1
    session.add(row)
    session.flush()
    offer_commands.retell(session, offer)
    return row


def request(
    session: Session,
    desk: Desk,
    offer_id: str,
    recipient_id: str,
    wish: Wish,
    *,
    may_wait: bool,
    person: str | None = None,
) -> Booking:
    """A new booking: approved, pending or in the line, as the rules say; Conflict when there is no place.

    `person` is whom caps count, under whatever ids; without it the recipient id is."""
    _one_at_a_time(session, person or recipient_id)
    offer = _public(session, offer_id)
    rules = queries.rules(session, offer)
    plan = plan_of(session, desk, offer, rules, wish)
    booking = _new(offer, recipient_id, plan)
    booking.person = person
    within_caps(session, rules, booking, plan)
    enter(session, desk, offer, answered_by(rules, plan), booking, plan.stock_ids, may_wait=may_wait)
    _note_dates(session, booking, plan)
    return booking


def note_refusal(session: Session, desk: Desk, board: str, offer_id: str, person: str) -> None:
    """Somebody went away empty-handed; in a transaction of its own, since the request's is undone."""
    on = now().astimezone(desk.zone).date()
    needs.note_offer(session, board, NeedKind.REFUSED, offer_id, person, on)


def place(session: Session, desk: Desk, offer_id: str, recipient_id: str, wish: Wish) -> Booking:
    """An approved booking for somebody whose wish was fulfilled elsewhere, such as by an allocation; neither form nor
    deadline nor caps are asked for. Conflict when there is no place."""
    offer = _public(session, offer_id)
    rules = queries.retention(session, offer)
    count = wish.places or 1
    plan = dated(session, desk, offer, Plan(count, wish.form, []), wish.session_ids)
    booking = _new(offer, recipient_id, plan)
    if not holds.take(session, offer, booking, plan.stock_ids):
        raise Conflict("There are not enough free places.", code="places-full")
    settle(session, desk, rules, booking, BookingStatus.APPROVED)
    _note_dates(session, booking, plan)
    return booking


def change(session: Session, desk: Desk, party: Party, booking_id: str, expected: int, wish: Wish) -> Booking:
    """Replace what is wished for. Other dates or more places are asked for anew, other answers are only noted."""
    seen = queries.one(session, booking_id)
    _one_at_a_time(session, seen.person or seen.recipient_id or "")
    offer, booking = held(session, booking_id)
    party.must_hold(booking)
    if booking.recipient_id is None:
        raise NotFound("booking")  # its time is over: nothing personal may enter it again
    check_version(expected, booking.version)
    rules = queries.rules(session, offer)
    if booking.status not in (BookingStatus.PENDING, BookingStatus.WAITING, BookingStatus.APPROVED):
        raise Conflict(
            f"A booking that is {booking.status} cannot be changed.",
            code="booking-state",
            status=booking.status,
        )
    _still_open(desk, offer, rules, booking)
    plan = plan_of(session, desk, offer, rules, wish, booking.form or {})
    within_caps(session, rules, booking, plan)
    if _same(session, booking, plan):
        booking.form, booking.version, booking.changed_at = plan.form, booking.version + 1, now()
        funds.follow(session, desk, booking)
        return booking
    if plan.places > booking.places or plan.stock_ids != queries.dates_of(session, booking):
        booking.queued_at = None
    holds.release(session, offer, booking)
    _apply(booking, plan)
    waits = booking.status == BookingStatus.WAITING
    enter(session, desk, offer, answered_by(rules, plan), booking, plan.stock_ids, may_wait=waits)
    session.execute(delete(BookingDate).where(col(BookingDate.booking_id) == booking.id))
    _note_dates(session, booking, plan)
    move_up(session, desk, offer)
    return booking


def accept(session: Session, desk: Desk, party: Party, booking_id: str, expected: int) -> Booking:
    """Whoever waited takes the place that is held for him."""
    offer, booking = held(session, booking_id)
    party.must_hold(booking)
    check_version(expected, booking.version)
    if booking.status != BookingStatus.OFFERED or (booking.deadline_at or now()) <= now():
        raise Conflict("No place is held for this booking.", code="no-place-held")
    rules = queries.rules(session, offer)
    booking.queued_at = None
    settle(
        session, desk, rules, booking, BookingStatus.APPROVED if rules.auto_accept else BookingStatus.PENDING
    )
    return booking


def cancel(
    session: Session, desk: Desk, party: Party, booking_id: str, expected: int, reason: str | None
) -> Booking:
    """Either side takes a booking back, also out of the line; its places are free at once."""
    offer, booking = held(session, booking_id)
    party.must_either(booking, offer)
    check_version(expected, booking.version)
    if booking.ends_at and booking.ends_at <= now():
        raise Conflict("It is over already.", code="booking-over")
    why = Reason.BY_REQUESTER if party.holds(booking) else Reason(reason or Reason.OTHER)
    end(session, desk, offer, booking, BookingStatus.CANCELLED, why)
    return booking


def approve(session: Session, desk: Desk, party: Party, booking_id: str, expected: int) -> Booking:
    """The provider says yes; Conflict when it takes more places than are left."""
    offer, booking = held(session, booking_id)
    party.must_provide(offer)
    check_version(expected, booking.version)
    if booking.status != BookingStatus.PENDING:
        raise Conflict(
            f"A booking that is {booking.status} cannot be approved.",
            code="booking-state",
            status=booking.status,
        )
    if not booking.held and not holds.take(session, offer, booking, queries.dates_of(session, booking)):
        raise Conflict("There are not enough free places.", code="places-full")
    settle(session, desk, queries.retention(session, offer), booking, BookingStatus.APPROVED)
    return booking


def decline(
    session: Session, desk: Desk, party: Party, booking_id: str, expected: int, reason: str
) -> Booking:
    """The provider says no, with a reason."""
    offer, booking = held(session, booking_id)
    party.must_provide(offer)
    check_version(expected, booking.version)
    end(session, desk, offer, booking, BookingStatus.DECLINED, Reason(reason))
    return booking


def _one_at_a_time(session: Session, person: str) -> None:
    # Caps are counted before they are kept: two requests of one person must not count at once.
    if session.get_bind().dialect.name == "postgresql":
        key = {"key": f"recipient {person}"}
        session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), key)


def _public(session: Session, offer_id: str) -> Offer:
    try:
        offer = offer_queries.locked(session, offer_id)
    except NotFound:
        offer = None
    if offer is None or offer.status != offers.OfferStatus.PUBLISHED:
        raise Invalid(FieldError(field="offer_id", reason="there is no such offer"))
    return offer


def _new(offer: Offer, recipient_id: str, plan: Plan) -> Booking:
    booking = Booking(
        board=offer.board, offer_id=offer.id, recipient_id=recipient_id, places=0, form=None, version=0
    )
    _apply(booking, plan)
    return booking


def _still_open(desk: Desk, offer: Offer, rules: BookingRules, booking: Booking) -> None:
    if is_closed(desk, offer, rules, booking.starts_at):
        raise Conflict("It is too late to change this booking.", code="too-late")


def _same(session: Session, booking: Booking, plan: Plan) -> bool:
    wanted = (plan.places, plan.stock_ids, plan.slotted and (plan.starts_at, plan.ends_at))
    had = booking.slotted and (booking.starts_at, booking.ends_at)
    return wanted == (booking.places, queries.dates_of(session, booking), had)


def _apply(booking: Booking, plan: Plan) -> None:
    booking.places, booking.form, booking.slotted = plan.places, plan.form, plan.slotted
    booking.starts_at, booking.ends_at = plan.starts_at, plan.ends_at


def _note_dates(session: Session, booking: Booking, plan: Plan) -> None:
    if plan.stock_ids:
        rows = [{"booking_id": booking.id, "stock_id": stock_id} for stock_id in plan.stock_ids]
        session.execute(insert(BookingDate), rows)
