"""Reading what a stream holds without its bodies: subjects and headers, in batches, with rests between them.

A stream and a subject enter; batches of `Held` leave, oldest first.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from nats.aio.msg import Msg
from nats.js import JetStreamContext, api
from nats.js.errors import NotFoundError

BATCH = 1000
FETCH_SECONDS = 2.0
IDLE_SECONDS = 60.0
VERSION_HEADER = "Coburg-Version"
MESSAGE_ID = "Nats-Msg-Id"


@dataclass(frozen=True, slots=True)
class Held:
    """A message that a stream holds: whose fact it is, and its version when the publisher noted it."""

    subject: str
    event_id: str
    version: int | None

    @classmethod
    def of(cls, message: Msg) -> "Held":
        """What the headers say; the id of a fact that was published again is followed by how often."""
        headers = message.headers or {}
        version = headers.get(VERSION_HEADER, "")
        return cls(
            message.subject,
            headers.get(MESSAGE_ID, "").partition(":")[0],
            int(version) if version.isdigit() else None,
        )


async def held(
    js: JetStreamContext,
    stream: str,
    subject: str,
    *,
    reader: str,
    since: datetime | None = None,
    rest: float = 1.0,
) -> AsyncIterator[list[Held]]:
    """What lies under a subject now (`since` an instant); `reader` names the consumer, of which there is one at a time.

    After each batch it rests `rest` times as long as the batch took. Raises nats errors.
    """
    await _delete(js, stream, reader)
    await js.add_consumer(stream, _config(reader, subject, since))
    try:
        subscription = await js.pull_subscribe_bind(consumer=reader, stream=stream)
        try:
            async for messages in _batches(subscription, rest):
                yield [Held.of(message) for message in messages]
        finally:
            await subscription.unsubscribe()
    finally:
        await _delete(js, stream, reader)


def _config(reader: str, subject: str, since: datetime | None) -> api.ConsumerConfig:
    return api.ConsumerConfig(
        name=reader,
        filter_subject=subject,
        deliver_policy=api.DeliverPolicy.BY_START_TIME if since else api.DeliverPolicy.ALL,
        opt_start_time=since,
        ack_policy=api.AckPolicy.NONE,
        headers_only=True,
        mem_storage=True,
        inactive_threshold=IDLE_SECONDS,
    )


async def _batches(subscription: JetStreamContext.PullSubscription, rest: float) -> AsyncIterator[list[Msg]]:
    while (await subscription.consumer_info()).num_pending:
        pending = 1
        while pending:
            begun = time.perf_counter()
            try:
                messages = await subscription.fetch(BATCH, timeout=FETCH_SECONDS)
            except TimeoutError:
                break  # the consumer's own figures say whether there is more
            if not messages:
                break
            yield messages
            pending = messages[-1].metadata.num_pending
            await asyncio.sleep((time.perf_counter() - begun) * rest)


async def _delete(js: JetStreamContext, stream: str, reader: str) -> None:
    with suppress(NotFoundError):
        await js.delete_consumer(stream, reader)
