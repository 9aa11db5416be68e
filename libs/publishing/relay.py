"""The relay: carries a service's outbox to the bus, at least once, in order per thing, deduplicated by the event id."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from nats.js import JetStreamContext
from nats.js.api import PubAck
from prometheus_client import Counter, Gauge
from sqlalchemy import Row, bindparam, update

from libs.bus.reading import MESSAGE_ID, VERSION_HEADER
from libs.contracts.topology import CITY
from libs.publishing import refusals
from libs.publishing.audit import Audit
from libs.publishing.refusals import Troubles
from libs.publishing.unsent import BATCH, unsent, waves
from libs.servicekit.db import Database, now
from libs.servicekit.lease import Lease
from libs.servicekit.tables import outbox
from libs.telemetry import spans

POLL_SECONDS = 1.0
PUBLISH_TIMEOUT_SECONDS = 5.0
# What was committed while others were being sent waits so long for its neighbours: under many writers each round costs
# them a transaction.
GATHER_SECONDS = 0.02
REFUSED_SECONDS = 1.0
MAX_SUSPECTS = 1000

log = structlog.get_logger(__name__)
REFUSED = Gauge("outbox_refused", "Events set aside because the broker does not take them")
SENT = Counter("outbox_sent", "Events the broker has acknowledged")


class Relay:
    """Carries a service's outbox to CITY; one relay at a time per service, by lease."""

    def __init__(
        self,
        db: Database,
        js: JetStreamContext,
        service: str,
        connected: Callable[[], bool] = lambda: True,
        audit: Audit | None = None,
    ) -> None:
        self._db, self._js, self._connected = db, js, connected
        self._audit = audit or Audit(db, js, service)
        self._high = 0  # CITY's newest sequence, as far as known here
        self._lease = Lease(db, f"{service}.relay")
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()
        self._check_broker = True
        self._counted = 0.0
        self._suspects: set[str] = set()
        self._outage = True

    def wake(self) -> None:
        """Called after a commit, from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is gone: the next start sends what is left
            self._loop.call_soon_threadsafe(self._woken.set)

    def reconnected(self) -> None:
        """The broker may come back from an older disk: compare before sending on."""
        self._check_broker = True
        self.wake()

    async def run(self) -> None:
        """Relay until cancelled; trouble with database or broker is waited out."""
        with self._db.after_commit(self.wake):
            await self._run()

    async def _run(self) -> None:
        delay = POLL_SECONDS
        while True:
            self._woken.clear()
            try:
                if self._connected() and await asyncio.to_thread(self._lease.hold):
                    await self.drain()
                    if self._woken.is_set():
                        await asyncio.sleep(GATHER_SECONDS)
                delay = POLL_SECONDS
            except Exception as error:  # nothing may end the relay: what is unsent is tried again
                log.warning("relay waits", error=type(error).__name__, detail=str(error)[:200])
                delay = min(delay * 2, 10.0) if self._outage else POLL_SECONDS
                await asyncio.sleep(0.1)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._woken.wait()

    async def release(self) -> None:
        """Let another relay take over at once; called when the service stops."""
        await asyncio.to_thread(self._lease.release)

    async def drain(self) -> None:
        """Send everything that can be sent; raises what hindered the rest."""
        if self._check_broker:
            self._high = await self._audit.before_publishing()
            self._check_broker = False
        troubles = Troubles()
        # What was not taken last time comes last, so that it keeps nobody else waiting.
        if await self._sweep(troubles, suspects=False) and self._suspects:
            await self._sweep(troubles, suspects=True)
        await self._judge(troubles)
        if troubles.held:
            raise next(iter(troubles.held.values()))

    async def _sweep(self, troubles: Troubles, *, suspects: bool) -> bool:
        """Send what is unsent, of the things that are suspects or of all others; whether it came to the end."""
        after = 0
        while rows := await asyncio.to_thread(unsent, self._db, after):
            after = rows[-1].id
            await self._publish([row for row in rows if (row.thing in self._suspects) == suspects], troubles)
            if troubles.outage or not await asyncio.to_thread(self._lease.hold):
                return False
            if len(rows) < BATCH:  # what was committed meanwhile has woken us
                break
        return True

    async def _judge(self, troubles: Troubles) -> None:
        known = self._suspects if troubles.outage else set()
        self._suspects = known | troubles.held.keys()
        if len(self._suspects) > MAX_SUSPECTS:  # so many at once are no fault of theirs
            self._suspects = set()
        self._outage = troubles.outage or not self._connected()
        if troubles.theirs and not self._outage:
            aside = await asyncio.to_thread(refusals.count_failures, self._db, troubles.theirs)
            if aside:
                log.error(
                    "facts are set aside: the broker does not take them", reasons=aside[:5], count=len(aside)
                )
        if troubles.held or time.monotonic() > self._counted + REFUSED_SECONDS:
            REFUSED.set(await asyncio.to_thread(refusals.waiting, self._db))
            self._counted = time.monotonic()

    async def _publish(self, rows: Sequence[Row[Any]], troubles: Troubles) -> None:
        """Send rows in order, and mark what was acknowledged; what fails holds up its own thing only."""
        acked: list[tuple[Row[Any], PubAck]] = []
        for wave in waves(rows):
            ready = [row for row in wave if not troubles.hold(row)]
            results = await asyncio.gather(*(self._send(row) for row in ready), return_exceptions=True)
            taken = [(row, ack) for row, ack in zip(ready, results, strict=True) if isinstance(ack, PubAck)]
            failed = [(row, e) for row, e in zip(ready, results, strict=True) if isinstance(e, BaseException)]
            acked += taken
            for row, error in failed:
                troubles.note(row, error)
            if failed and all(row.id in troubles.failed for row in ready):
                troubles.outage = True  # nothing at all was taken
            if troubles.outage:
                break
        if acked:
            await asyncio.to_thread(self._mark, acked)
            troubles.sent += len(acked)
            SENT.inc(len(acked))

    async def _send(self, row: Row[Any]) -> PubAck:
        # Published again it needs a new id, or the broker would take it for a duplicate; the event's own stays.
        headers = {MESSAGE_ID: f"{row.event_id}:{row.again}" if row.again else str(row.event_id)}
        if row.version is not None:
            headers[VERSION_HEADER] = str(row.version)
        with spans.publishing(row.subject, row.traceparent, row.created_at) as traceparent:
            if traceparent:
                headers["traceparent"] = traceparent
            return await self._js.publish(
                row.subject, row.body, timeout=PUBLISH_TIMEOUT_SECONDS, headers=headers
            )

    def _mark(self, acked: list[tuple[Row[Any], PubAck]]) -> None:
        # A sequence that was given out before is one that CITY has lost: STATE and durables are beyond it and pass by.
        lost = {row.id for row, ack in acked if ack.stream == CITY.name and self._passed(ack)}
        sent = [row.id for row, _ in acked if row.id not in lost]
        with self._db.transaction() as session:
            mark = update(outbox).where(outbox.c.id.in_(bindparam("ids", expanding=True)))
            session.execute(mark.values(sent_at=now()), {"ids": sent})
            if lost:
                session.execute(mark.values(again=outbox.c.again + 1), {"ids": list(lost)})
        if lost:
            self.reconnected()
        self._high = max(self._high, *(ack.seq for _, ack in acked if ack.stream == CITY.name), 0)

    def _passed(self, ack: PubAck) -> bool:
        return ack.seq <= self._high and not ack.duplicate
