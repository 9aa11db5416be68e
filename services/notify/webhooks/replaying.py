"""The job that sends again what lies in the stream: an endpoint's wish enters, rows of a round of its own leave.

One process at a time does it; an endpoint that does not keep up is given no more than it can take.
"""

import asyncio
from datetime import datetime
from typing import NamedTuple

import structlog
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from libs.cardquery.matching import Matching
from libs.contracts.topology import CITY
from libs.servicekit.batches import leaving
from libs.servicekit.delivery import InvalidEvent
from libs.servicekit.kit import Kit
from libs.servicekit.lease import Lease
from services.notify.webhooks import commands, queries
from services.notify.webhooks.choosing import Choosing, told_of
from services.notify.webhooks.commands import Told
from services.notify.webhooks.models import Webhook

AT_ONCE = 100
MOST_WAITING = 1000
LOOK_SECONDS = 1.0

log = structlog.get_logger(__name__)


class Part(NamedTuple):
    """Some of a replay: what is to be told, and the place to go on at; None at the end."""

    told: list[Told]
    at: int | None


class Replaying:
    """Works off replays, as long as it holds the lease."""

    def __init__(self, kit: Kit, matching: Matching) -> None:
        self._kit, self._choosing = kit, Choosing(matching)
        self._lease = Lease(kit.database, "notify.replay")

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            went_on = False
            for hook in await asyncio.to_thread(self._open) if self._kit.bus.connected else []:
                with leaving("notify.replay", hook):
                    went_on |= await self._some(hook)
            await asyncio.sleep(0 if went_on else LOOK_SECONDS)

    def _open(self) -> list[Webhook]:
        if not self._lease.hold():
            return []
        with self._kit.database.reading() as session:
            hooks = queries.replaying(session)
            return [hook for hook in hooks if queries.waiting(session, hook.id) <= MOST_WAITING]

    async def _some(self, hook: Webhook) -> bool:
        """The next part of a replay; False when it came no further."""
        part = await self._part(hook, hook.replay_at or 1)
        if part.at == hook.replay_at or not await asyncio.to_thread(self._lease.hold):
            return False
        await asyncio.to_thread(self._write, hook, part)
        return True

    async def _part(self, hook: Webhook, at: int) -> Part:
        found = list[Told]()
        for _ in range(AT_ONCE):
            try:
                message = await self._kit.bus.js.get_msg(CITY.name, seq=at, next=True, subject="city.>")
            except NotFoundError:
                return Part(found, None)
            except (NatsError, TimeoutError):
                break
            place = message.seq or at
            told = self._told(hook, message.subject or "", message.data or b"", place)
            found += [told] if told else []
            at = place + 1
        return Part(found, at)

    def _told(self, hook: Webhook, subject: str, body: bytes, place: int) -> Told | None:
        try:
            told, card = told_of(subject, body, place)
        except InvalidEvent:  # it lies in DEAD already
            return None
        return told if self._choosing.chosen([hook], told, card) else None

    def _write(self, hook: Webhook, part: Part) -> None:
        with self._kit.database.transaction() as session:
            commands.replayed(session, hook.id, hook.replay or "", part.told, part.at)


async def sequence_at(js: JetStreamContext, since: datetime) -> int:
    """The place in the stream of the first fact at or after an instant, by halving; behind the end when there is none."""
    state = (await js.stream_info(CITY.name)).state
    low, high = state.first_seq, state.last_seq + 1
    while low < high:
        middle = (low + high) // 2
        try:
            message = await js.get_msg(CITY.name, seq=middle, next=True, subject="city.>")
        except NotFoundError:  # everything from there on was deleted
            high = middle
            continue
        if message.time is not None and message.time < since:
            low = (message.seq or middle) + 1
        else:
            high = middle
    return low
