"""Replaying STATE, the newest fact of every thing: how a read model or an index is filled or made anew."""

from collections.abc import AsyncIterator
from typing import Any

import structlog
from nats.aio.msg import Msg
from nats.js import JetStreamContext, api
from pydantic import ValidationError

from libs.bus.sequences import state_follows
from libs.contracts.catalogue import EVERY
from libs.contracts.event import Envelope, Fact
from libs.contracts.topology import STATE

BATCH = 1000  # live changes wait for one of these at most

log = structlog.get_logger(__name__)


async def replay(js: JetStreamContext, subject: str = "state.>") -> AsyncIterator[list[Envelope[Any]]]:
    """The newest fact of every thing under a subject (`state.<service>.<aggregate>.*`), whole, in batches and once.

    All that CITY holds at the beginning is among it; raises TimeoutError when STATE does not follow CITY. What cannot
    be read is left out: it lies in DEAD since it was published.
    """
    until = await caught_up(js)
    async for messages in read_state(js, subject, until):
        yield [event for message in messages if (event := readable(message))]


def readable(message: Msg) -> Envelope[Any] | None:
    """The event of one of STATE's messages, if it is one."""
    try:
        return event_of(message.data)
    except ValidationError as error:
        log.warning("a fact in STATE cannot be read", subject=message.subject, error=str(error)[:200])
        return None


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
            except TimeoutError:
                continue
            yield messages
            if until is not None and messages[-1].metadata.sequence.stream >= until:
                return
    finally:
        await reader.unsubscribe()


def event_of(body: bytes, whole: type[Fact] | tuple[type[Fact], ...] = Fact) -> Envelope[Any]:
    """The event with its card, and whole where its type is one of `whole`; raises ValidationError."""
    event = Envelope[Fact].model_validate_json(body)
    kind = EVERY.get(event.name, Fact)
    return Envelope[kind].model_validate_json(body) if issubclass(kind, whole) else event  # type: ignore[valid-type]


async def caught_up(js: JetStreamContext) -> int:
    """STATE's last sequence, once STATE holds all that it will get of what CITY holds now (it follows a little behind).

    Raises TimeoutError when it does not follow at all.
    """
    if not await state_follows(js):
        raise TimeoutError("STATE does not follow CITY")
    return int((await js.stream_info(STATE.name)).state.last_seq)
