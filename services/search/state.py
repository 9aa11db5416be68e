"""Reading STATE, the newest fact of every thing, in batches and once."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from nats.aio.msg import Msg
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js import JetStreamContext, api
from nats.js.errors import NotFoundError

from libs.contracts.agenda import PriorityFact
from libs.contracts.catalogue import EVERY
from libs.contracts.event import Envelope, Fact
from libs.contracts.offers import BoardFact
from libs.contracts.topology import CITY, STATE

BATCH = 1000  # live changes wait for one of these at most
WHOLE = (BoardFact, PriorityFact)
SOURCED = "Nats-Stream-Source"


async def read_state(
    js: JetStreamContext, subject: str, until: int | None = None
) -> AsyncIterator[list[Msg]]:
    """What lies under a subject, up to a sequence if one is given."""
    reader = await js.pull_subscribe(
        subject,
        stream=STATE.name,
        config=api.ConsumerConfig(ack_policy=api.AckPolicy.NONE, inactive_threshold=300),
    )
    try:
        while (await reader.consumer_info()).num_pending:
            try:
                messages = await reader.fetch(BATCH, timeout=1)
            except NatsTimeoutError:
                continue
            yield messages
            if until is not None and messages[-1].metadata.sequence.stream >= until:
                return
    finally:
        await reader.unsubscribe()


def event_of(body: bytes) -> Envelope[Any]:
    """The event with its card, and whole where more than the card is wanted; raises ValidationError."""
    event = Envelope[Fact].model_validate_json(body)
    kind = EVERY.get(event.name, Fact)
    return Envelope[kind].model_validate_json(body) if issubclass(kind, WHOLE) else event  # type: ignore[valid-type]


async def caught_up(js: JetStreamContext) -> int:
    """STATE's last sequence, once STATE holds all that CITY holds now (it follows a little behind)."""
    try:
        newest_fact = await js.get_last_msg(CITY.name, "city.*.*.*.*.*")
    except NotFoundError:
        return 0
    while True:
        last = (await js.stream_info(STATE.name)).state.last_seq
        message = await js.get_msg(STATE.name, last) if last else None
        # "CITY 5 city.*.… …": the stream and sequence it was taken from
        origin = (message.headers or {}).get(SOURCED, "") if message else ""
        if origin and int(origin.split()[1]) >= (newest_fact.seq or 0):
            return last
        await asyncio.sleep(0.1)
