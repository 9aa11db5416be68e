"""What is told of sessions. Nobody hears of the dates of an offer that is not public; when it is published, all do."""

from typing import Any

from sqlmodel import Session, col, select

from libs.contracts import offers as events
from libs.servicekit import outbox
from libs.servicekit.db import now
from libs.servicekit.outbox import Entry
from libs.telemetry import spans
from services.offers.offers.models import Offer
from services.offers.sessions.models import OfferSession


def tell(
    session: Session, offer: Offer, rows: list[OfferSession], kind: type[events.SessionFact], **more: Any
) -> None:
    """Say the present state of sessions of a public offer."""
    parent = spans.traceparent()
    entries = [Entry(_fact(offer, row, kind, more), row.id, row.version, parent) for row in rows]
    outbox.add_all(session, entries)
    for row in rows:
        row.told = row.version


def tell_untold(session: Session, offer: Offer) -> None:
    """Catch up with what happened to the coming sessions of an offer while nobody could see it."""
    query = select(OfferSession).where(
        OfferSession.offer_id == offer.id,
        col(OfferSession.told) < col(OfferSession.version),
        col(OfferSession.ends_at) > now(),
    )
    rows = session.exec(query.order_by(col(OfferSession.starts_at))).all()
    cancelled = [row for row in rows if row.status == events.SessionStatus.CANCELLED]
    coming = [row for row in rows if row.status == events.SessionStatus.SCHEDULED]
    tell(session, offer, [row for row in coming if not row.told], events.SessionScheduled)
    tell(session, offer, [row for row in coming if row.told < row.version], events.SessionChanged)
    for row in cancelled:
        if row.told:
            tell(session, offer, [row], events.SessionCancelled, reason=row.reason)


def _fact(
    offer: Offer, row: OfferSession, kind: type[events.SessionFact], more: dict[str, Any]
) -> events.SessionFact:
    return kind(
        offer_id=offer.id,
        board=offer.board,
        series_id=row.series_id,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        status=events.SessionStatus(row.status),
        venue=row.place,
        places_max=row.places_max,
        changed_at=row.changed_at,
        **more,
    )
