"""Broker edge of things: every public fact enters, what it changed leaves, for those who tell others of it."""

from typing import Any

from sqlmodel import Session

from libs.contracts.event import Envelope
from services.notify.things import commands
from services.notify.things.commands import News


def told(session: Session, event: Envelope[Any]) -> News | None:
    """A service told something about one of its things."""
    return commands.learn(session, event)
