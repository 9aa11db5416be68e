"""Building the index anew from STATE beside the served one: asked for over HTTP, done by the process that indexes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

import structlog
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js import JetStreamContext, api
from nats.js.errors import NotFoundError
from pydantic import ValidationError

from libs.contracts.catalogue import EVERY
from libs.contracts.event import Envelope, Fact
from libs.contracts.offers import BoardFact
from libs.contracts.topology import CITY, STATE
from libs.servicekit.broker import Malformed, Transient
from services.search.domain import Change, change, newest
from services.search.index import Index

BATCH = 1000  # live changes wait for one of these at most
SOURCED = "Nats-Stream-Source"

log = structlog.get_logger(__name__)


@dataclass
class Progress:
    """How far a rebuild has come, in things of STATE."""

    started_at: datetime
    total: int = 0
    done: int = 0
    running: bool = True
    error: str | None = None


class Reindex:
    """At most one rebuild at a time; `progress` speaks of the present or last one."""

    def __init__(self, index: Index, zone: tzinfo) -> None:
        self._index, self._zone = index, zone
        self._asked = asyncio.Event()
        self.progress: Progress | None = None

    def ask(self) -> bool:
        """Have the index built anew; False when that is being done already."""
        if self._asked.is_set():
            return False
        self.progress = Progress(datetime.now(UTC))
        self._asked.set()
        return True

    async def serve(self, js: JetStreamContext) -> None:
        """Build whenever it is asked for, until cancelled."""
        while True:
            await self._asked.wait()
            progress = self.progress = self.progress or Progress(datetime.now(UTC))
            try:
                await self._rebuild(js, progress)
            except (Transient, NatsError, TimeoutError) as error:
                log.error("reindex failed", error=str(error))
                progress.error = str(error) or type(error).__name__
            finally:
                progress.running = False
                self._asked.clear()

    async def _rebuild(self, js: JetStreamContext, progress: Progress) -> None:
        target = await self._index.begin_rebuild()
        try:
            # From here on changes reach the new index by themselves; what came before them is in STATE.
            until = await _caught_up(js)
            async for changes, size, pending in self._state(js, until):
                await self._index.write(newest(changes), only=target)
                progress.done += size
                progress.total = progress.done + pending
            await self._index.swap(target)
            log.info("reindexed", things=progress.done)
        except BaseException:
            await self._index.give_up(target)
            raise

    async def _state(self, js: JetStreamContext, until: int) -> AsyncIterator[tuple[list[Change], int, int]]:
        """Everything in STATE up to a sequence, in batches: changes, things read, things that follow."""
        reader = await js.pull_subscribe(
            "state.>",
            stream=STATE.name,
            config=api.ConsumerConfig(ack_policy=api.AckPolicy.NONE, inactive_threshold=300),
        )
        try:
            while True:
                try:
                    messages = await reader.fetch(BATCH, timeout=1)
                except NatsTimeoutError:
                    if (await reader.consumer_info()).num_pending == 0:
                        return
                    continue
                last = messages[-1].metadata
                yield self._changes(messages), len(messages), last.num_pending
                if last.num_pending == 0 or last.sequence.stream >= until:
                    return
        finally:
            await reader.unsubscribe()

    def _changes(self, messages: list[Msg]) -> list[Change]:
        found = []
        for message in messages:
            # What cannot be read lies in DEAD since it was published.
            with contextlib.suppress(ValidationError, Malformed):
                found.append(change(_event(message.data), self._zone))
        return [one for one in found if one]


def _event(body: bytes) -> Envelope[Any]:
    """The event with its card; only of a board its own fields are wanted, too."""
    event = Envelope[Fact].model_validate_json(body)
    kind = EVERY.get(event.name, Fact)
    return Envelope[kind].model_validate_json(body) if issubclass(kind, BoardFact) else event  # type: ignore[valid-type]


async def _caught_up(js: JetStreamContext) -> int:
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
