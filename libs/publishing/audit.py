"""The audit: when a service's facts are compared with what the bus holds, by which of its processes, and what is reported.

The publisher is the truth, the bus a copy. What is missing or older there is published again at its true version;
where the bus knows a newer version than the database, nothing is overwritten and an operator is asked (ADR 24).
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict

import structlog
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from prometheus_client import Gauge
from sqlalchemy.exc import SQLAlchemyError

from libs.bus import sequences
from libs.bus.reading import MESSAGE_ID
from libs.publishing import ahead, published
from libs.publishing.comparison import Comparison, Findings
from libs.servicekit.db import Database, now
from libs.servicekit.lease import Lease

EVERY_SECONDS, SOON_SECONDS = 600.0, 1.0
# How long it rests after each batch, in times of what the batch took: at once half a core, else a tenth.
AT_ONCE_REST, SLOW_REST = 1.0, 9.0

log = structlog.get_logger(__name__)
AHEAD = Gauge("bus_ahead_things", "Things of which the bus knows newer versions than the database")
COMPARED = Gauge("audit_things", "Things that the last audit compared")
SECONDS = Gauge("audit_seconds", "How long the last audit took")


class Audit:
    """Compares one service's outbox with the bus; one comparison at a time."""

    def __init__(self, db: Database, js: JetStreamContext, service: str) -> None:
        self._db, self._js, self._service = db, js, service
        self._lease = Lease(db, f"{service}.audit")
        self._one_at_a_time = asyncio.Lock()

    async def before_publishing(self) -> int:
        """Make ready a bus that may come from an older disk, or know more than we do; returns how far CITY has been.

        Raises nats errors.
        """
        reached = await self._fill_gap()
        async with self._alone() as alone:
            if alone:
                await self._comparison(repair=True, rest=1.0).look_for_lost()
        last = await sequences.last_of(self._js, self._service)
        if last and not await asyncio.to_thread(published.is_ours, self._db, last):
            log.error("the bus holds an event that this database never told: comparing before publishing")
            await self.compare()
        return reached

    async def compare(self, *, repair: bool = True, rest: float = 1.0) -> Findings | None:
        """One comparison, making good what it finds if asked to; None while another process compares.

        It rests `rest` times as long as it works. Raises nats errors and those of the database.
        """
        async with self._alone() as alone:
            if not alone:
                return None
            comparison = self._comparison(repair=repair, rest=rest)
            if repair:
                await self._fill_gap()
            await comparison.look_for_lost()
            if await sequences.state_follows(self._js):
                await comparison.go_through_state()
                noted = asyncio.to_thread(ahead.note, self._db, comparison.ahead, comparison.begun)
                comparison.found.ahead = await noted
            return _report(comparison)

    async def keep(self, back: asyncio.Event, connected: Callable[[], bool]) -> None:
        """Compare now, whenever the broker is `back`, soon after something had to be made good, and slowly else."""
        rest, soon = AT_ONCE_REST, SOON_SECONDS
        while True:
            back.clear()
            try:
                found = await self.compare(rest=rest) if connected() else None
            except (NatsError, TimeoutError, SQLAlchemyError) as error:  # away: so is what could be compared
                log.warning("audit waits", error=type(error).__name__, detail=str(error)[:200])
                found = None
            settled = found is not None and not found.republished
            soon = SOON_SECONDS if settled else min(soon * 2, EVERY_SECONDS)
            rest = SLOW_REST
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_SECONDS if settled else soon):
                    await back.wait()
                rest, soon = AT_ONCE_REST, SOON_SECONDS

    def _comparison(self, *, repair: bool, rest: float) -> Comparison:
        return Comparison(self._db, self._js, self._service, self._lease, repair=repair, rest=rest)

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[bool]:
        async with self._one_at_a_time:
            if not await asyncio.to_thread(self._lease.hold):
                yield False
                return
            try:
                yield True
            finally:
                with suppress(SQLAlchemyError):
                    await asyncio.to_thread(self._lease.release)

    async def _fill_gap(self) -> int:
        fact = await asyncio.to_thread(published.newest_sent, self._db)
        if fact is None:
            return 0

        async def fill(suffix: str) -> object:
            headers = {MESSAGE_ID: f"{fact.event_id}:{suffix}"}
            return await self._js.publish(fact.subject, fact.body, timeout=5, headers=headers)

        return await sequences.fill_gap(self._js, fill)


def _report(comparison: Comparison) -> Findings:
    found = comparison.found
    found.seconds = round((now() - comparison.begun).total_seconds(), 3)
    AHEAD.set(found.ahead)
    COMPARED.set(found.compared)
    SECONDS.set(found.seconds)
    if found.lost or found.missing or found.older:
        log.warning("the bus has lost facts", **asdict(found))
    if found.ahead:
        log.error("the bus knows newer versions than this database: ./coburg audit", things=found.ahead)
    return found
