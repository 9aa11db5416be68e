"""Broker edge of construction sites: what the agenda tells."""

from typing import Any

from sqlmodel import Session

from libs.contracts.agenda import SiteEnded
from libs.contracts.event import Envelope
from libs.contracts.topology import RETAIL_SITES
from libs.servicekit.inbox import newer
from libs.servicekit.kit import Kit
from libs.servicekit.subscriptions import Subscription
from services.retail.sites.commands import learn


def follow_site(session: Session, _kit: Kit, event: Envelope[Any]) -> None:
    """The agenda tells of a site; a fact that is older than what is known changes nothing."""
    if newer(session, RETAIL_SITES.name, event.subject, event.version):
        learn(session, event.subject, event.id, event.data, over=isinstance(event.data, SiteEnded))


SUBSCRIPTIONS = [Subscription(RETAIL_SITES, follow_site)]
