"""What became of a shop becomes of what it shows."""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from libs.contracts.event import Envelope
from libs.contracts.topology import RETAIL_SHOPS
from libs.servicekit.inbox import newer
from libs.servicekit.kit import Kit
from libs.town import calendar
from services.retail.lunches import commands as lunches
from services.retail.shops.queries import locked
from services.retail.sites import commands as sites
from services.retail.stories import commands as stories


def follow_shop(session: Session, kit: Kit, event: Envelope[Any]) -> None:
    """A shop changed: what it shows follows, by how the shop stands now."""
    if newer(session, RETAIL_SHOPS.name, event.subject, event.version):
        days, shop = calendar.read(kit.settings.city), locked(session, event.subject)
        lunches.follow_shop(session, shop, datetime.now(days.zone).date(), days)
        stories.follow_shop(session, shop, kit.settings.public_url)
        sites.follow_shop(session, shop)
