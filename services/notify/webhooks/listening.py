"""The job that hears the bus for webhooks: new facts, many at once, in one transaction."""

import asyncio
from typing import NamedTuple

import structlog
from nats.aio.msg import Msg

from libs.bus.pull import Pull, keep_in_progress
from libs.cardquery.matching import Matching
from libs.contracts.card import Card
from libs.contracts.topology import CITY, HOOKS, Consumer
from libs.servicekit.delivery import InvalidEvent, acknowledge, dead_letter, settle_failure
from libs.servicekit.kit import Kit
from libs.servicekit.outages import is_outage
from services.notify.webhooks import commands, outcomes, queries
from services.notify.webhooks.choosing import Choosing, told_of
from services.notify.webhooks.commands import Told
from services.notify.webhooks.models import Webhook

BATCH = 200
AGAIN_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 15.0

log = structlog.get_logger(__name__)


class Heard(NamedTuple):
    """A message and what it says."""

    message: Msg
    told: Told
    card: Card | None


Wanted = list[tuple[Told, list[str]]]


class Listening:
    """Puts what one durable delivers on its way to the endpoints that ask for it."""

    def __init__(self, kit: Kit, matching: Matching, durable: Consumer) -> None:
        self._kit, self._durable = kit, durable
        self._choosing = Choosing(matching)
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
        heard = [each for message in messages if (each := await self._heard(message))]
        failed = await self._told(heard)
        for each in heard:
            if error := failed.get(each.told.event_id):
                await settle_failure(each.message, HOOKS.name, self._kit.bus.js, error)
            else:
                await acknowledge(each.message, HOOKS.name)

    async def _heard(self, message: Msg) -> Heard | None:
        try:
            return Heard(message, *told_of(message.subject, message.data, place_of(message)))
        except InvalidEvent as error:
            await dead_letter(message, HOOKS.name, self._kit.bus.js, error)
            return None

    async def _told(self, heard: list[Heard]) -> dict[str, Exception]:
        """Tell, waiting here while the database is away, so that nothing overtakes these; what failed by itself."""
        wait = AGAIN_SECONDS
        while True:
            try:
                return await asyncio.to_thread(self._tell, heard)
            except Exception as error:
                if not is_outage(error):
                    return {each.told.event_id: error for each in heard}
                log.warning("facts wait for the database", error=type(error).__name__, facts=len(heard))
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_PAUSE_SECONDS)

    def _tell(self, heard: list[Heard]) -> dict[str, Exception]:
        hooks = self._hooks()
        failed: dict[str, Exception] = {}
        wanted = [(each.told, chosen) for each in heard if (chosen := self._chosen(hooks, each, failed))]
        if not wanted:
            return failed
        try:
            with self._kit.database.transaction() as session:
                commands.tell_all(session, wanted)
        except Exception as error:
            if is_outage(error):
                raise
            return failed | self._told_alone(wanted)
        return failed

    def _told_alone(self, wanted: Wanted) -> dict[str, Exception]:
        """One of them cannot be told: which one shows when each is told by itself."""
        failed: dict[str, Exception] = {}
        for told, chosen in wanted:
            try:
                with self._kit.database.transaction() as session:
                    commands.tell(session, chosen, told)
            except Exception as error:
                if is_outage(error):
                    raise
                failed[told.event_id] = error
        return failed

    def _hooks(self) -> list[Webhook]:
        """Who is told; an endpoint that cannot be asked what it wants is disabled and keeps nobody else from hearing."""
        with self._kit.database.reading() as session:
            hooks = queries.active(session)
        broken = self._choosing.unreadable(hooks)
        for hook in (hook for hook in hooks if hook.id in broken):
            log.error("webhook disabled", webhook=hook.id, reason=broken[hook.id])
            with self._kit.database.transaction() as session:
                outcomes.disable(session, hook.id, hook.version, broken[hook.id])
        return [hook for hook in hooks if hook.id not in broken]

    def _chosen(self, hooks: list[Webhook], each: Heard, failed: dict[str, Exception]) -> list[str]:
        try:
            return self._choosing.chosen(hooks, each.told, each.card)
        except Exception as error:
            failed[each.told.event_id] = error
            return []


def place_of(message: Msg) -> int:
    """A fact's place in CITY, also for one that comes back from DEAD; 0, before all others, where nobody knows it."""
    if message.metadata.stream == CITY.name:
        return int(message.metadata.sequence.stream)
    text = (message.headers or {}).get("Coburg-Sequence", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
