"""The broker edge: batches of events enter, their changes are in the index when they are acknowledged.

While Meilisearch is busy with one task the next is already waiting there, and behind it events gather into a larger
one: a single event is never held up, and many never wait for each other.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from nats.aio.msg import Msg
from opentelemetry.trace import Span
from prometheus_client import Counter, Histogram

from libs.contracts.event import Envelope
from libs.contracts.topology import SEARCH, Consumer
from libs.servicekit import telemetry
from libs.servicekit.broker import HANDLED, Bus, bury, parse, settle_failure
from libs.servicekit.pull import Pull
from services.search.domain import Change, change, newest
from services.search.index import Index

BATCH = 5000
TASKS_AHEAD = 2
BREATH = 100  # events read in one go before others may use the thread

REDELIVERED = Counter("search_redelivered", "Events that were delivered more than once")
AGE = Histogram(
    "search_event_age_seconds",
    "Age of an event when it became searchable",
    buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60, 600, 3600),
)


@dataclass(slots=True)
class Delivery:
    """One readable event as it was delivered; `span` only when its trace is recorded."""

    message: Msg
    event: Envelope[Any]
    change: Change | None
    span: Span | None


class Indexer:
    """Brings what the durables deliver into the index."""

    def __init__(self, bus: Bus, index: Index, zone: tzinfo) -> None:
        self._bus, self._index, self._zone = bus, index, zone

    async def consume(self, durable: Consumer) -> None:
        """Take one durable's events until cancelled."""
        ahead = asyncio.Semaphore(TASKS_AHEAD)
        batches = Pull(self._bus.client, durable, BATCH).batches()
        async with asyncio.TaskGroup() as group:
            while True:
                # Only when there is room, take events: those that come meanwhile make one larger batch.
                await ahead.acquire()
                messages = await anext(batches)
                handled = group.create_task(self._handle(messages, durable.ack_wait))
                handled.add_done_callback(lambda _: ahead.release())

    async def _handle(self, messages: list[Msg], ack_wait: float) -> None:
        async with _held(messages, ack_wait / 3):
            deliveries = await self._read(messages)
            begun = time.time_ns()
            refused = await self._index.write(newest(d.change for d in deliveries if d.change))
            reasons = {one.key: one.reason for one in refused}
            for delivery in deliveries:
                _trace(delivery, begun)
                reason = reasons.get(delivery.change.key) if delivery.change else None
                await (self._done(delivery) if reason is None else self._bury(delivery.message, reason))

    async def _read(self, messages: list[Msg]) -> list[Delivery]:
        deliveries = []
        for number, message in enumerate(messages, 1):
            try:
                deliveries.append(self._delivery(message))
            except Exception as error:  # whatever it is, the rest of the batch goes on
                await settle_failure(message, SEARCH.name, self._bus.js, error)
            if number % BREATH == 0:
                await asyncio.sleep(0)
        return deliveries

    def _delivery(self, message: Msg) -> Delivery:
        if message.metadata.num_delivered > 1:
            REDELIVERED.inc()
        event = parse(message.data, message.subject)
        traceparent = (message.headers or {}).get("traceparent", "")
        recorded = traceparent.endswith(telemetry.SAMPLED)
        span = telemetry.consuming(message.subject, message.headers, SEARCH.name) if recorded else None
        return Delivery(message, event, change(event, self._zone), span)

    async def _done(self, delivery: Delivery) -> None:
        await delivery.message.ack()
        HANDLED.labels(SEARCH.name, "done").inc()
        AGE.observe((datetime.now(UTC) - delivery.event.time).total_seconds())

    async def _bury(self, message: Msg, reason: Exception) -> None:
        await bury(message, SEARCH.name, self._bus.js, reason)


@asynccontextmanager
async def _held(messages: list[Msg], every: float) -> AsyncIterator[None]:
    """Keep the broker from delivering these again while they are worked on; what stays unsettled is given back."""

    async def beat() -> None:
        while True:
            await asyncio.sleep(every)
            for message in messages:
                if not message.is_acked:
                    await message.in_progress()

    heart = asyncio.create_task(beat())
    try:
        yield
    except BaseException:
        for message in messages:
            if not message.is_acked:
                await message.nak()
        raise
    finally:
        heart.cancel()


def _trace(delivery: Delivery, begun: int) -> None:
    if delivery.span is None:
        return
    if delivery.change:
        telemetry.client(
            "meilisearch index", delivery.span, begun, time.time_ns(), **{"db.system.name": "meilisearch"}
        )
    delivery.span.end()
