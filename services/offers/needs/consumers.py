"""Broker edge of unmet needs: searches without a hit enter."""

from typing import Any

from sqlmodel import Session

from libs.contracts.event import Envelope
from libs.contracts.search import QueryUnanswered
from libs.contracts.topology import NEEDS
from libs.servicekit.kit import Kit
from libs.servicekit.subscriptions import Subscription
from services.offers.needs import commands


def unanswered(session: Session, _kit: Kit, event: Envelope[Any]) -> None:
    """A search found nothing."""
    if isinstance(event.data, QueryUnanswered):
        commands.note_search(session, event.data.board, event.data.words, event.data.asker, event.time.date())


SUBSCRIPTION = Subscription(NEEDS, unanswered)
