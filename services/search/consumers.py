"""The broker edge: events enter, their changes are in the index when they are acknowledged.

While Meilisearch is busy with one task events gather, read and ready, into a larger one: a single event is never
held up, and many never wait for each other.
"""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from opentelemetry.trace import Span
from prometheus_client import Counter, Histogram

from libs.bus.connection import Bus
from libs.bus.pull import Pull, keep_in_progress
from libs.contracts.event import Envelope
from libs.contracts.topology import SEARCH, Consumer
from libs.servicekit.delivery import acknowledge, dead_letter, parse, settle_failure
from libs.telemetry import spans
from libs.town.calendar import Calendar
from services.search.domain import Change, change, newest
from services.search.index import Index
from services.search.priorities import Priorities

# Every task costs Meilisearch a fixed time, as much as hundreds of documents do: only a full batch queues up there.
BATCH = 6000
TASKS_AHEAD = 2
# Events may be half a MiB each, read they take several times as much, and Meilisearch takes 100 MB at once.
MAX_BYTES = 16 * 1024 * 1024
BREATH = 100  # events read in one go before others may use the thread
# So many at once are the beginning of more; for these a second does not matter.
BURST, BURST_SECONDS, BURST_STEPS = 100, 0.05, 20

REDELIVERED = Counter("search_redelivered", "Events that were delivered more than once")
AGE = Histogram(
    "search_event_age_seconds",
    "Age of an event when it became searchable",
    buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60, 600, 3600),
)


@dataclass(slots=True, eq=False)
class Delivery:
    """One readable event as it was delivered; `span` only when its trace is recorded."""

    message: Msg
    event: Envelope[Any]
    change: Change | None
    span: Span | None


class Indexer:
    """Brings what one durable delivers into the index."""

    def __init__(
        self, bus: Bus, index: Index, priorities: Priorities, calendar: Calendar, durable: Consumer
    ) -> None:
        self._bus, self._index, self._calendar, self._durable = bus, index, calendar, durable
        self._priorities = priorities
        self._pull = Pull(bus, durable, BATCH, MAX_BYTES)
        self._waiting: list[Delivery] = []
        self._open: set[Delivery] = set()
        self._flying = self._bytes = 0
        self._news, self._room = asyncio.Event(), asyncio.Event()

    async def run(self) -> None:
        """Work until cancelled; what is not settled then is given back to the broker."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._collect())
                group.create_task(self._dispatch(group))
                group.create_task(keep_in_progress(self._bus, self._durable, self._held))
        finally:
            with suppress(NatsError):
                for delivery in self._open:
                    await delivery.message.nak()

    def _held(self) -> list[Msg]:
        return [*(delivery.message for delivery in self._open), *self._pull.waiting]

    async def _collect(self) -> None:
        async for messages in self._pull.batches():
            while self._full:
                self._room.clear()
                await self._room.wait()
            await self._read(messages)

    @property
    def _full(self) -> bool:
        """Whether as much waits as goes into one task."""
        return len(self._waiting) >= BATCH or self._bytes >= MAX_BYTES

    async def _read(self, messages: list[Msg]) -> None:
        for number, message in enumerate(messages, 1):
            try:
                delivery = self._delivery(message)
            except Exception as error:  # whatever it is, the rest of the batch goes on
                await settle_failure(message, SEARCH.name, self._bus.js, error)
            else:
                self._open.add(delivery)
                self._waiting.append(delivery)
                self._bytes += len(message.data)
                self._news.set()
            if number % BREATH == 0:
                await asyncio.sleep(0)

    def _delivery(self, message: Msg) -> Delivery:
        if message.metadata.num_delivered > 1:
            REDELIVERED.inc()
        event = parse(message.data, message.subject)
        found = change(event, self._calendar)
        recorded = spans.sampled((message.headers or {}).get("traceparent"))
        span = spans.consuming(message.subject, message.headers, SEARCH.name) if recorded else None
        return Delivery(message, event, found, span)

    async def _dispatch(self, group: asyncio.TaskGroup) -> None:
        while True:
            await self._turn()
            await self._gather()
            batch, self._waiting, self._bytes = self._waiting, [], 0
            self._room.set()
            self._flying += 1
            group.create_task(self._handle(batch)).add_done_callback(self._landed)

    async def _turn(self) -> None:
        while True:
            ahead = TASKS_AHEAD if self._full else 1
            if self._waiting and self._flying < ahead:
                return
            self._news.clear()
            await self._news.wait()

    def _landed(self, _: asyncio.Task[None]) -> None:
        self._flying -= 1
        self._news.set()

    async def _gather(self) -> None:
        for _ in range(BURST_STEPS):
            before = len(self._waiting)
            if before < BURST or self._full:
                return
            await asyncio.sleep(BURST_SECONDS)
            if len(self._waiting) == before:
                return

    async def _handle(self, batch: list[Delivery]) -> None:
        begun = time.time_ns()
        await self._priorities.handle(delivery.event for delivery in batch)
        refused = await self._index.write(newest(one.change for one in batch if one.change))
        reasons = {one.key: one.reason for one in refused}
        for number, delivery in enumerate(batch, 1):
            await self._settle(delivery, reasons.get(delivery.change.key) if delivery.change else None)
            _trace(delivery, begun)
            if number % BREATH == 0:
                await asyncio.sleep(0)

    async def _settle(self, delivery: Delivery, reason: Exception | None) -> None:
        self._open.discard(delivery)
        if reason:
            return await dead_letter(delivery.message, SEARCH.name, self._bus.js, reason)
        await acknowledge(delivery.message, SEARCH.name)
        AGE.observe((datetime.now(UTC) - delivery.event.time).total_seconds())
        return None


def _trace(delivery: Delivery, begun: int) -> None:
    if delivery.span is None:
        return
    if delivery.change:
        spans.client(
            "meilisearch index", delivery.span, begun, time.time_ns(), **{"db.system.name": "meilisearch"}
        )
    delivery.span.end()
