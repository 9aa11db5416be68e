"""The job that delivers over one way: what is due is packed, handed over a few at a time, and noted. One process at a
time does it.

While the server is away nothing is blamed on the messages: they wait, and it is asked again at a growing pause. What
breaks over one message is that message's alone.
"""

import asyncio
import contextlib
import time
from functools import partial

import structlog
from nats.errors import Error as NatsError
from opentelemetry import trace

from libs.contracts.topology import NEWS
from libs.servicekit.db import Database
from libs.servicekit.kit import Kit
from libs.servicekit.lease import Lease
from libs.telemetry import spans
from services.notify.deliveries import queries
from services.notify.deliveries.batches import Batch, Tried
from services.notify.deliveries.channels import Way
from services.notify.deliveries.domain import Outcome, ServerAway
from services.notify.deliveries.noting import noting
from services.notify.deliveries.packing import DELIVERED, Packer
from services.notify.deliveries.sending import Parcel, Sender

LARGEST_BATCH = 200
IDLE_SECONDS = 5.0
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
# What was erased or stopped so long ago is not handed over any more.
FRESH_SECONDS = 0.1

log = structlog.get_logger(__name__)
tracer = trace.get_tracer("notify")


class Delivering:
    """Works off what is due, as long as it holds the lease."""

    def __init__(self, kit: Kit, sender: Sender, way: Way) -> None:
        self._db: Database = kit.database
        self._bus = kit.bus
        self._lease = Lease(kit.database, f"notify.deliver.{way.channel}")
        self._packer, self._way = Packer(kit, sender, way), way
        self._size = LARGEST_BATCH
        self._due, self._fresh_until = set[str](), 0.0

    async def run(self) -> None:
        """Work until cancelled: woken by each commit that leaves work, else every few seconds."""
        work, pause = asyncio.Event(), FIRST_PAUSE
        wake = partial(asyncio.get_running_loop().call_soon_threadsafe, work.set)
        with self._db.after_commit(wake):
            while True:
                work.clear()
                if await self._drain():
                    # New messages are no reason to ask a server that is away more often.
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, LONGEST_PAUSE)
                    continue
                pause = FIRST_PAUSE
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(IDLE_SECONDS):
                        await work.wait()

    async def _drain(self) -> bool:
        """Send all that is due; True when the server is away, so that something is left."""
        while await asyncio.to_thread(self._lease.hold):
            batch = await asyncio.to_thread(self._packer.next, self._size, await self._behind())
            if not batch.found:
                return False
            async with noting(self._db, self._lease, batch):
                await self._hand_over(batch)
            if batch.away:
                log.warning("deliveries wait", channel=self._way.channel, reason=batch.away)
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

    async def _hand_over(self, batch: Batch) -> None:
        """Side by side, until the batch is over; the next one is as large as was managed in its time."""
        self._fresh_until = 0.0
        batch.begin()
        await asyncio.gather(*(self._work(batch) for _ in range(self._way.size)))
        managed = batch.sent if batch.parcels else self._size * 2
        self._size = min(max(managed, self._way.size), LARGEST_BATCH)

    async def _work(self, batch: Batch) -> None:
        while not batch.over:
            parcel = batch.parcels.popleft()
            if not await self._still_due(parcel, batch):
                continue
            try:
                outcome = await self._try(parcel)
            except ServerAway as away:
                batch.away = str(away)
                return
            batch.sent += 1
            batch.tried.append(Tried(parcel.delivery_id, outcome, parcel.mark))

    async def _still_due(self, parcel: Parcel, batch: Batch) -> bool:
        """Whether nobody erased or stopped it since it was packed."""
        if time.monotonic() > self._fresh_until:
            ids = [parcel.delivery_id, *(each.delivery_id for each in batch.parcels)]
            self._due = await asyncio.to_thread(self._look, ids)
            self._fresh_until = time.monotonic() + FRESH_SECONDS
        return parcel.delivery_id in self._due

    def _look(self, ids: list[str]) -> set[str]:
        with self._db.reading() as session:
            return queries.still_due(session, ids)

    async def _try(self, parcel: Parcel) -> Outcome:
        context = spans.context_of(parcel.traceparent)
        with tracer.start_as_current_span(f"deliver {parcel.channel}", context) as span:
            outcome = await self._sent(parcel)
            span.set_attribute("notify.outcome", outcome)
        DELIVERED.labels(parcel.channel, outcome).inc()
        return outcome

    async def _sent(self, parcel: Parcel) -> Outcome:
        try:
            return await self._way.send(parcel)
        except ServerAway:
            raise
        except Exception as error:
            name = type(error).__name__  # what it says may name the address
            log.error("a message cannot be sent", delivery=parcel.delivery_id, error=name)
            return Outcome.LATER
