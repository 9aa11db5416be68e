"""Outbox to PubAck, against gathered raw publishing of the same bytes on the same server."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import nats
from nats.js import JetStreamContext
from sqlalchemy import delete, func, select
from uuid_utils import uuid7

from benchmarks.report import Row, rate
from benchmarks.stack import OFFERS_MIGRATIONS, sample_fact
from libs.publishing.relay import Relay
from libs.servicekit.db import Database
from libs.servicekit.outbox import Entry, Publisher, add_all
from libs.servicekit.tables import outbox
from tests.stack import Stack

EVENTS = 6000
ROUNDS = 5
IN_FLIGHT = 200


def run(folder: Path) -> list[Row]:
    """Measure on a server of our own."""
    with Stack(folder) as stack:
        stack.start("nats")
        stack.provision()
        return [asyncio.run(_compare(stack.url("nats"), folder))]


async def _compare(url: str, folder: Path) -> Row:
    db = Database(
        f"sqlite:///{folder / 'relay.db'}", Publisher("offers", "de.coburg", "http://localhost/v1/events")
    )
    db.migrate(OFFERS_MIGRATIONS)
    client = await nats.connect(url)
    try:
        js = client.jetstream()
        await _round(db, js)  # the first round warms both ways up
        pairs = [await _round(db, js) for _ in range(ROUNDS)]
    finally:
        await client.close()
        db.dispose()
    ours, limit = zip(*pairs, strict=True)
    return rate("relay: outbox → PubAck", list(ours), list(limit), 0.7, "events/s")


async def _round(db: Database, js: JetStreamContext) -> tuple[float, float]:
    _fill(db)
    with db.reading() as session:
        rows = session.execute(select(outbox.c.subject, outbox.c.body)).all()
    # Things of their own: a subject that the stream knows already is cheaper to store.
    limit = await _raw(js, [(f"{row.subject.rpartition('.')[0]}.{uuid7()}", row.body) for row in rows])
    return await _relayed(db, js), limit


def _fill(db: Database) -> None:
    fact = sample_fact()
    with db.transaction() as session:
        session.execute(delete(outbox))
        add_all(session, [Entry(fact, str(uuid7()), 1) for _ in range(EVENTS)])


async def _relayed(db: Database, js: JetStreamContext) -> float:
    relay = Relay(db, js, "benchmark")
    started = time.perf_counter()
    await relay.drain()
    taken = time.perf_counter() - started
    await relay.release()
    with db.reading() as session:
        waiting = session.execute(select(func.count()).where(outbox.c.sent_at.is_(None))).scalar_one()
    if waiting:
        raise RuntimeError(f"{waiting} of {EVENTS} events were not relayed")
    return EVENTS / taken


async def _raw(js: JetStreamContext, messages: Sequence[tuple[str, bytes]]) -> float:
    started = time.perf_counter()
    for at in range(0, len(messages), IN_FLIGHT):
        await asyncio.gather(
            *(
                js.publish(subject, body, timeout=5, headers={"Nats-Msg-Id": str(uuid7())})
                for subject, body in messages[at : at + IN_FLIGHT]
            )
        )
    return EVENTS / (time.perf_counter() - started)
