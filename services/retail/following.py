"""What others do becomes of what the shop window shows: a shop changed, the town builds."""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from libs.contracts.agenda import SiteEnded
from libs.contracts.event import Envelope
from libs.contracts.topology import RETAIL_SHOPS, RETAIL_SITES
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


def follow_site(session: Session, _kit: Kit, event: Envelope[Any]) -> None:
    """The agenda tells of a construction site; a fact that is older than what is known changes nothing."""
    if newer(session, RETAIL_SITES.name, event.subject, event.version):
        over = isinstance(event.data, SiteEnded)
        sites.learn(session, event.subject, event.id, event.data, over=over)
