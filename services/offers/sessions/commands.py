"""What is done with sessions: one function = one transaction of the caller's, with the facts it causes.

Whoever changes a session holds its offer first, so that two never wait for each other; the offer is retold, since
its next dates are part of what is found.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, select
from uuid_utils import uuid7

from libs.contracts import offers as events
from libs.contracts.offers import SessionStatus
from libs.servicekit.batches import each_apart
from libs.servicekit.db import now
from libs.servicekit.errors import Conflict, FieldError, Invalid, NotFound, check_version
from libs.servicekit.principal import Principal
from libs.town.places import SaidPlace
from services.offers.offers import commands as offers
from services.offers.offers.domain import RELEASED, OfferStatus
from services.offers.offers.models import Offer
from services.offers.places import commands as places
from services.offers.sessions import domain, facts
from services.offers.sessions.domain import LeftOut, Move, NewSessions, SessionContent, Span
from services.offers.sessions.models import OfferSession
from services.offers.sessions.recurrence import MAX_SESSIONS, Unfit
from services.offers.sessions.town import Town

MAX_COMING = 1000
FORGET_AT_ONCE = 100


@contextmanager
def _fitting() -> Iterator[None]:
    try:
        yield
    except Unfit as error:
        raise Invalid(FieldError(field=error.field, reason=error.reason)) from error


def schedule(
    session: Session, actor: Principal, offer_id: str, order: NewSessions, town: Town
) -> tuple[list[OfferSession], list[tuple[date, LeftOut]]]:
    """Give an offer one date, or a series of them; also returns the dates that the series leaves out."""
    offer = offers.held_for(session, actor, offer_id)
    with _fitting():
        domain.check_venue(order.venue, town.accessibility)
        spans, left_out = _spans(order, town)
        _check_period(offer, spans, town)
        _check_new(session, offer_id, spans, _stored(order.venue))
    if _coming(session, offer_id) + len(spans) > MAX_COMING:
        raise Conflict(
            f"An offer has {MAX_COMING} dates to come at most.", code="too-many-dates", most=MAX_COMING
        )
    said = {"venue": _stored(order.venue), "places_max": order.places_max}
    series_id = str(uuid7()) if order.repeat else None
    rows = [_row(offer_id, series_id, span, said) for span in spans]
    session.add_all(rows)
    session.flush()
    places.ensure(session, offer, {row.id: row.places_max for row in rows})
    _tell(session, offer, rows, events.SessionScheduled)
    return rows, left_out


def _spans(order: NewSessions, town: Town) -> tuple[list[Span], list[tuple[date, LeftOut]]]:
    moment = now()
    if order.repeat is None:
        return [domain.one_date(order, town.zone, moment)], []
    off = town.days_off(range(moment.year - 2, moment.year + 4)) if order.repeat.skip else {}
    return domain.series(order, order.repeat, town.zone, moment, off)


def _row(offer_id: str, series_id: str | None, span: Span, said: dict[str, Any]) -> OfferSession:
    return OfferSession(
        offer_id=offer_id, series_id=series_id, starts_at=span.start, ends_at=span.end, **said
    )


def _stored(venue: SaidPlace | None) -> dict[str, Any] | None:
    return None if venue is None else venue.model_dump(mode="json", exclude_defaults=True)


def _check_period(offer: Offer, spans: list[Span], town: Town) -> None:
    period = offer.said.period
    if period:
        domain.check_period(spans, town.zone, period.start, period.end)


def _check_new(session: Session, offer_id: str, spans: list[Span], venue: dict[str, Any] | None) -> None:
    """The same date in the same place would be offered twice; Unfit then."""
    starts = [span.start for span in spans]
    query = select(OfferSession).where(
        OfferSession.offer_id == offer_id,
        OfferSession.status == SessionStatus.SCHEDULED,
        col(OfferSession.starts_at).between(min(starts), max(starts)),
    )
    known = [(row.starts_at, row.ends_at) for row in session.exec(query) if row.venue == venue]
    if doubled := [span.start for span in spans if (span.start, span.end) in known]:
        raise Unfit("starts_at", f"{doubled[0]:%Y-%m-%dT%H:%MZ} is a date of this offer already")


def _coming(session: Session, offer_id: str) -> int:
    query = select(OfferSession.id).where(
        OfferSession.offer_id == offer_id,
        OfferSession.status == SessionStatus.SCHEDULED,
        col(OfferSession.ends_at) > now(),
    )
    return len(session.exec(query).all())


def change(
    session: Session, actor: Principal, session_id: str, expected: int, content: SessionContent, town: Town
) -> OfferSession:
    """Replace what is said of a session's venue and places. Another place is a move."""
    offer, row = _held(session, actor, session_id, expected)
    with _fitting():
        domain.check_venue(content.venue, town.accessibility)
        if domain.elsewhere(row.place, content.venue):
            raise Unfit("venue", "another place is a move, and needs a reason")
    venue = _stored(content.venue)
    if (row.venue, row.places_max) != (venue, content.places_max):
        if row.places_max != content.places_max:
            places.resize(session, row.id, content.places_max)
        row.venue, row.places_max = venue, content.places_max
        _step(row)
        _tell(session, offer, [row], events.SessionChanged)
    return row


def move(
    session: Session, actor: Principal, session_id: str, expected: int, order: Move, town: Town
) -> OfferSession:
    """Another time, another venue or both; listeners hear the reason and what was said before."""
    offer, row = _held(session, actor, session_id, expected)
    earlier = {"earlier_starts_at": row.starts_at, "earlier_ends_at": row.ends_at, "earlier_venue": row.place}
    with _fitting():
        domain.check_venue(order.venue, town.accessibility)
        span = domain.moved(order, Span(row.starts_at, row.ends_at), town.zone, now())
        _check_period(offer, [span], town)
        venue = _stored(order.venue) if order.venue else row.venue
        if (span.start, span.end, venue) == (row.starts_at, row.ends_at, row.venue):
            raise Unfit("starts_at", "is what it was; a move names another time or venue")
        _check_new(session, offer.id, [span], venue)
    row.starts_at, row.ends_at, row.venue, row.reason, row.over = (
        span.start,
        span.end,
        venue,
        order.reason,
        False,
    )
    _step(row)
    _tell(session, offer, [row], events.SessionMoved, reason=order.reason, **earlier)
    return row


def cancel(session: Session, actor: Principal, session_id: str, expected: int, reason: str) -> OfferSession:
    """A session does not take place; it stays readable, with the reason."""
    offer, row = _held(session, actor, session_id, expected)
    _cancel(session, offer, [row], reason)
    return row


def cancel_series(
    session: Session,
    actor: Principal,
    offer_id: str,
    series_id: str,
    expected: int,
    since: datetime,
    reason: str,
) -> list[OfferSession]:
    """No session of a series takes place from an instant on; returns those it concerns, `expected` is the offer's."""
    offer = offers.held_for(session, actor, offer_id)
    check_version(expected, offer.version)
    query = select(OfferSession).where(
        OfferSession.offer_id == offer_id,
        OfferSession.series_id == series_id,
        OfferSession.status == SessionStatus.SCHEDULED,
        col(OfferSession.starts_at) >= since,
        col(OfferSession.ends_at) > now(),
    )
    order = col(OfferSession.starts_at), col(OfferSession.id)
    rows = list(session.exec(query.order_by(*order).limit(MAX_SESSIONS).with_for_update()))
    if not rows:
        raise NotFound("session to come in this series")
    _cancel(session, offer, rows, reason)
    return rows


def _cancel(session: Session, offer: Offer, rows: list[OfferSession], reason: str) -> None:
    for row in rows:
        row.status, row.reason = SessionStatus.CANCELLED, reason
        _step(row)
    _tell(session, offer, rows, events.SessionCancelled, reason=reason)


def forget_past(session: Session) -> int:
    """Retell offers that still show a session which has ended; returns how many offers, a bounded number."""
    ended = col(OfferSession.over).is_(False), col(OfferSession.ends_at) <= now()
    query = select(OfferSession.offer_id).where(*ended).distinct().limit(FORGET_AT_ONCE)
    mine = select(Offer).where(col(Offer.id).in_(session.exec(query).all()))
    held = {offer.id: offer for offer in session.exec(mine.with_for_update(skip_locked=True))}
    rows = session.exec(select(OfferSession).where(*ended, col(OfferSession.offer_id).in_(held))).all()
    ended_of = {offer_id: [row for row in rows if row.offer_id == offer_id] for offer_id in held}

    def forget(offer: Offer) -> None:
        for row in ended_of[offer.id]:
            row.over = True
        session.flush()
        if offer.status == OfferStatus.PUBLISHED:
            offers.retell(session, offer)

    return each_apart(session, "offers.forget-past", held.values(), forget)


def _held(session: Session, actor: Principal, session_id: str, expected: int) -> tuple[Offer, OfferSession]:
    """A session that may still be changed and its offer, both held until the transaction ends."""
    offer_id = session.exec(select(OfferSession.offer_id).where(OfferSession.id == session_id)).first()
    if offer_id is None:
        raise NotFound("session")
    offer = offers.held_for(session, actor, offer_id)
    row = session.exec(select(OfferSession).where(OfferSession.id == session_id).with_for_update()).one()
    check_version(expected, row.version)
    if row.status == SessionStatus.CANCELLED:
        raise Conflict("The session is cancelled.", code="date-cancelled")
    if row.ends_at <= now():
        raise Conflict("The session is over.", code="date-over")
    return offer, row


def _step(row: OfferSession) -> None:
    row.version, row.changed_at = row.version + 1, now()


def _tell(
    session: Session, offer: Offer, rows: list[OfferSession], kind: type[events.SessionFact], **more: Any
) -> None:
    if offer.status in RELEASED:
        facts.tell(session, offer, rows, kind, **more)
    session.flush()
    offers.retell(session, offer)
