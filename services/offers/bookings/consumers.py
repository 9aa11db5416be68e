"""Broker edge of bookings: dates that moved or fell out, offers that were taken back or are over."""

from typing import Any

from libs.contracts import topology
from libs.contracts.event import Envelope
from libs.contracts.offers import OfferExpired, OfferWithdrawn, SessionCancelled, SessionMoved
from libs.httpkit.edge import Transaction
from libs.servicekit.inbox import Ear
from libs.servicekit.settings import Settings
from services.offers.bookings import following
from services.offers.bookings.messages import desk_of


def hear(session: Transaction, event: Envelope[Any]) -> None:
    """Everyone booked is told, and places that nobody can use any more are released."""
    desk = desk_of(Settings.load("offers"))
    match event.data:
        case SessionCancelled():
            following.session_cancelled(session, desk, event.subject)
        case SessionMoved():
            following.session_moved(session, desk, event.subject, (event.data.starts_at, event.data.ends_at))
        case OfferWithdrawn():
            following.offer_ended(session, desk, event.subject, withdrawn=True)
        case OfferExpired():
            following.offer_ended(session, desk, event.subject, withdrawn=False)


EAR = Ear(topology.BOOKINGS, hear)
