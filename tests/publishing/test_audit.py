"""The audit: what the bus lost is published again at its true version; what it knows better is not overwritten."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import nats
import nats.js.errors
import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext
from sqlalchemy import select

from libs.contracts.event import Envelope
from libs.contracts.offers import ProviderChanged
from libs.provision.streams import provision
from libs.publishing.audit import Audit
from libs.publishing.comparison import Findings
from libs.publishing.relay import Relay
from libs.servicekit import outbox
from libs.servicekit.db import Database
from libs.servicekit.outbox import Entry
from libs.servicekit.tables import ahead
from libs.servicekit.tables import outbox as table
from tests.stack import Stack
from tests.waiting import eventually

pytestmark = pytest.mark.anyio


def tell(db: Database, thing: str, version: int, words: str = "x") -> str:
    """A fact in a transaction of its own; the service that tells providers is called offers."""
    with db.transaction() as session:
        return outbox.add_all(session, [Entry(ProviderChanged(title={"de": words}), thing, version)])[0]


async def version(js: JetStreamContext, thing: str) -> int:
    """At which version STATE holds a thing; 0 if it does not."""
    try:
        message = await js.get_last_msg("STATE", f"state.offers.provider.{thing}")
    except nats.js.errors.NotFoundError:
        return 0
    return Envelope[ProviderChanged].model_validate_json(message.data or b"").version


async def sent(db: Database, js: JetStreamContext) -> Relay:
    """All of the outbox on the bus, and STATE following."""
    relay = Relay(db, js, "offers")
    await relay.drain()
    return relay


async def compared(db: Database, js: JetStreamContext, *, repair: bool = True) -> Findings:
    """What the audit finds."""
    found = await Audit(db, js, "offers").compare(repair=repair)
    assert found is not None
    return found


async def test_what_state_lost_is_published_again(sqlite: Database, js: JetStreamContext) -> None:
    for number in range(5):
        tell(sqlite, f"t{number}", 1)
    tell(sqlite, "t0", 2)
    relay = await sent(sqlite, js)
    found = await compared(sqlite, js)
    assert (found.compared, found.republished, found.ahead) == (5, 0, 0)
    await js.purge_stream("STATE", subject="state.offers.provider.t0")
    await js.purge_stream("STATE", subject="state.offers.provider.t3")
    found = await compared(sqlite, js, repair=False)
    assert (found.missing, found.republished) == (2, 0)
    found = await compared(sqlite, js)
    assert (found.missing, found.republished) == (2, 2)
    await relay.drain()
    await eventually(lambda: _both(js))
    assert (await compared(sqlite, js)).republished == 0


async def _both(js: JetStreamContext) -> bool:
    return (await version(js, "t0"), await version(js, "t3")) == (2, 1)


async def test_a_torn_end_of_the_bus_loses_nothing(sqlite: Database, tmp_path: Path) -> None:
    with Stack(tmp_path) as stack:
        client = await nats.connect(stack.start("nats").url("nats"), max_reconnect_attempts=-1)
        js = client.jetstream()
        await provision(js)
        for number in range(12):
            tell(sqlite, f"t{number % 6}", number // 6 + 1, "x" * 200)
        relay = await sent(sqlite, js)
        await follows(js, 12)
        await handled(js, lambda things: len(things) == 12)
        await asyncio.to_thread(stack.stop, "nats")
        tear(tmp_path, 1500)
        await asyncio.to_thread(stack.launch, "nats")
        await eventually(lambda: connected(client))
        before = (await js.stream_info("CITY")).state.last_seq
        assert before < 12
        # What is published in the first moment takes a sequence that STATE and all durables are beyond.
        await js.publish("city.offers.provider.changed.v1.other", b"{}")
        relay.reconnected()
        tell(sqlite, "t0", 3)
        await relay.drain()
        await compared(sqlite, js)
        await relay.drain()
        for thing, newest in {"t0": 3, "t1": 2, "t5": 2}.items():
            await eventually(partial(at, js, thing, newest))
        await handled(js, lambda things: "t0" in things)  # also what was published into the gap
        assert (await compared(sqlite, js)).republished == 0
        await client.close()


async def connected(client: Client) -> bool:
    return bool(client.is_connected)


async def at(js: JetStreamContext, thing: str, newest: int) -> bool:
    return await version(js, thing) == newest


async def follows(js: JetStreamContext, count: int) -> None:
    async def there() -> bool:
        return (await js.stream_info("STATE")).state.last_seq == count

    await eventually(there)


async def handled(js: JetStreamContext, enough: Callable[[list[str]], bool]) -> None:
    """Acknowledge what the durable of search has for us, until the things of it are enough."""
    subscription = await js.pull_subscribe_bind(consumer="search", stream="CITY")
    things: list[str] = []

    async def more() -> bool:
        with suppress(TimeoutError):  # the client raises two kinds
            for message in await subscription.fetch(100, timeout=1):
                await message.ack_sync()
                things.append(message.subject.rpartition(".")[2])
        return enough(things)

    await eventually(more)


def tear(home: Path, back: int) -> None:
    """Spoil 20 bytes of CITY's newest block."""
    block = max((home / "nats").rglob("streams/CITY/msgs/*.blk"))
    body = bytearray(block.read_bytes())
    body[len(body) - back : len(body) - back + 20] = b"\xff" * 20
    block.write_bytes(body)
    (block.parent / "index.db").unlink(missing_ok=True)  # a server that crashed has none that fits


async def test_facts_of_a_newer_time_are_not_overwritten(
    sqlite: Database, js: JetStreamContext, tmp_path: Path
) -> None:
    """A database restored from an older copy."""
    tell(sqlite, "t1", 1)
    tell(sqlite, "t2", 1)
    await sent(sqlite, js)
    with sqlite.reading() as session:
        kept = [dict(row._mapping) for row in session.execute(select(table))]
    tell(sqlite, "t1", 2, "newer")
    tell(sqlite, "t3", 1, "unknown to the copy")
    await sent(sqlite, js)
    with sqlite.transaction() as session:
        session.execute(table.delete())
        session.execute(table.insert(), kept)
    tell(sqlite, "t1", 2, "written by one who knew no better")
    tell(sqlite, "t2", 2)
    await sent(sqlite, js)
    with sqlite.reading() as session:
        held = dict(session.execute(select(ahead.c.thing, ahead.c.version)).all())
    assert held == {"provider.t1": 2, "provider.t3": 1}
    message = await js.get_last_msg("STATE", "state.offers.provider.t1")
    assert b"newer" in (message.data or b"")
    await eventually(lambda: at(js, "t2", 2))
