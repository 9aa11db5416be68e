"""Broker edge of things: every public fact enters."""

from typing import Any

from sqlmodel import Session

from libs.contracts.event import Envelope
from libs.contracts.topology import NEWS
from libs.servicekit.kit import Kit
from libs.servicekit.subscriptions import Subscription
from services.notify.things import commands


def told(session: Session, _kit: Kit, event: Envelope[Any]) -> None:
    """A service told something about one of its things."""
    commands.learn(session, event)


SUBSCRIPTION = Subscription(NEWS, told)
