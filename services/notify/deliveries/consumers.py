"""Broker edge of deliveries: every service's requests for messages enter."""

import base64
from typing import Any

import structlog
from prometheus_client import Counter
from sqlmodel import Session

from libs.contracts.event import Envelope
from libs.contracts.messages import InvalidTemplate
from libs.contracts.notify import MessageRequested
from libs.contracts.topology import REQUESTS
from libs.servicekit.delivery import Cover, InvalidEvent
from libs.servicekit.kit import Kit
from libs.servicekit.subscriptions import Subscription
from services.notify.config import vault_of
from services.notify.deliveries import commands
from services.notify.vault import SealBroken

log = structlog.get_logger(__name__)
REQUESTED = Counter("notify_requests", "Messages that services asked for", ["template", "outcome"])


def requested(session: Session, kit: Kit, event: Envelope[Any]) -> None:
    """A service asks for a message; one that does not fit the catalogue is dead with the reason."""
    if not isinstance(event.data, MessageRequested):
        return
    try:
        taken = commands.accept(session, vault_of(kit.settings), event.data, event.id, event.traceparent)
    except InvalidTemplate as error:
        raise InvalidEvent(str(error)) from None
    REQUESTED.labels(event.data.template, "accepted" if taken else "unknown_recipient").inc()


def cover(kit: Kit) -> Cover:
    """Requests hold the tokens of links: dead ones are sealed as addresses are."""
    vault = vault_of(kit.settings)

    def opened(sealed: bytes) -> bytes:
        try:
            return base64.b64decode(vault.open(sealed.decode("ascii", "replace")))
        except SealBroken:
            raise InvalidEvent("it was sealed with a key that is gone") from None

    return Cover(lambda body: vault.seal(base64.b64encode(body).decode()), opened)


SUBSCRIPTION = Subscription(REQUESTS, requested, cover)
