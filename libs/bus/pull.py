"""Pulling from a durable with one standing request: an event is here as soon as it is published, and many at once when
there are many.

What arrives waits in a queue of our own, bounded in number and in bytes. While the broker is away nothing is asked;
while the durable is missing it is asked for less and less often.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from prometheus_client import Counter

from libs.bus.connection import Bus
from libs.contracts.topology import MAX_EVENT_BYTES, Consumer

EXPIRES_SECONDS = 20.0
LOOK_SECONDS = 1.0
# A durable that is missing answers at once, every time.
PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 8.0
MAX_BYTES = 32 * 1024 * 1024
# Subject, headers and the broker's own words count as well.
LARGEST_MESSAGE = MAX_EVENT_BYTES + 64 * 1024
BREATH = 100
# How a request ends when nothing is wrong: its time is over, it is answered, or the next event is too large for it.
CALM = ("Request Timeout", "Batch Completed", "Message Size Exceeds MaxBytes")

log = structlog.get_logger(__name__)
REQUESTS = Counter("pull_requests", "Requests for events", ["consumer"])


class Pull:
    """An endless stream of batches from one durable; nothing is acknowledged here."""

    def __init__(self, bus: Bus, consumer: Consumer, batch: int, max_bytes: int = MAX_BYTES) -> None:
        self._bus, self._consumer, self._batch, self._max_bytes = bus, consumer, batch, max_bytes
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{consumer.stream}.{consumer.durable}"
        self.waiting: deque[Msg] = deque()  # delivered, not yet yielded
        self._bytes = self._wanted = self._connection = 0
        self._news = asyncio.Event()
        self._until = self._not_before = self._pause = 0.0

    async def batches(self) -> AsyncIterator[list[Msg]]:
        """Yield what has arrived, at most `batch` at a time, waiting while there is nothing."""
        await self._bus.standing()
        client = self._bus.client
        inbox = client.new_inbox()
        subscription = await client.subscribe(
            inbox, cb=self._receive, pending_msgs_limit=-1, pending_bytes_limit=-1
        )
        try:
            while True:
                await self._ask(client, inbox)
                if self.waiting:
                    messages = self._take()
                    await self._ask(client, inbox)  # the next come while these are handled
                    yield messages
                else:
                    await self._look()
        finally:
            await self._give_back()
            with suppress(NatsError):
                await subscription.unsubscribe()

    def _take(self) -> list[Msg]:
        messages = [self.waiting.popleft() for _ in range(min(len(self.waiting), self._batch))]
        self._bytes -= sum(_size(message) for message in messages)
        return messages

    async def _look(self) -> None:
        self._news.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await self._news.wait()

    async def _ask(self, client: Client, inbox: str) -> None:
        """Keep one request standing for as much as there is room for."""
        now = asyncio.get_running_loop().time()
        # Requests end with their connection; and a little after its time the server has forgotten it, so have we.
        if self._connection != client.stats["reconnects"] or now > self._until:
            self._wanted, self._connection = 0, client.stats["reconnects"]
        room, room_bytes = self._batch - len(self.waiting), self._max_bytes - self._bytes
        if self._wanted or now < self._not_before or not self._bus.connected:
            return
        if room < self._batch / 2 or room_bytes < LARGEST_MESSAGE:
            return
        self._wanted, self._until = room, now + EXPIRES_SECONDS + 1
        request = {"batch": room, "max_bytes": room_bytes, "expires": int(EXPIRES_SECONDS * 1e9)}
        REQUESTS.labels(self._consumer.durable).inc()
        with suppress(NatsError):  # the connection went this instant; the request ends with it
            await client.publish(self._subject, json.dumps(request).encode(), reply=inbox)

    async def _receive(self, message: Msg) -> None:
        status = (message.headers or {}).get("Status") if not message.data else None
        if status is None:
            self._wanted = max(0, self._wanted - 1)
            self._bytes += _size(message)
            self.waiting.append(message)
            self._pause = 0.0
        else:
            self._ended(status, (message.headers or {}).get("Description", ""))
        self._news.set()

    def _ended(self, status: str, reason: str) -> None:
        self._wanted = 0
        if reason in CALM:
            self._pause = 0.0
            return
        # The durable or the server went away (409, 503).
        self._pause = min(max(self._pause * 2, PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
        self._not_before = asyncio.get_running_loop().time() + self._pause
        log.warning("pull interrupted", consumer=self._consumer.durable, status=status, reason=reason)

    async def _give_back(self) -> None:
        """Whoever pulls next need not wait until the broker misses these."""
        with suppress(NatsError):
            while self.waiting and self._bus.connected:
                await self.waiting.popleft().nak()


def _size(message: Msg) -> int:
    return len(message.data) + len(message.subject)


async def keep_in_progress(bus: Bus, consumer: Consumer, held: Callable[[], Iterable[Msg]]) -> None:
    """Tell the broker that we are still at work on these, so that it delivers them to nobody else; until cancelled."""
    while True:
        await asyncio.sleep(consumer.ack_wait / 3)
        for number, message in enumerate(list(held()), 1):
            if not bus.connected:  # they will be delivered anew anyway
                break
            with suppress(NatsError):
                await message.in_progress()
            if number % BREATH == 0:
                await asyncio.sleep(0)
