"""Broker edge of bookings: dates that moved or fell out, offers that were taken back or are over."""

from typing import Any

from sqlmodel import Session

from libs.contracts import topology
from libs.contracts.event import Envelope
from libs.contracts.offers import OfferExpired, OfferWithdrawn, SessionCancelled, SessionMoved
from libs.servicekit.kit import Kit
from libs.servicekit.subscriptions import Subscription
from services.offers.bookings import following
from services.offers.bookings.messages import desk_of


def handle(session: Session, kit: Kit, event: Envelope[Any]) -> None:
    """Everyone booked is told, and places that nobody can use any more are released."""
    desk = desk_of(kit.settings)
    match event.data:
        case SessionCancelled():
            following.session_cancelled(session, desk, event.subject)
        case SessionMoved():
            following.session_moved(session, desk, event.subject, (event.data.starts_at, event.data.ends_at))
        case OfferWithdrawn():
            following.offer_ended(session, desk, event.subject, withdrawn=True)
        case OfferExpired():
            following.offer_ended(session, desk, event.subject, withdrawn=False)


SUBSCRIPTION = Subscription(topology.BOOKINGS, handle)
