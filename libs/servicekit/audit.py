"""The audit: what the bus holds of a service's facts is compared with what the service told, and made good.

The publisher is the truth, the bus a copy. What is missing or older there is published again at its true version;
where the bus knows a newer version than the database, nothing is overwritten and an operator is asked (ADR 24).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime

import structlog
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from prometheus_client import Counter, Gauge
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from libs.contracts.topology import CITY, INTERNAL, STATE
from libs.servicekit import kept, newer, sequences
from libs.servicekit.db import Database, now
from libs.servicekit.headers import MESSAGE_ID, Held, held
from libs.servicekit.kept import Kept
from libs.servicekit.lease import Lease
from libs.servicekit.lost import Lost, Marks
from libs.servicekit.newer import Newer
from libs.servicekit.tables import outbox

EVERY_SECONDS, SOON_SECONDS = 600.0, 1.0
# How long it rests after each batch, in times of what the batch took: at once half a core, else a tenth.
AT_ONCE_REST, SLOW_REST = 1.0, 9.0

log = structlog.get_logger(__name__)
REPUBLISHED = Counter("facts_republished", "Facts published again because the bus had lost them")
AHEAD = Gauge("bus_ahead_things", "Things of which the bus knows newer versions than the database")
COMPARED = Gauge("audit_things", "Things that the last audit compared")
SECONDS = Gauge("audit_seconds", "How long the last audit took")


@dataclass
class Findings:
    """What a comparison came to: things compared; facts gone from their stream; things that STATE lacks, or has at an
    older version, or at a newer one than we do; facts that are published again."""

    compared: int = 0
    lost: int = 0
    missing: int = 0
    older: int = 0
    ahead: int = 0
    republished: int = 0
    seconds: float = 0.0


@dataclass
class _Pass:
    """One way through STATE."""

    begun: datetime
    repair: bool
    found: Findings = field(default_factory=Findings)
    seen: Marks = field(default_factory=Marks)
    ahead: list[Newer] = field(default_factory=list)


class Audit:
    """Compares one service's outbox with the bus; one comparison at a time."""

    def __init__(self, db: Database, js: JetStreamContext, service: str) -> None:
        self._db, self._js, self._service = db, js, service
        self._reader = f"{service}-audit"
        self._lease = Lease(db, f"{service}.audit")
        self._one_at_a_time = asyncio.Lock()

    async def before_publishing(self) -> int:
        """Make ready a bus that may come from an older disk, or know more than we do; returns how far CITY has been.

        Raises nats errors.
        """
        reached = await self._fill_gap()
        async with self._alone() as alone:
            if alone:
                await self._look_for_lost(_Pass(now(), repair=True))
        last = await sequences.last_of(self._js, self._service)
        if last and not await asyncio.to_thread(self._told, last):
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
            way = _Pass(now(), repair)
            if repair:
                await self._fill_gap()
            await self._look_for_lost(way, rest)
            if await sequences.state_follows(self._js):
                await self._go_through_state(way, rest)
                way.found.ahead = await asyncio.to_thread(newer.note, self._db, way.ahead, way.begun)
            return self._report(way)

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

    def _report(self, way: _Pass) -> Findings:
        found = way.found
        found.seconds = round((now() - way.begun).total_seconds(), 3)
        AHEAD.set(found.ahead)
        COMPARED.set(found.compared)
        SECONDS.set(found.seconds)
        if found.lost or found.missing or found.older:
            log.warning("the bus has lost facts", **asdict(found))
        if found.ahead:
            log.error("the bus knows newer versions than this database: ./coburg audit", things=found.ahead)
        return found

    async def _fill_gap(self) -> int:
        fact = await asyncio.to_thread(self._newest_sent)
        if fact is None:
            return 0

        async def fill(suffix: str) -> object:
            headers = {MESSAGE_ID: f"{fact.event_id}:{suffix}"}
            return await self._js.publish(fact.subject, fact.body, timeout=5, headers=headers)

        return await sequences.fill_gap(self._js, fill)

    async def _look_for_lost(self, way: _Pass, rest: float = 1.0) -> None:
        for stream, subject in ((CITY.name, f"city.{self._service}.>"), (INTERNAL.name, "internal.>")):
            search = Lost(self._db, self._js, stream, subject, self._reader, self._lease)
            first = await search.find(way.begun, rest)
            way.found.lost += len(first)
            if first and way.repair:
                await asyncio.to_thread(self._publish_with_successors, way, first)

    async def _go_through_state(self, way: _Pass, rest: float) -> None:
        subject = f"state.{self._service}.>"
        async for batch in held(self._js, STATE.name, subject, reader=self._reader, rest=rest):
            versions = await self._versions(await asyncio.to_thread(self._unlike, way, batch))
            await asyncio.to_thread(self._judge, way, versions)
        after = 0
        while rows := await asyncio.to_thread(self._newest_after, after):
            missing = [row for row in rows if row.id not in way.seen and row.sent_at < way.begun]
            way.found.missing += len(missing)
            await asyncio.to_thread(self._publish, way, missing)
            after = rows[-1].id

    def _unlike(self, way: _Pass, batch: Sequence[Held]) -> list[tuple[Held, Kept | None]]:
        """What STATE holds otherwise than we told it last."""
        self._lease.hold()
        things = {self._thing(one): one for one in batch}
        with self._db.reading() as session:
            ours = kept.newest(session, list(things))
        for row in ours.values():
            way.seen.add(row.id)
        way.found.compared += len(things)
        pairs = [(one, ours.get(thing)) for thing, one in things.items()]
        return [(one, row) for one, row in pairs if row is None or row.event_id != one.event_id]

    async def _versions(self, pairs: list[tuple[Held, Kept | None]]) -> list[tuple[Newer, Kept | None]]:
        return [(await self._version(one), row) for one, row in pairs]

    async def _version(self, one: Held) -> Newer:
        version = one.version
        if version is None:  # published before versions stood in the headers
            try:
                message = await self._js.get_last_msg(STATE.name, one.subject)
                version = int(json.loads(message.data or b"{}").get("sequence", 0))
            except (NotFoundError, ValueError):
                version = 0
        return Newer(self._thing(one), version)

    def _judge(self, way: _Pass, pairs: Iterable[tuple[Newer, Kept | None]]) -> None:
        older: list[Kept] = []
        with self._db.reading() as session:
            for theirs, row in pairs:
                ours = kept.version(session, row) if row else -1
                if theirs.version >= ours:
                    way.ahead.append(theirs)
                elif row and row.sent_at and row.sent_at < way.begun:
                    older.append(row)
        way.found.older += len(older)
        self._publish(way, older)

    def _publish(self, way: _Pass, rows: Sequence[Kept]) -> None:
        if rows and way.repair:
            with self._db.transaction() as session:
                count = kept.publish_again(session, [row.id for row in rows])
            self._count(way, count)

    def _publish_with_successors(self, way: _Pass, first: dict[str, int]) -> None:
        """What came after a lost fact of the same thing follows it, or STATE would end with the older."""
        with self._db.transaction() as session:
            count = kept.publish_again(session, kept.from_there_on(session, first))
        self._count(way, count)

    def _count(self, way: _Pass, count: int) -> None:
        way.found.republished += count
        REPUBLISHED.inc(count)

    def _thing(self, one: Held) -> str:
        return one.subject.removeprefix(f"state.{self._service}.")

    def _told(self, event_id: str) -> bool:
        with self._db.reading() as session:
            return (
                session.execute(select(outbox.c.id).where(outbox.c.event_id == event_id)).first() is not None
            )

    def _newest_sent(self) -> Kept | None:
        query = select(outbox.c.event_id, outbox.c.subject, outbox.c.body, outbox.c.thing)
        query = query.where(outbox.c.sent_at.is_not(None), outbox.c.subject.like("city.%"))
        with self._db.reading() as session:
            return session.execute(
                query.order_by(outbox.c.sent_at.desc(), outbox.c.id.desc()).limit(1)
            ).first()

    def _newest_after(self, after: int) -> list[Kept]:
        with self._db.reading() as session:
            return kept.newest_after(session, after)
