"""One comparison of what a service told with what the bus holds: streams and STATE enter, findings leave.

What is lost, missing or older on the bus is handed to the relay again, if asked to.
"""

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from prometheus_client import Counter

from libs.bus.reading import Held, held
from libs.contracts.topology import CITY, INTERNAL, STATE
from libs.publishing import published
from libs.publishing.ahead import Newer
from libs.publishing.lost import Lost, Marks
from libs.publishing.published import Published
from libs.servicekit.db import Database, now
from libs.servicekit.lease import Lease

REPUBLISHED = Counter("facts_republished", "Facts published again because the bus had lost them")


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


class Comparison:
    """One way through what the bus holds of a service; it rests `rest` times as long as it works."""

    def __init__(
        self, db: Database, js: JetStreamContext, service: str, lease: Lease, *, repair: bool, rest: float
    ) -> None:
        self._db, self._js, self._service, self._lease = db, js, service, lease
        self._repair, self._rest, self._reader = repair, rest, f"{service}-audit"
        self._seen = Marks()
        self.begun, self.found = now(), Findings()
        self.ahead: list[Newer] = []

    async def look_for_lost(self) -> None:
        """Facts that are gone from their streams; what came after a lost one of the same thing follows it, or STATE would
        end with the older."""
        for stream, subject in ((CITY.name, f"city.{self._service}.>"), (INTERNAL.name, "internal.>")):
            search = Lost(self._db, self._js, stream, subject, self._reader, self._lease)
            first = await search.find(self.begun, self._rest)
            self.found.lost += len(first)
            if first and self._repair:
                await asyncio.to_thread(self._publish_from_there_on, first)

    async def go_through_state(self) -> None:
        """Every thing that STATE holds against what was told last of it, and whatever it lacks."""
        subject = f"state.{self._service}.>"
        async for batch in held(self._js, STATE.name, subject, reader=self._reader, rest=self._rest):
            pairs = await asyncio.to_thread(self._unlike, batch)
            versions = [(await self._version(one), row) for one, row in pairs]
            await asyncio.to_thread(self._judge, versions)
        after = 0
        while rows := await asyncio.to_thread(self._newest_after, after):
            missing = [row for row in rows if row.id not in self._seen and row.sent_at < self.begun]
            self.found.missing += len(missing)
            await asyncio.to_thread(self._publish, missing)
            after = rows[-1].id

    def _unlike(self, batch: Sequence[Held]) -> list[tuple[Held, Published | None]]:
        """What STATE holds otherwise than we told it last."""
        self._lease.hold()
        things = {self._thing(one): one for one in batch}
        with self._db.reading() as session:
            ours = published.newest(session, list(things))
        for row in ours.values():
            self._seen.add(row.id)
        self.found.compared += len(things)
        pairs = [(one, ours.get(thing)) for thing, one in things.items()]
        return [(one, row) for one, row in pairs if row is None or row.event_id != one.event_id]

    async def _version(self, one: Held) -> Newer:
        version = one.version
        if version is None:  # published before versions stood in the headers
            try:
                message = await self._js.get_last_msg(STATE.name, one.subject)
                version = int(json.loads(message.data or b"{}").get("sequence", 0))
            except (NotFoundError, ValueError):
                version = 0
        return Newer(self._thing(one), version)

    def _judge(self, pairs: Iterable[tuple[Newer, Published | None]]) -> None:
        older: list[Published] = []
        with self._db.reading() as session:
            for theirs, row in pairs:
                ours = published.version(session, row) if row else -1
                if theirs.version >= ours:
                    self.ahead.append(theirs)
                elif row and row.sent_at and row.sent_at < self.begun:
                    older.append(row)
        self.found.older += len(older)
        self._publish(older)

    def _publish(self, rows: Sequence[Published]) -> None:
        if rows and self._repair:
            with self._db.transaction() as session:
                count = published.publish_again(session, [row.id for row in rows])
            self._count(count)

    def _publish_from_there_on(self, first: dict[str, int]) -> None:
        with self._db.transaction() as session:
            count = published.publish_again(session, published.from_there_on(session, first))
        self._count(count)

    def _count(self, count: int) -> None:
        self.found.republished += count
        REPUBLISHED.inc(count)

    def _thing(self, one: Held) -> str:
        return one.subject.removeprefix(f"state.{self._service}.")

    def _newest_after(self, after: int) -> list[Published]:
        with self._db.reading() as session:
            return published.newest_after(session, after)
