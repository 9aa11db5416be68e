"""The end of CITY as many readers follow it: one task reads each fact once, a ring keeps the newest, readers go at their own pace.

A reader that falls behind the ring reads on from the stream itself, so what a slow one costs is one fact at a time.
No consumer is made on the broker: a fact's own message only wakes the task, and facts are read by their place.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

import structlog
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError
from prometheus_client import Gauge

from libs.cardquery.matching import Matching, Subject
from libs.contracts.card import Card
from libs.contracts.topology import CITY
from libs.servicekit.broker import Bus
from libs.servicekit.delivery import Malformed, parse

RING = 2000
LOOK_SECONDS = 5.0
AT_ONCE = 50

log = structlog.get_logger(__name__)
BEHIND = Gauge("notify_stream_sequence", "The newest fact that open streams were shown")


@dataclass(frozen=True)
class Entry:
    """A fact at its place. `subject` is its card's words and values; None for a fact without a card."""

    sequence: int
    type: str
    body: bytes
    subject: Subject | None


class Tail:
    """Follows CITY. `newest` is the place of the last fact that was read; `ready` once it knows where the end is."""

    def __init__(self, bus: Bus, matching: Matching) -> None:
        self._bus, self._matching = bus, matching
        self._ring = deque[Entry](maxlen=RING)
        self._news = asyncio.Event()
        self.newest, self.ready = 0, False

    async def run(self) -> None:
        """Read until cancelled; waits while the broker is away."""
        await self._bus.standing()
        signal = asyncio.Event()

        async def wake(_message: object) -> None:
            signal.set()

        subscription = await self._bus.client.subscribe("city.>", cb=wake, pending_msgs_limit=-1)
        try:
            self.newest = self.newest or (await self._bus.js.stream_info(CITY.name)).state.last_seq
            self.ready = True
            while True:
                with suppress(NatsError, TimeoutError):
                    await self._read_on()
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await signal.wait()
                signal.clear()
        finally:
            with suppress(NatsError):
                await subscription.unsubscribe()

    async def _read_on(self) -> None:
        while self._bus.connected and (entry := await self.after(self.newest)):
            self._ring.append(entry)
            self.newest = entry.sequence
            BEHIND.set(entry.sequence)
            news, self._news = self._news, asyncio.Event()
            news.set()

    async def after(self, sequence: int) -> Entry | None:
        """The first fact behind a place in the stream; None when there is none yet."""
        while True:
            try:
                message = await self._bus.js.get_msg(CITY.name, seq=sequence + 1, next=True, subject="city.>")
            except NotFoundError:
                return None
            sequence = message.seq or sequence + 1
            try:
                return self._entry(sequence, message.subject or "", message.data or b"")
            except Malformed:  # it lies in DEAD already
                continue

    def _entry(self, sequence: int, subject: str, body: bytes) -> Entry:
        event = parse(body, subject)
        card: Card | None = event.data.card
        return Entry(sequence, event.type, body, self._matching.subject(card) if card else None)

    async def follow(self, sequence: int) -> AsyncIterator[Entry]:
        """Every fact behind a place, in order, without end. Ends in a NatsError while the broker is away."""
        while True:
            news = self._news
            for entry in await self._behind(sequence):
                yield entry
                sequence = entry.sequence
            if sequence >= self.newest:
                await news.wait()

    async def _behind(self, sequence: int) -> list[Entry]:
        if self._ring and self._ring[0].sequence <= sequence + 1:
            return [entry for entry in self._ring if entry.sequence > sequence][:AT_ONCE]
        if sequence >= self.newest:
            return []
        entry = await self.after(sequence)
        return [entry] if entry else []
