"""What a service does about events: a listener of the topology, and the handler of its events.

One call of the handler = one transaction with the inbox, in a thread of the consumers' own: however much there is to
be handled, requests have their threads to themselves.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextvars import copy_context
from functools import partial
from typing import Any, NamedTuple

import structlog
from nats.aio.msg import Msg
from sqlmodel import Session

from libs.bus.pull import Pull, keep_in_progress
from libs.contracts.event import Envelope
from libs.contracts.topology import Consumer, Listener
from libs.servicekit.delivery import handle
from libs.servicekit.inbox import first_time
from libs.servicekit.kit import Job, Kit

BATCH = 32
PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 15.0

log = structlog.get_logger(__name__)
Handler = Callable[[Session, Kit, Envelope[Any]], None]


class Subscription(NamedTuple):
    """A listener and its handler, which writes into the transaction it is given."""

    listener: Listener
    handler: Handler


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
            self._open = {id(message): message for message in messages}
            handled = await asyncio.gather(*(self._handle(message) for message in messages))
            # What is away is not asked for again by every event that waits for it.
            pause = 0.0 if all(handled) else min(max(pause * 2, PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
            await asyncio.sleep(pause)

    async def _handle(self, message: Msg) -> bool:
        try:
            return await handle(message, self._name, self._kit.bus.js, self._effect)
        finally:
            self._open.pop(id(message), None)

    async def _effect(self, event: Envelope[Any]) -> None:
        work = partial(copy_context().run, self._transaction, event)
        await asyncio.get_running_loop().run_in_executor(self._kit.threads, work)

    def _transaction(self, event: Envelope[Any]) -> None:
        with self._kit.database.transaction() as session:
            if first_time(session, self._name, event.id):
                self._handler(session, self._kit, event)
