"""What a wish comes to under the rules of its board and offer: a plan, or a problem that names what does not fit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from sqlmodel import Session

from libs.servicekit.db import now
from libs.servicekit.errors import Conflict, FieldError, Invalid
from services.offers.bookings import queries
from services.offers.bookings.domain import (
    BookingRules,
    Wish,
    bookable_until,
    places_wanted,
)
from services.offers.bookings.forms import Facts, check_form, check_meaning
from services.offers.bookings.messages import Desk
from services.offers.bookings.models import Booking
from services.offers.offers.models import Offer
from services.offers.places import commands as places
from services.offers.places import queries as stocks
from services.offers.sessions import queries as sessions
from services.offers.sessions.models import OfferSession
from services.offers.sessions.recurrence import Unfit
from services.offers.slots.domain import check_slot, opens


@dataclass(frozen=True)
class Plan:
    """A wish that keeps to the rules: how many places of which stocks, and when."""

    places: int
    form: dict[str, Any]
    stock_ids: list[str]
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    slotted: bool = False
    # Hours such as `nach Vereinbarung` leave it to the provider.
    certain: bool = True


def plan_of(
    session: Session,
    desk: Desk,
    offer: Offer,
    rules: BookingRules,
    wish: Wish,
    answered: Mapping[str, Any] | None = None,
) -> Plan:
    """A wish checked against the rules; Invalid names what does not fit. What was `answered` before the same way was
    right then."""
    plan = _plan(session, desk, offer, rules, wish)
    _in_time(desk, offer, rules, plan)
    day = (plan.starts_at or now()).astimezone(desk.zone).date()
    facts = Facts(offer.said.age, offer.ends_on, now().astimezone(desk.zone).date(), day)
    news = {name for name, value in wish.form.items() if (answered or {}).get(name) != value}
    wrong = [(name, why) for name, why in check_meaning(rules.form, wish.form, facts) if name in news]
    if found := [FieldError(field=f"form.{name}", reason=why) for name, why in wrong]:
        raise Invalid(*found)
    return plan


def _in_time(desk: Desk, offer: Offer, rules: BookingRules, plan: Plan) -> None:
    until = bookable_until(rules, offer.said.fields, None if plan.slotted else plan.starts_at, desk.zone)
    if until is None or until > now():
        return
    if plan.starts_at and not plan.slotted:
        raise Invalid(FieldError(field="session_ids", reason="names a date that can no longer be booked"))
    day = offer.said.fields[rules.closes or ""]
    raise Invalid(FieldError(field="offer_id", reason=f"could be booked until {day}"))


def _plan(session: Session, desk: Desk, offer: Offer, rules: BookingRules, wish: Wish) -> Plan:
    wrong = [FieldError(field=f"form.{name}", reason=why) for name, why in check_form(rules.form, wish.form)]
    if wrong:
        raise Invalid(*wrong)
    try:
        count = places_wanted(rules, wish.places, wish.form)
    except ValueError as error:
        raise Invalid(FieldError(field="places", reason=str(error))) from None
    if not 1 <= count <= rules.max_places:
        raise Invalid(FieldError(field="places", reason=f"from 1 to {rules.max_places}"))
    plan = Plan(count, wish.form, [])
    if rules.slots:
        return _slotted(desk, offer, rules, plan, wish)
    if wish.slot:
        raise Invalid(FieldError(field="slot", reason="this board has no slots"))
    if wish.session_ids and not rules.min_dates <= len(wish.session_ids) <= rules.max_dates:
        reason = f"choose from {rules.min_dates} to {rules.max_dates} dates"
        raise Invalid(FieldError(field="session_ids", reason=reason))
    return dated(session, desk, offer, plan, wish.session_ids)


def answered_by(rules: BookingRules, plan: Plan) -> BookingRules:
    """The rules under which a plan is accepted: what the hours leave open no rule decides alone."""
    return rules if plan.certain else rules.model_copy(update={"auto_accept": False})


def _slotted(desk: Desk, offer: Offer, rules: BookingRules, plan: Plan, wish: Wish) -> Plan:
    assert rules.slots is not None  # noqa: S101 - asked by the caller
    if wish.slot is None or wish.session_ids:
        raise Invalid(FieldError(field="slot", reason="this board is booked by slot"))
    try:
        slot = wish.slot.fixed(desk.zone)
    except Unfit as error:
        raise Invalid(FieldError(field=error.field, reason=error.reason)) from error
    wrong = check_slot(rules.slots, slot, offer.said.fields, now(), desk.calendar)
    if found := [FieldError(field=field, reason=why) for field, why in wrong]:
        raise Invalid(*found)
    certain = opens(rules.slots, slot, offer.said.fields, desk.calendar) is True
    return Plan(plan.places, plan.form, [], slot.starts_at, slot.ends_at, slotted=True, certain=certain)


def dated(session: Session, desk: Desk, offer: Offer, plan: Plan, session_ids: list[str]) -> Plan:
    """The dates of a plan, or the offer as a whole where that has places of its own or no dates."""
    own = stocks.own(session, offer.id)
    if (own and own.limited) or not sessions.any_of(session, offer.id):
        if session_ids:
            raise Invalid(FieldError(field="session_ids", reason="this offer is booked as a whole"))
        if own is None:
            places.ensure_whole(session, offer)
        return Plan(plan.places, plan.form, [offer.id], None, _last_instant(desk, offer))
    found = _of_offer(session, offer, session_ids)
    places.ensure(session, offer, {row.id: row.places_max for row in found})
    ids = sorted(row.id for row in found)
    return Plan(plan.places, plan.form, ids, found[0].starts_at, max(row.ends_at for row in found))


def _last_instant(desk: Desk, offer: Offer) -> datetime | None:
    if offer.ends_on is None:
        return None
    return datetime.combine(offer.ends_on + timedelta(days=1), time.min, desk.zone)


def _of_offer(session: Session, offer: Offer, ids: list[str]) -> list[OfferSession]:
    if not ids or len(set(ids)) < len(ids):
        raise Invalid(FieldError(field="session_ids", reason="name each date once, and at least one"))
    found = [row for row in queries.sessions(session, ids) if row.offer_id == offer.id]
    if len(found) < len(ids) or any(row.status != "scheduled" for row in found):
        raise Invalid(
            FieldError(field="session_ids", reason="names what is no date of this offer, or cancelled")
        )
    return found


def within_caps(session: Session, rules: BookingRules, booking: Booking, plan: Plan) -> None:
    """Nobody hoards: so many bookings of a recipient on a board, so many places on a date."""
    others = queries.open_of(session, booking, now())
    others = [each for each in others if each.id != booking.id]
    if len(others) >= rules.max_open:
        raise Conflict(
            f"At most {rules.max_open} bookings are open at once.",
            code="bookings-cap-reached",
            most=rules.max_open,
        )
    dates = queries.dates(session, [each.id for each in others])
    for stock_id in plan.stock_ids:
        already = sum(each.places for each in others if stock_id in dates[each.id])
        if already + plan.places > rules.max_places:
            raise Conflict(
                f"At most {rules.max_places} places to one requester.",
                code="places-cap-reached",
                most=rules.max_places,
            )
