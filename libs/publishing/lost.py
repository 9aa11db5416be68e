"""Which facts a stream has lost: what was sent these days is looked for in it.

A loss takes the end of a stream; so the newest are looked for first, and all only when one of them is missing.
"""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta

from nats.js import JetStreamContext
from sqlalchemy import select
from sqlmodel import Session

from libs.bus.reading import Held, held
from libs.servicekit.db import Database
from libs.servicekit.lease import Lease
from libs.servicekit.tables import KEPT, outbox

TAIL = 1000
# By which the broker's clock may differ from ours, and an acknowledgement be late.
CLOCKS = timedelta(minutes=5)
PAGE = 2000


class Marks:
    """Which rows were seen: a bit each, so that a million of them take little."""

    def __init__(self) -> None:
        self._bits = bytearray()

    def add(self, number: int) -> None:
        """This one was."""
        byte, bit = divmod(number, 8)
        if byte >= len(self._bits):
            self._bits.extend(bytes(byte + 1 - len(self._bits) + 4096))
        self._bits[byte] |= 1 << bit

    def __contains__(self, number: int) -> bool:
        """Whether it was."""
        byte, bit = divmod(number, 8)
        return byte < len(self._bits) and bool(self._bits[byte] >> bit & 1)


class Lost:
    """The search for one kind of facts (`prefix`) in one stream."""

    def __init__(
        self, db: Database, js: JetStreamContext, stream: str, subject: str, reader: str, lease: Lease
    ) -> None:
        self._lease = lease
        self._db, self._js, self._stream, self._subject, self._reader = db, js, stream, subject, reader
        ours = outbox.c.subject.like(f"{subject.partition('.')[0]}.%")
        self._ours = ours & outbox.c.refused.is_(None)

    async def find(self, until: datetime, rest: float) -> dict[str, int]:
        """Of each thing with a fact that was sent before `until` and is not there: the first such row."""
        for tail in (TAIL, None):
            since = await asyncio.to_thread(self._since, until, tail)
            if since is None:
                return {}
            seen = Marks()
            start = since - CLOCKS
            async for batch in held(
                self._js, self._stream, self._subject, reader=self._reader, since=start, rest=rest
            ):
                await asyncio.to_thread(self._mark, seen, batch)
            found = await asyncio.to_thread(self._unseen, seen, since, until)
            if not found:
                return {}
        return found

    def _since(self, until: datetime, tail: int | None) -> datetime | None:
        week = until - KEPT[outbox.c.sent_at]
        sent = select(outbox.c.sent_at).where(outbox.c.sent_at.between(week, until), self._ours)
        newest = sent.order_by(outbox.c.sent_at.desc())
        with self._db.reading() as session:
            first: datetime | None = session.execute(sent.order_by(outbox.c.sent_at).limit(1)).scalar()
            edge = tail and session.execute(newest.offset(tail).limit(1)).scalar()
        return edge or first

    def _mark(self, seen: Marks, batch: Iterable[Held]) -> None:
        self._lease.hold()
        ids = [one.event_id for one in batch]
        with self._db.reading() as session:
            for number in session.execute(select(outbox.c.id).where(outbox.c.event_id.in_(ids))).scalars():
                seen.add(number)

    def _unseen(self, seen: Marks, since: datetime, until: datetime) -> dict[str, int]:
        found: dict[str, int] = {}
        with self._db.reading() as session:
            for number, thing in self._sent(session, since, until):
                if number not in seen:
                    found.setdefault(thing, number)
        return found

    def _sent(self, session: Session, since: datetime, until: datetime) -> Iterable[tuple[int, str]]:
        sent = select(outbox.c.id, outbox.c.thing).where(outbox.c.sent_at.between(since, until), self._ours)
        for row in session.execute(sent.order_by(outbox.c.id).execution_options(yield_per=PAGE)):
            yield row.id, row.thing
