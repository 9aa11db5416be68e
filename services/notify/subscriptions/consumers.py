"""Broker edge of subscriptions: every public fact enters; what it means to whom is noted in its transaction."""

from datetime import timedelta
from typing import Any

from sqlmodel import Session

from libs.contracts.event import Envelope
from libs.contracts.topology import NEWS
from libs.servicekit.kit import Kit
from libs.servicekit.subscriptions import Subscription
from services.notify.config import own_settings
from services.notify.subscriptions.matching import Told, match, matching_of
from services.notify.things import consumers as things


def told(session: Session, kit: Kit, event: Envelope[Any]) -> None:
    """A service told something about one of its things."""
    news = things.told(session, event)
    if news:
        window = timedelta(seconds=own_settings().notify_coalesce_seconds)
        fact = Told(event.id, event.time, event.traceparent)
        match(session, matching_of(kit.settings.city), news, fact, window)


SUBSCRIPTION = Subscription(NEWS, told)
