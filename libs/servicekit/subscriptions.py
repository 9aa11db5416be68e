"""What a service does about events: a listener of the topology, and the handler of its events.

One call of the handler = one savepoint with the inbox, in a thread of the consumers' own: however much there is to be
handled, requests have their threads to themselves.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from nats.aio.msg import Msg
from sqlmodel import Session

from libs.bus.pull import Pull, keep_in_progress
from libs.contracts.event import Envelope
from libs.contracts.topology import Consumer, Listener
from libs.servicekit.delivery import Cover, Delivered
from libs.servicekit.inbox import first_time
from libs.servicekit.kit import Job, Kit
from libs.servicekit.turns import in_turns

BATCH = 32
PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 15.0

Handler = Callable[[Session, Kit, Envelope[Any]], None]


class Subscription(NamedTuple):
    """A listener and its handler, which writes into the transaction it is given; and how its dead letters are covered."""

    listener: Listener
    handler: Handler
    cover: Callable[[Kit], Cover] | None = None


def jobs(subscription: Subscription) -> Iterator[Job]:
    """One job for each durable of the listener."""
    for durable in subscription.listener.durables:
        yield _job(subscription, durable)


def _job(subscription: Subscription, durable: Consumer) -> Job:
    async def job(kit: Kit) -> None:
        await Consuming(kit, subscription, durable).run()

    job.__name__ = durable.durable
    return job


class Consuming:
    """Handles what one durable delivers."""

    def __init__(self, kit: Kit, subscription: Subscription, durable: Consumer) -> None:
        self._kit, self._durable = kit, durable
        self._name, self._handler = subscription.listener.name, subscription.handler
        self._cover = subscription.cover(kit) if subscription.cover else None
        self._pull = Pull(kit.bus, durable, BATCH)
        self._open: dict[int, Msg] = {}

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(keep_in_progress(self._kit.bus, self._durable, self._held))
            group.create_task(self._work())

    def _held(self) -> list[Msg]:
        return [*self._open.values(), *self._pull.waiting]

    async def _work(self) -> None:
        pause = 0.0
        async for messages in self._pull.batches():
            calm = await self._take(messages)
            # What is away is not asked for again by every event that waits for it.
            pause = 0.0 if calm else min(max(pause * 2, PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
            await asyncio.sleep(pause)

    async def _take(self, messages: list[Msg]) -> bool:
        """Handle what came together; False while a dependency that it needs is away."""
        self._open = {id(message): message for message in messages}
        taken = [Delivered(message, self._name, self._cover) for message in messages]
        readable = [each for each in taken if not each.error]
        try:
            await asyncio.get_running_loop().run_in_executor(self._kit.threads, self._handle, readable)
        finally:
            calm = [await self._settle(each) for each in taken]
        return all(calm)

    async def _settle(self, each: Delivered) -> bool:
        try:
            return await each.settle(self._kit.bus.js)
        finally:
            self._open.pop(id(each.message), None)

    def _handle(self, events: list[Delivered]) -> None:
        in_turns(self._kit.database, events, self._effect)

    def _effect(self, session: Session, delivered: Delivered) -> None:
        if first_time(session, self._name, delivered.event.id):
            self._handler(session, self._kit, delivered.event)
