"""The end of CITY as many readers follow it: one task reads each fact once, a ring keeps the newest, readers go at their own pace.

A reader that falls behind the ring reads on from the stream itself, so what a slow one costs is one fact at a time.
No consumer is made on the broker: a fact's own message only wakes the task, and facts are read by their place. The
message may come before the stream has the fact, so whoever was woken looks again, with growing pauses.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import structlog
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError
from prometheus_client import Gauge

from libs.bus.connection import Bus
from libs.cardquery.matching import Matching
from libs.contracts.card import Card
from libs.contracts.topology import CITY
from libs.servicekit.delivery import InvalidEvent, parse
from services.notify.feeds.ring import Entry, Ring

SOON_SECONDS, LOOK_SECONDS = 0.02, 5.0
AGAIN_SECONDS = 1.0
AT_ONCE = 50

log = structlog.get_logger(__name__)
BEHIND = Gauge("notify_stream_sequence", "The newest fact that open streams were shown")


class Tail:
    """Follows CITY. `newest` is the place of the last fact that was read; readers wait until the end is known."""

    def __init__(self, bus: Bus, matching: Matching) -> None:
        self._bus, self._matching = bus, matching
        self._ring, self.newest = Ring(0), 0
        self._news, self._ready, self._signal = asyncio.Event(), asyncio.Event(), asyncio.Event()
        # How often the stream turned out to be an older one; the end has to be looked at first.
        self._restored, self._unsure = 0, True
        self._pause = LOOK_SECONDS

    async def run(self) -> None:
        """Read until cancelled; waits while the broker is away."""
        await self._bus.standing()

        async def wake(_message: object) -> None:
            self._signal.set()

        subscription = await self._bus.client.subscribe("city.>", cb=wake, pending_msgs_limit=-1)
        try:
            with self._bus.on_reconnect(self._doubt):
                while True:
                    with suppress(NatsError, TimeoutError):
                        await self._read_on()
                    await self._wait()
        finally:
            with suppress(NatsError):
                await subscription.unsubscribe()

    def _doubt(self) -> None:
        """The broker was away and may be back with an older stream."""
        self._unsure = True
        self._signal.set()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self._pause):
                await self._signal.wait()
            self._pause = SOON_SECONDS
        except TimeoutError:
            self._unsure = self._unsure or self._pause >= LOOK_SECONDS
            self._pause = min(self._pause * 4, LOOK_SECONDS)
        self._signal.clear()

    async def _read_on(self) -> None:
        if self._unsure and self._bus.connected:
            self._stands_at(await self.end())
        while self._bus.connected and (entry := await self.after(self.newest)):
            self._ring.add(entry)
            self.newest = entry.sequence
            BEHIND.set(entry.sequence)
            self._tell()

    def _stands_at(self, end: int) -> None:
        """Begin at the stream's end; begin anew there when it lies before what was read: the stream was restored."""
        self._unsure = False
        if self._ready.is_set() and end >= self.newest:
            return
        if self._ready.is_set():
            log.warning("the stream was restored", was=self.newest, now=end)
            self._restored += 1
        self.newest, self._ring = end, Ring(end)
        self._ready.set()
        self._tell()

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def end(self) -> int:
        """The last place of the stream."""
        return int((await self._bus.js.stream_info(CITY.name)).state.last_seq)

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
            except InvalidEvent:  # it lies in DEAD already
                continue
            except Exception as error:
                log.error("a fact cannot be read", sequence=sequence, exc_info=error)

    def _entry(self, sequence: int, subject: str, body: bytes) -> Entry:
        event = parse(body, subject)
        card: Card | None = event.data.card
        return Entry(sequence, event.type, body, self._matching.subject(card) if card else None)

    async def follow(self, after: int | None) -> AsyncIterator[Entry]:
        """Every fact behind a place, from now on without one, in order and without end; waits while the broker is away.

        A place that this process has not come to is waited for; one behind the stream's own end is of a stream that
        was restored since, and the end takes its place.
        """
        await self._ready.wait()
        sequence, restored = await self._place(after), self._restored
        while True:
            news, newest = self._news, self.newest
            if restored != self._restored:
                sequence, restored = min(sequence, self._ring.begin), self._restored
            entries = await self._behind(sequence)
            for entry in entries:
                yield entry
                sequence = entry.sequence
            if not entries:
                if sequence >= newest:
                    await news.wait()
                # Nothing is left between a place and the newest: whoever looked goes on there.
                sequence = max(sequence, newest)

    async def _place(self, after: int | None) -> int:
        if after is None or after <= self.newest:
            return self.newest if after is None else after
        with suppress(NatsError, TimeoutError):
            return min(after, await self.end())
        return after

    async def _behind(self, sequence: int) -> list[Entry]:
        """The next facts; empty when there are none up to the newest."""
        while (found := self._ring.behind(sequence, AT_ONCE)) is None:
            await self._bus.standing()
            try:
                entry = await self.after(sequence)
            except (NatsError, TimeoutError):
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            return [entry] if entry else []
        return found
