"""CITY's sequences after a loss: what follows CITY (STATE, durables, mirrors) stands beyond its end and passes by
everything published until CITY is there again. So the gap is filled, with a fact that everybody knows already.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from libs.bus.reading import MESSAGE_ID
from libs.contracts.topology import CITY, STATE

AT_ONCE = 200
LOOKS, SURE_LOOKS, LOOK_SECONDS = 300, 15, 0.1
FACTS = "city.*.*.*.*.*"
SOURCED = "Nats-Stream-Source"

log = structlog.get_logger(__name__)
# Publishes a fact that is known already under the message id suffix given.
Fill = Callable[[str], Awaitable[object]]


async def followed(js: JetStreamContext) -> int:
    """How far STATE has come in CITY; raises nats errors."""
    try:
        message = await js.get_last_msg(STATE.name, "state.>")
    except NotFoundError:
        return 0
    # "CITY 5 city.*.… …": the stream and sequence it was taken from
    origin = (message.headers or {}).get(SOURCED, "")
    return int(origin.split()[1]) if origin else 0


async def fill_gap(js: JetStreamContext, fill: Fill) -> int:
    """Bring CITY to where STATE has been already; returns that sequence. Raises nats errors."""
    reached, last = await followed(js), (await js.stream_info(CITY.name)).state.last_seq
    if last < reached:
        log.error("the bus lost its newest events; filling the gap", lost=reached - last)
    while last < reached:
        some = range(last + 1, min(last + AT_ONCE, reached) + 1)
        await asyncio.gather(*(fill(f"gap-{number}") for number in some))
        last = (await js.stream_info(CITY.name)).state.last_seq
    return reached


async def state_follows(js: JetStreamContext) -> bool:
    """Whether STATE holds all that it will ever get of what CITY holds now; waits for it a little."""
    try:
        newest = (await js.get_last_msg(CITY.name, FACTS)).seq or 0
    except NotFoundError:
        return True
    for look in range(LOOKS):
        if await followed(js) >= newest:
            return True
        # Its newest may have been lost: then the broker itself says, and goes on saying, that nothing is on its way.
        if look > SURE_LOOKS and await _lag(js) == 0:
            return True
        await asyncio.sleep(LOOK_SECONDS)
    return False


async def _lag(js: JetStreamContext) -> int:
    sources = (await js.stream_info(STATE.name)).sources or []
    # Just after a start the broker knows of no lag yet; a STATE that takes nothing from CITY will never have followed.
    return max((each.lag or 0 if (each.active or 0) > 0 else 1 for each in sources), default=1)


async def last_of(js: JetStreamContext, service: str) -> str | None:
    """The id of the newest event that a service has in CITY."""
    try:
        message = await js.get_last_msg(CITY.name, f"city.{service}.>")
    except NotFoundError:
        return None
    return str((message.headers or {}).get(MESSAGE_ID, "")).partition(":")[0]
