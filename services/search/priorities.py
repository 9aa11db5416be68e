"""The agenda's priorities: facts enter, and things of a field of action stand higher as long as one of them lasts.

They are derived from STATE at every start; nothing else keeps them. A thing's own boost stays in its document beside
the factor it is lifted by, so that what was lifted falls back exactly (ADR 0009).
"""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import structlog
from nats.js import JetStreamContext
from pydantic import ValidationError

from libs.bus.state import caught_up, event_of, read_state
from libs.contracts.agenda import PriorityFact, PrioritySet
from libs.contracts.event import Envelope
from services.search.index import Index

SUBJECT = "state.agenda.priority.*"
LONGEST_WAIT_SECONDS = 3600.0
STATE_SECONDS = 10.0

log = structlog.get_logger(__name__)


class Priorities:
    """What is known of all priorities, and the index they are brought into."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._known: dict[str, Envelope[Any]] = {}
        self._one_at_a_time = asyncio.Lock()
        self._news = asyncio.Event()

    async def recall(self, js: JetStreamContext) -> None:
        """Learn all from STATE, and bring the index in order with what ended or began meanwhile."""
        try:
            async with asyncio.timeout(STATE_SECONDS):
                await caught_up(js)
        except TimeoutError:
            log.warning("STATE is behind CITY; newer priorities come from CITY")
        async for messages in read_state(js, SUBJECT):
            for message in messages:
                self._learn(_read(message.data))
        await self._apply()

    async def handle(self, events: Iterable[Envelope[Any]]) -> None:
        """Take what is news of these events; it holds in the index when this returns."""
        changed = [self._learn(event) for event in events if isinstance(event.data, PriorityFact)]
        if any(changed):
            await self._apply()
            self._news.set()

    def _learn(self, event: Envelope[Any] | None) -> bool:
        if event is None or not isinstance(event.data, PriorityFact):
            return False
        known = self._known.get(event.subject)
        if known and known.version >= event.version:
            return False
        self._known[event.subject] = event
        return True

    async def watch(self) -> None:
        """End each priority when its time is over, until cancelled."""
        while True:
            ends = [event.data.until for event in self._lasting()]
            wait = (min(ends) - _now()).total_seconds() if ends else LONGEST_WAIT_SECONDS
            self._news.clear()
            try:
                async with asyncio.timeout(min(max(wait, 0.0), LONGEST_WAIT_SECONDS)):
                    await self._news.wait()
            except TimeoutError:
                await self._apply()

    async def _apply(self) -> None:
        async with self._one_at_a_time:
            factors: dict[str, float] = {}
            for event in self._lasting():
                field, factor = event.data.field_of_action, event.data.factor
                factors[field] = max(factor, factors.get(field, 1.0))
            await self._index.lift(factors)

    def _lasting(self) -> list[Envelope[Any]]:
        now = _now()
        return [
            one for one in self._known.values() if isinstance(one.data, PrioritySet) and one.data.until > now
        ]


def _read(body: bytes) -> Envelope[Any] | None:
    try:
        return event_of(body)
    except ValidationError:
        return None  # it lies in DEAD since it was published


def _now() -> datetime:
    return datetime.now(UTC)
