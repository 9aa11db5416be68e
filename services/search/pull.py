"""Pulling from a durable with one standing request, for consumers that batch: an event is here as soon as it is
published, and many at once when there are many. (FastStream's batches wait until they are full or time is up.)"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from libs.contracts.topology import Consumer

EXPIRES_SECONDS = 20.0
LOOK_SECONDS = 1.0
AGAIN_SECONDS = 1.0
STATUS_HEADER = "Status"

log = structlog.get_logger(__name__)


class Pull:
    """An endless stream of batches from one durable; nothing is acknowledged here."""

    def __init__(self, client: Client, consumer: Consumer, batch: int) -> None:
        self._client, self._consumer, self._batch = client, consumer, batch
        self._request = f"$JS.API.CONSUMER.MSG.NEXT.{consumer.stream}.{consumer.durable}"
        self._wanted = self._connection = 0
        self._interrupted = False

    async def batches(self) -> AsyncIterator[list[Msg]]:
        """Yield what has arrived, at most `batch` at a time, waiting while there is nothing."""
        inbox = self._client.new_inbox()
        subscription = await self._client.subscribe(inbox, pending_msgs_limit=-1, pending_bytes_limit=-1)
        try:
            while True:
                await self._ask(inbox)
                if messages := await self._arrived(subscription):
                    yield messages
        finally:
            if not self._client.is_closed:
                await subscription.unsubscribe()

    async def _ask(self, inbox: str) -> None:
        """Keep a request standing; half-empty it is topped up, so that the server never idles."""
        if self._interrupted:  # the answer of an absent durable comes at once, every time
            await asyncio.sleep(AGAIN_SECONDS)
            self._interrupted = False
        if self._connection != self._client.stats["reconnects"]:  # requests end with their connection
            self._wanted, self._connection = 0, self._client.stats["reconnects"]
        if self._wanted > self._batch // 2 or not self._client.is_connected:
            return
        request = {"batch": self._batch - self._wanted, "expires": int(EXPIRES_SECONDS * 1e9)}
        await self._client.publish(self._request, json.dumps(request).encode(), reply=inbox)
        self._wanted = self._batch

    async def _arrived(self, subscription: Subscription) -> list[Msg]:
        first = await self._first(subscription)
        if first is None:
            self._wanted = 0
            return []
        messages = [first]
        queue = subscription._pending_queue
        while len(messages) < self._batch and not queue.empty():
            messages.append(await subscription.next_msg(1))
        return [message for message in messages if self._is_event(message)]

    async def _first(self, subscription: Subscription) -> Msg | None:
        """The next message; None when the request has run out or went down with its connection."""
        clock = asyncio.get_running_loop().time
        # A little longer than the request lives: then the server has forgotten it, and so do we.
        until = clock() + (EXPIRES_SECONDS / 4 if self._wanted == 0 else EXPIRES_SECONDS + 1)
        while clock() < until and self._connection == self._client.stats["reconnects"]:
            with suppress(TimeoutError):
                return await subscription.next_msg(LOOK_SECONDS)
        return None

    def _is_event(self, message: Msg) -> bool:
        status = (message.headers or {}).get(STATUS_HEADER) if not message.data else None
        if status is None:
            self._wanted = max(0, self._wanted - 1)
            return True
        # Expired (408), or the durable or the server went away (409, 503): ask anew.
        self._wanted = 0
        if status != "408":
            self._interrupted = True
            log.warning("pull interrupted", consumer=self._consumer.durable, status=status)
        return False
