"""The jobs that hear the bus for webhooks: new facts, and replays of old ones. Many at once, one transaction for them."""

import asyncio
from datetime import datetime

import structlog
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from libs.cardquery.matching import Matching
from libs.contracts.topology import CITY, HOOKS, Consumer
from libs.servicekit.delivery import Malformed, acknowledge, dead_letter, settle_failure
from libs.servicekit.kit import Kit
from libs.servicekit.pull import Pull, keep_in_progress
from services.notify.webhooks import commands, queries
from services.notify.webhooks.choosing import chosen, told_of
from services.notify.webhooks.commands import Told
from services.notify.webhooks.models import Webhook

BATCH = 200
REPLAYED_AT_ONCE = 100
LOOK_SECONDS = 1.0

log = structlog.get_logger(__name__)


class Listening:
    """Puts what one durable delivers on its way to the endpoints that ask for it."""

    def __init__(self, kit: Kit, matching: Matching, durable: Consumer) -> None:
        self._kit, self._matching, self._durable = kit, matching, durable
        self._pull = Pull(kit.bus, durable, BATCH)
        self._open: list[Msg] = []

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(keep_in_progress(self._kit.bus, self._durable, self._held))
            group.create_task(self._work())

    def _held(self) -> list[Msg]:
        return [*self._open, *self._pull.waiting]

    async def _work(self) -> None:
        async for messages in self._pull.batches():
            self._open = messages
            await self._take(messages)
            self._open = []

    async def _take(self, messages: list[Msg]) -> None:
        readable = [message for message in messages if await self._readable(message)]
        try:
            await asyncio.to_thread(self._tell, readable)
        except Exception as error:
            for message in readable:
                await settle_failure(message, HOOKS.name, self._kit.bus.js, error)
            return
        for message in readable:
            await acknowledge(message, HOOKS.name)

    async def _readable(self, message: Msg) -> bool:
        try:
            told_of(message.subject, message.data)
        except Malformed as error:
            await dead_letter(message, HOOKS.name, self._kit.bus.js, error)
            return False
        return True

    def _tell(self, messages: list[Msg]) -> None:
        with self._kit.database.reading() as session:
            hooks = queries.active(session)
        if not hooks:
            return
        with self._kit.database.transaction() as session:
            for message in messages:
                told, card = told_of(message.subject, message.data)
                commands.tell(session, chosen(self._matching, hooks, told, card), told)


async def replay(kit: Kit, matching: Matching) -> None:
    """Work off replays until cancelled."""
    while True:
        hooks = await asyncio.to_thread(_replaying, kit)
        for hook in hooks if kit.bus.connected else []:
            await _some(kit, matching, hook)
        await asyncio.sleep(0 if hooks else LOOK_SECONDS)


def _replaying(kit: Kit) -> list[Webhook]:
    with kit.database.reading() as session:
        return queries.replaying(session)


async def _some(kit: Kit, matching: Matching, hook: Webhook) -> None:
    """The next part of a replay."""
    found, at = list[Told](), hook.replay_at
    for _ in range(REPLAYED_AT_ONCE):
        try:
            message = await kit.bus.js.get_msg(CITY.name, seq=at, next=True, subject="city.>")
        except NotFoundError:
            at = None
            break
        told, card = told_of(message.subject or "", message.data or b"")
        if chosen(matching, [hook], told, card):
            found.append(told)
        at = (message.seq or 0) + 1

    def write() -> None:
        with kit.database.transaction() as session:
            commands.replayed(session, hook.id, found, at)

    await asyncio.to_thread(write)


async def sequence_at(js: JetStreamContext, since: datetime) -> int:
    """The place in the stream of the first fact at or after an instant, by halving."""
    state = (await js.stream_info(CITY.name)).state
    low, high = state.first_seq, state.last_seq + 1
    while low < high:
        middle = (low + high) // 2
        try:
            message = await js.get_msg(CITY.name, seq=middle, next=True, subject="city.>")
        except NotFoundError:  # nothing from here on, or nothing at all yet
            high = middle
            continue
        if message.time is not None and message.time < since:
            low = (message.seq or middle) + 1
        else:
            high = middle
    return low
