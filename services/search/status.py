"""How far the index is behind the bus: the broker's and Meilisearch's own figures enter, numbers for operators leave."""

import asyncio
from datetime import UTC, datetime
from typing import NamedTuple

from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from prometheus_client import Gauge

from libs.contracts.topology import SEARCH
from libs.servicekit.outages import Transient
from services.search.index import Index

EVERY_SECONDS = 5.0

MESSAGES = Gauge("search_lag_messages", "Events that are not in the index yet")
SECONDS = Gauge("search_lag_seconds", "Age of the oldest event that is not in the index yet")
DOCUMENTS = Gauge("search_documents", "Things that can be found")


class Lag(NamedTuple):
    """Events that are not in the index yet, and the age of the oldest."""

    messages: int
    seconds: float


async def lag(js: JetStreamContext) -> Lag:
    """What the live durable still has to deliver or to see acknowledged; raises nats errors."""
    durable = SEARCH.durables[0]
    info = await js.consumer_info(durable.stream, durable.durable)
    waiting = (info.num_pending or 0) + (info.num_ack_pending or 0)
    if not waiting or info.ack_floor is None:
        return Lag(0, 0.0)
    oldest = await js.get_msg(
        durable.stream, info.ack_floor.stream_seq + 1, next=True, subject=durable.filters[0]
    )
    age = (datetime.now(UTC) - oldest.time).total_seconds() if oldest.time else 0.0
    return Lag(waiting, round(max(age, 0.0), 3))


async def acknowledged(js: JetStreamContext) -> int:
    """How far the live durable has come in its stream; raises nats errors."""
    durable = SEARCH.durables[0]
    floor = (await js.consumer_info(durable.stream, durable.durable)).ack_floor
    return floor.stream_seq if floor else 0


async def observe(js: JetStreamContext, index: Index) -> None:
    """Keep the gauges current, until cancelled."""
    while True:
        try:
            behind = await lag(js)
            MESSAGES.set(behind.messages)
            SECONDS.set(behind.seconds)
            DOCUMENTS.set(await index.documents())
        except (NatsError, Transient, TimeoutError):
            pass  # what is away shows in readiness; the last figures stand
        await asyncio.sleep(EVERY_SECONDS)
