"""The job that delivers: what is due is packed, handed over a few at a time, and noted. One process at a time does it.

While the SMTP server is away nothing is blamed on the messages: they wait, and it is asked again at a growing pause.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import structlog
from nats.errors import Error as NatsError
from opentelemetry import trace
from prometheus_client import Counter, Gauge

from libs.contracts.topology import NEWS
from libs.httpkit.links import Links, links_of
from libs.servicekit import telemetry
from libs.servicekit.db import Database, now
from libs.servicekit.kit import Kit
from libs.servicekit.lease import Lease
from services.notify.deliveries import commands, queries
from services.notify.deliveries.channels import Channels
from services.notify.deliveries.domain import Outcome, ServerAway
from services.notify.deliveries.models import Delivery
from services.notify.deliveries.sending import NotToBeSent, Parcel, Sender, is_new_to_us, pack

BATCH = 200
IDLE_SECONDS = 5.0
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
STOPPABLE_FOR = timedelta(days=400)

log = structlog.get_logger(__name__)
tracer = trace.get_tracer("notify")
DELIVERED = Counter("notify_deliveries", "What trying to deliver came to", ["channel", "outcome"])
BACKLOG = Gauge("notify_backlog", "Messages that are due and not sent")
OLDEST = Gauge("notify_oldest_due_seconds", "For how long the oldest message has been due")
Result = tuple[Parcel, Outcome]


class Delivering:
    """Works off what is due, as long as it holds the lease."""

    def __init__(self, kit: Kit, sender: Sender, channels: Channels) -> None:
        self._db: Database = kit.database
        self._bus = kit.bus
        self._lease = Lease(kit.database, "notify.deliver")
        self._links: Links = links_of(kit.settings)
        self._public_url = kit.settings.public_url
        self._sender, self._channels = sender, channels

    async def run(self) -> None:
        """Work until cancelled: woken by each commit that leaves work, else every few seconds."""
        work, pause = asyncio.Event(), FIRST_PAUSE
        wake = partial(asyncio.get_running_loop().call_soon_threadsafe, work.set)
        with self._db.after_commit(wake):
            while True:
                work.clear()
                away = await self._drain()
                pause = min(pause * 2, LONGEST_PAUSE) if away else FIRST_PAUSE
                if away:  # new messages are no reason to ask a server that is away more often
                    await asyncio.sleep(pause)
                    continue
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(IDLE_SECONDS):
                        await work.wait()

    async def _drain(self) -> bool:
        """Send all that is due; True when a server is away, so that something is left."""
        while await asyncio.to_thread(self._lease.hold):
            parcels = await asyncio.to_thread(self._pack, await self._behind())
            if parcels is None:
                return False
            results, away = await self._hand_over(parcels)
            await asyncio.to_thread(self._note, results)
            if away:
                log.warning("deliveries wait", reason=away)
                return True
        return False

    async def _behind(self) -> bool:
        """Whether facts wait to be learned: what a message is about may be among them."""
        if not self._bus.connected:
            return True
        with contextlib.suppress(NatsError, TimeoutError):
            info = await self._bus.js.consumer_info(NEWS.stream, NEWS.durables[0].durable)
            return bool(info.num_pending or info.num_ack_pending)
        return True

    def _pack(self, behind: bool) -> Sequence[Parcel] | None:
        """The next parcels; None when nothing is due."""
        parcels = list[Parcel]()
        with self._db.transaction() as session:
            due = queries.due(session, now(), BATCH)
            for delivery, recipient in due:
                try:
                    if behind and is_new_to_us(session, self._sender, delivery):
                        commands.put_off(session, delivery.id)
                        continue
                    parcels.append(pack(session, self._sender, delivery, recipient, self._stop_url(delivery)))
                except NotToBeSent as why:
                    commands.drop(session, delivery.id, why.reason)
                    DELIVERED.labels(recipient.channel, why.reason).inc()
            count, oldest = queries.backlog(session, now())
        BACKLOG.set(count)
        OLDEST.set(oldest)
        return parcels if due else None

    def _stop_url(self, delivery: Delivery) -> str:
        """What ends the subscription, or else all messages to the recipient."""
        use, thing = ("stop", delivery.subscription_id) if delivery.subscription_id else ("leave", None)
        token = self._links.sign(use, thing or delivery.recipient_id, now() + STOPPABLE_FOR)
        return f"{self._public_url}/pages/{use}/{token}"

    async def _hand_over(self, parcels: Sequence[Parcel]) -> tuple[list[Result], str]:
        """Hand over side by side; what was not handed over when the server went away stays due."""
        tries = await asyncio.gather(*(self._try(parcel) for parcel in parcels))
        done = [
            (parcel, outcome)
            for parcel, outcome in zip(parcels, tries, strict=True)
            if isinstance(outcome, Outcome)
        ]
        away = next((str(outcome) for outcome in tries if isinstance(outcome, ServerAway)), "")
        return done, away

    async def _try(self, parcel: Parcel) -> Outcome | ServerAway:
        context = telemetry.context_of(parcel.traceparent)
        with tracer.start_as_current_span(f"deliver {parcel.channel}", context) as span:
            try:
                outcome = await self._channels.send(parcel)
            except ServerAway as away:
                return away
            span.set_attribute("notify.outcome", outcome)
        DELIVERED.labels(parcel.channel, outcome).inc()
        return outcome

    def _note(self, results: Sequence[Result]) -> None:
        if not results:
            return
        with self._db.transaction() as session:
            for parcel, outcome in results:
                commands.note(session, parcel.delivery_id, outcome, parcel.mark)
