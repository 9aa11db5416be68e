"""The outbox: facts are written beside the rows they speak of and relayed to the bus after the commit.

`add` enters a fact into the caller's transaction. `Relay` publishes what is unsent: at least once, in order per
thing, deduplicated by the broker through the event id.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from nats.js import JetStreamContext
from nats.js.api import PubAck
from prometheus_client import Counter, Gauge
from sqlalchemy import ColumnElement, Row, bindparam, func, insert, select, true, update
from sqlmodel import Session
from uuid_utils import uuid7

from libs.contracts import topology
from libs.contracts.card import Card
from libs.contracts.event import Fact, envelope
from libs.servicekit import refusals, telemetry
from libs.servicekit.audit import Audit
from libs.servicekit.db import Database, now
from libs.servicekit.headers import MESSAGE_ID, VERSION_HEADER
from libs.servicekit.lease import Lease
from libs.servicekit.portal import NO_PORTAL, Portal
from libs.servicekit.refusals import Troubles
from libs.servicekit.tables import ahead, outbox

BATCH = 2000
IN_FLIGHT = 200
POLL_SECONDS = 1.0
PUBLISH_TIMEOUT_SECONDS = 5.0
MAX_SUSPECTS = 1000

log = structlog.get_logger(__name__)
BACKLOG = Gauge("outbox_backlog", "Events committed and not yet acknowledged by the broker")
OLDEST = Gauge("outbox_oldest_seconds", "Age of the oldest event that waits in the outbox")
REFUSED = Gauge("outbox_refused", "Events set aside because the broker does not take them")
SENT = Counter("outbox_sent", "Events the broker has acknowledged")


@dataclass(frozen=True)
class Publisher:
    """What an envelope needs to know of its service; travels in `session.info`."""

    service: str
    prefix: str
    schema_base: str
    portal: Portal = NO_PORTAL


class TooLarge(ValueError):  # noqa: N818 - says what it is
    """A fact that no stream takes: what was written is more than fits into an event. `field` is its largest part."""

    def __init__(self, fact: Fact, size: int) -> None:
        self.field, part = _largest(fact.model_dump(mode="json", exclude_none=True))
        self.reason = (
            f"is too long: {part:,} bytes of {size:,}, and the whole may have {topology.MAX_EVENT_BYTES:,}"
        )
        super().__init__(f"{fact.name}: {self.field} {self.reason}")


def _largest(data: Any) -> tuple[str, int]:
    """The path of the part that makes up most of the whole, and its size; a card's parts are the thing's own."""
    path: list[str] = []
    size = _size(data)
    while isinstance(data, dict) and data:
        name = max(data, key=lambda key: _size(data[key]))
        if _size(data[name]) * 2 < size:
            break
        path, data, size = [*path, name], data[name], _size(data[name])
    return ".".join(path).removeprefix("card."), size


def _size(data: Any) -> int:
    return len(json.dumps(data, ensure_ascii=False).encode())


@dataclass(frozen=True)
class Entry:
    """A fact about one thing at one version, on its way into the outbox."""

    fact: Fact
    thing_id: str
    version: int
    traceparent: str | None = None


def add(session: Session, fact: Fact, *, thing_id: str, version: int) -> str:
    """Publish a fact with the caller's transaction; returns the event id."""
    return add_all(session, [Entry(fact, thing_id, version, telemetry.traceparent())])[0]


def add_all(session: Session, entries: Sequence[Entry]) -> list[str]:
    """Publish many facts with the caller's transaction, in this order; returns the event ids."""
    if not entries:
        return []
    publisher: Publisher = session.info["publisher"]
    rows = [_row(entry, publisher) for entry in entries]
    session.execute(insert(outbox), rows)
    session.info["events"] = session.info.get("events", 0) + len(rows)
    return [str(row["event_id"]) for row in rows]


def _row(entry: Entry, publisher: Publisher) -> dict[str, object]:
    event_id, time = str(uuid7()), now()
    event = envelope(
        _linked(entry, publisher.portal),
        event_id=event_id,
        subject=entry.thing_id,
        version=entry.version,
        time=time,
        prefix=publisher.prefix,
        schema_base=publisher.schema_base,
        traceparent=entry.traceparent,
        source=publisher.service if entry.fact.internal else None,
    )
    body = event.to_bytes()
    if len(body) > topology.MAX_EVENT_BYTES:
        raise TooLarge(entry.fact, len(body))
    return {
        "event_id": event_id,
        "subject": entry.fact.subject(entry.thing_id),
        "thing": f"{entry.fact.part('aggregate')}.{entry.thing_id}",
        "body": body,
        "traceparent": entry.traceparent,
        "created_at": time,
        "version": entry.version,
    }


def _linked(entry: Entry, portal: Portal) -> Fact:
    """The fact, its card with the page of the portal where the thing has none of its own."""
    card: Card | None = getattr(entry.fact, "card", None)
    page = portal.page(card.kind, entry.thing_id) if card else None
    if card is None or page is None or card.url is not None:
        return entry.fact
    return entry.fact.model_copy(update={"card": card.model_copy(update={"url": page})})


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
        while rows := await asyncio.to_thread(self._unsent, after):
            after = rows[-1].id
            await self._publish([row for row in rows if (row.thing in self._suspects) == suspects], troubles)
            if troubles.outage or not await asyncio.to_thread(self._lease.hold):
                return False
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
        REFUSED.set(await asyncio.to_thread(refusals.waiting, self._db))

    async def _publish(self, rows: Sequence[Row[tuple[object, ...]]], troubles: Troubles) -> None:
        """Send rows in order, and mark what was acknowledged; what fails holds up its own thing only."""
        acked: list[tuple[Row[tuple[object, ...]], PubAck]] = []
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

    async def _send(self, row: Row[tuple[object, ...]]) -> PubAck:
        # Published again it needs a new id, or the broker would take it for a duplicate; the event's own stays.
        headers = {MESSAGE_ID: f"{row.event_id}:{row.again}" if row.again else str(row.event_id)}
        if row.version is not None:
            headers[VERSION_HEADER] = str(row.version)
        with telemetry.publishing(row.subject, row.traceparent, row.created_at) as traceparent:
            if traceparent:
                headers["traceparent"] = traceparent
            return await self._js.publish(
                row.subject, row.body, timeout=PUBLISH_TIMEOUT_SECONDS, headers=headers
            )

    def _unsent(self, after: int = 0) -> Sequence[Row[tuple[object, ...]]]:
        columns = (outbox.c.id, outbox.c.event_id, outbox.c.subject, outbox.c.thing, outbox.c.body)
        query = (
            select(*columns, outbox.c.traceparent, outbox.c.created_at, outbox.c.version, outbox.c.again)
            .where(_UNSENT, outbox.c.id > after, outbox.c.thing.not_in(select(ahead.c.thing)), _first(after))
            .order_by(outbox.c.id)
            .limit(BATCH)
        )
        with self._db.reading() as session:
            rows = session.execute(query).all()
            backlog = len(rows)
            if backlog == BATCH:
                waiting = select(func.count()).select_from(outbox).where(_UNSENT)
                backlog = session.execute(waiting).scalar_one()
        if not after:
            BACKLOG.set(backlog)
            OLDEST.set((now() - rows[0].created_at).total_seconds() if rows else 0)
        return rows

    def _mark(self, acked: list[tuple[Row[tuple[object, ...]], PubAck]]) -> None:
        # A sequence that was given out before is one that CITY has lost: STATE and durables are beyond it and pass by.
        lost = {row.id for row, ack in acked if ack.stream == topology.CITY.name and self._passed(ack)}
        sent = [row.id for row, _ in acked if row.id not in lost]
        with self._db.transaction() as session:
            mark = update(outbox).where(outbox.c.id.in_(bindparam("ids", expanding=True)))
            session.execute(mark.values(sent_at=now()), {"ids": sent})
            if lost:
                session.execute(mark.values(again=outbox.c.again + 1), {"ids": list(lost)})
        if lost:
            self.reconnected()
        self._high = max(self._high, *(ack.seq for _, ack in acked if ack.stream == topology.CITY.name), 0)

    def _passed(self, ack: PubAck) -> bool:
        return ack.seq <= self._high and not ack.duplicate


_UNSENT = outbox.c.sent_at.is_(None) & outbox.c.refused.is_(None)


def _first(after: int) -> ColumnElement[bool]:
    """Nothing of the same thing waits up to there. What does was committed behind the reader's back, with an earlier id
    than others that were read already: PostgreSQL gives ids out before commits. It goes first, the next time."""
    if not after:
        return true()
    earlier = outbox.alias("earlier")
    waits = select(earlier.c.id).where(earlier.c.thing == outbox.c.thing, earlier.c.id <= after)
    return ~waits.where(earlier.c.sent_at.is_(None), earlier.c.refused.is_(None)).exists()


def waves(
    rows: Iterable[Row[tuple[object, ...]]], size: int = IN_FLIGHT
) -> Iterator[list[Row[tuple[object, ...]]]]:
    """Cut rows into groups that may be under way together: never two facts of one thing.

    A fact that fails must not be overtaken by a later one of the same thing, or STATE would keep the older.
    """
    wave: list[Row[tuple[object, ...]]] = []
    things: set[object] = set()
    for row in rows:
        if row.thing in things or len(wave) == size:
            yield wave
            wave, things = [], set()
        wave.append(row)
        things.add(row.thing)
    if wave:
        yield wave
