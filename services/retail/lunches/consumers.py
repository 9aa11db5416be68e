"""Broker edge of the lunch guide: what became of a shop becomes of its lunches."""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from libs.contracts.event import Envelope
from libs.contracts.topology import RETAIL_SHOPS
from libs.servicekit.inbox import newer
from libs.servicekit.kit import Kit
from libs.servicekit.subscriptions import Subscription
from libs.town import calendar
from services.retail.lunches.commands import follow_shop
from services.retail.shops.queries import locked


def follow(session: Session, kit: Kit, event: Envelope[Any]) -> None:
    """A shop changed: its lunches to come follow, by how it stands now."""
    if newer(session, RETAIL_SHOPS.name, event.subject, event.version):
        days = calendar.read(kit.settings.city)
        follow_shop(session, locked(session, event.subject), datetime.now(days.zone).date(), days)


SUBSCRIPTIONS = [Subscription(RETAIL_SHOPS, follow)]
