"""Building the index anew from STATE beside the served one: asked for over HTTP, done by the process that indexes."""

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from pydantic import ValidationError

from libs.bus.state import caught_up, event_of, read_state
from libs.contracts.offers import BoardFact
from libs.servicekit.delivery import InvalidEvent
from libs.servicekit.outages import Transient
from libs.town.calendar import Calendar
from services.search.domain import Change, change, newest
from services.search.index import Index

# Only a board's own fact has more to tell than its card.
WHOLE = (BoardFact,)

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

    def __init__(self, index: Index, calendar: Calendar) -> None:
        self._index, self._calendar = index, calendar
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
            until = await caught_up(js)
            async for messages in read_state(js, "state.>", until):
                await self._index.write(newest(self._changes(messages)), only=target)
                progress.done += len(messages)
                progress.total = progress.done + messages[-1].metadata.num_pending
            await self._index.swap(target)
            log.info("reindexed", things=progress.done)
        except BaseException:
            await self._index.give_up(target)
            raise

    def _changes(self, messages: list[Msg]) -> list[Change]:
        found = []
        for message in messages:
            # What cannot be read lies in DEAD since it was published.
            with contextlib.suppress(ValidationError, InvalidEvent):
                found.append(change(event_of(message.data, WHOLE), self._calendar))
        return [one for one in found if one]
