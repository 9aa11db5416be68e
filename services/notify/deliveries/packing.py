"""Packing what is due: rows enter, a batch of parcels leaves, each in words, with what became of those that are none.

It only reads, so that nobody waits while messages are put into words.
"""

from datetime import timedelta

import structlog
from prometheus_client import Counter
from sqlmodel import Session

from libs.servicekit.db import Database, now
from libs.servicekit.kit import Kit
from libs.servicekit.links import Links, links_of
from libs.servicekit.outages import is_database_outage
from services.notify.addresses.models import Recipient
from services.notify.deliveries import queries
from services.notify.deliveries.batches import Batch, Tried
from services.notify.deliveries.channels import Way
from services.notify.deliveries.domain import Outcome
from services.notify.deliveries.models import Delivery
from services.notify.deliveries.sending import NotToBeSent, NotYet, Parcel, Sender, is_new_to_us, pack
from services.notify.vault import SealBroken

LEARN_SECONDS = 1.0
STOPPABLE_FOR = timedelta(days=400)

log = structlog.get_logger(__name__)
DELIVERED = Counter("notify_deliveries", "What trying to deliver came to", ["channel", "outcome"])


class Packer:
    """Packs for one way."""

    def __init__(self, kit: Kit, sender: Sender, way: Way) -> None:
        self._db: Database = kit.database
        self._links: Links = links_of(kit.settings)
        self._public_url = kit.settings.public_url
        self._sender, self._way = sender, way

    def next(self, size: int, behind: bool) -> Batch:
        """The next parcels, at most `size`; while facts wait to be learned (`behind`) some wait for one of them."""
        batch = Batch()
        with self._db.reading() as session:
            due = queries.due(session, self._way.channel, now(), size)
            for delivery, recipient in due:
                if behind and is_new_to_us(session, self._sender, delivery):
                    batch.postponed.append((delivery.id, LEARN_SECONDS))
                else:
                    self._pack(session, batch, delivery, recipient)
        batch.found = len(due)
        return batch

    def _pack(self, session: Session, batch: Batch, delivery: Delivery, recipient: Recipient) -> None:
        try:
            batch.parcels.append(self._parcel(session, delivery, recipient))
        except NotToBeSent as why:
            batch.dropped.append((delivery.id, why.reason))
            DELIVERED.labels(self._way.channel, why.reason).inc()
        except NotYet as turn:
            batch.postponed.append((delivery.id, turn.seconds))
        except Exception as error:
            if is_database_outage(error):
                raise
            batch.tried.append(Tried(delivery.id, self._unsayable(delivery, error), recipient.mark))

    def _parcel(self, session: Session, delivery: Delivery, recipient: Recipient) -> Parcel:
        return pack(session, self._sender, delivery, recipient, self._stop_url(delivery), self._way.wait)

    def _unsayable(self, delivery: Delivery, error: Exception) -> Outcome:
        """A message that cannot be put into words today: it is tried again, others go on."""
        outcome = Outcome.UNREADABLE if isinstance(error, SealBroken) else Outcome.LATER
        name = type(error).__name__  # what it says may be what somebody wrote
        log.error("a message cannot be packed", delivery=delivery.id, template=delivery.template, error=name)
        DELIVERED.labels(self._way.channel, outcome).inc()
        return outcome

    def _stop_url(self, delivery: Delivery) -> str:
        """What ends the subscription, or else all messages to the recipient."""
        use, thing = ("stop", delivery.subscription_id) if delivery.subscription_id else ("leave", None)
        token = self._links.sign(use, thing or delivery.recipient_id, now() + STOPPABLE_FOR)
        # In the query, which spans leave out: a path would be written down wherever the page is opened.
        return f"{self._public_url}/pages/{use}?token={token}"
