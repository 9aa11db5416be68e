"""The outbox and its relay: what was committed arrives, once and in order, through every kind of trouble."""

import asyncio
import json
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from sqlalchemy import func, select, text, update
from sqlmodel import Session

from libs.bus.connection import Bus
from libs.contracts import topology
from libs.contracts.event import Envelope
from libs.contracts.notify import MessageRequested, Subject
from libs.contracts.offers import ProviderChanged
from libs.contracts.search import QueryUnanswered
from libs.provision.streams import provision
from libs.publishing import refusals, relay
from libs.publishing.relay import Relay
from libs.publishing.unsent import waves
from libs.servicekit import lease, outbox, retention
from libs.servicekit.db import Database, now
from libs.servicekit.outbox import Entry
from libs.servicekit.tables import KEPT
from libs.servicekit.tables import outbox as table
from libs.telemetry import spans
from tests.servicekit.conftest import PUBLISHER
from tests.stack import Stack, new_database
from tests.waiting import eventually

pytestmark = pytest.mark.anyio
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"


def say(session: Session, thing: str, version: int, words: str = "x") -> str:
    """Enter a fact into a transaction."""
    entry = Entry(ProviderChanged(title={"de": words}), thing, version, PARENT)
    return outbox.add_all(session, [entry])[0]


def tell(db: Database, thing: str, version: int, words: str = "x") -> str:
    """A fact in a transaction of its own."""
    with db.transaction() as session:
        return say(session, thing, version, words)


@asynccontextmanager
async def relaying(db: Database, js: JetStreamContext, *, clean: bool = True) -> AsyncIterator[Relay]:
    """A running relay; it leaves its lease behind when it does not end cleanly."""
    relay = Relay(db, js, "offers")
    task = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        if clean:
            await relay.release()


@asynccontextmanager
async def reconnecting(bus: Bus, relay: Relay) -> AsyncIterator[None]:
    """The relay is told when the broker is back."""
    with bus.on_reconnect(relay.reconnected):
        yield


def unsent(db: Database) -> int:
    with db.reading() as session:
        waiting = select(func.count()).select_from(table).where(table.c.sent_at.is_(None))
        return int(session.execute(waiting).scalar_one())


async def sent(db: Database) -> None:
    """Wait until the outbox has nothing left."""

    async def empty() -> bool:
        return await asyncio.to_thread(unsent, db) == 0

    await eventually(empty, 30)


async def events(js: JetStreamContext, stream: str = "CITY") -> list[RawStreamMsg]:
    """Everything a stream holds, oldest first."""
    state = (await js.stream_info(stream)).state
    if not state.messages:
        return []
    numbers = range(state.first_seq, state.last_seq + 1)
    return list(await asyncio.gather(*(js.get_msg(stream, number, direct=True) for number in numbers)))


def read(message: RawStreamMsg) -> Envelope[ProviderChanged]:
    return Envelope[ProviderChanged].model_validate_json(message.data or b"")


def versions(messages: list[RawStreamMsg]) -> dict[str, list[int]]:
    """The versions of each thing in the order in which they lie in the stream."""
    found: dict[str, list[int]] = {}
    for event in map(read, messages):
        found.setdefault(event.subject, []).append(event.version)
    return found


async def test_a_commit_publishes_once_and_a_rollback_nothing(db: Database, js: JetStreamContext) -> None:
    async with relaying(db, js):
        with pytest.raises(ValueError, match="no"), db.transaction() as session:
            say(session, "a", 1)
            raise ValueError("no")
        event_id = tell(db, "b", 7, "Haus & Höfe")
        await sent(db)
    (message,) = await events(js)
    assert message.subject == "city.offers.provider.changed.v1.b"
    assert {"Nats-Msg-Id": event_id, "traceparent": PARENT}.items() <= (message.headers or {}).items()
    body = json.loads(message.data or b"")
    assert body.pop("time")
    assert body == {
        "specversion": "1.0",
        "id": event_id,
        "source": "/offers",
        "type": "de.coburg.offers.provider.changed.v1",
        "subject": "b",
        "datacontenttype": "application/json",
        "dataschema": "http://probe/v1/events/offers.provider.changed.v1",
        "sequence": "0000000007",
        "traceparent": PARENT,
        "data": {"title": {"de": "Haus & Höfe"}},
    }


async def test_a_commit_wakes_the_relay(
    sqlite: Database, js: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "POLL_SECONDS", 3600)
    async with relaying(sqlite, js):
        for number in range(3):
            await asyncio.to_thread(tell, sqlite, "a", number)
            await sent(sqlite)


async def test_what_another_process_wrote_is_found_without_waking(
    sqlite: Database, js: JetStreamContext
) -> None:
    other = Database(str(sqlite.engine.url), PUBLISHER)
    async with relaying(sqlite, js):
        tell(other, "a", 1)
        await sent(sqlite)
    other.dispose()
    assert versions(await events(js)) == {"a": [1]}


def test_a_fact_too_large_to_travel_stops_the_transaction(sqlite: Database) -> None:
    with pytest.raises(outbox.TooLarge) as refusal, sqlite.transaction() as session:
        huge = ProviderChanged(title={f"{letter}a": "x" * 20_000 for letter in "abcdefghijkl"})
        entries = [Entry(huge, "a", 1)]
        monster = Entry(huge.model_copy(update={"url": "x" * topology.MAX_EVENT_BYTES}), "a", 2)
        outbox.add_all(session, [*entries, monster])
    assert refusal.value.field == "url"
    assert unsent(sqlite) == 0


async def test_a_fact_that_fails_is_not_overtaken(db: Database, js: JetStreamContext) -> None:
    """The broker refuses the second fact until it takes larger ones; the third must wait for it."""
    config = (await js.stream_info("CITY")).config
    limit, config.max_msg_size = config.max_msg_size, 2000
    await js.update_stream(config)
    for version in (1, 2, 3):
        tell(db, "a", version, "x" * (5000 if version == 2 else 5))
        tell(db, "b", version)
    async with relaying(db, js) as relay:

        async def first_arrived() -> bool:
            return "a" in versions(await events(js))

        await eventually(first_arrived)
        tell(db, "c", 1)
        await asyncio.sleep(0.5)  # the relay tries again meanwhile
        assert versions(await events(js))["a"] == [1]
        config.max_msg_size = limit
        await js.update_stream(config)
        relay.wake()
        await sent(db)
    assert versions(await events(js)) == {"a": [1, 2, 3], "b": [1, 2, 3], "c": [1]}


async def test_what_was_committed_late_is_not_overtaken(
    db: Database, js: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL gives ids out before commits: a lower one may appear when the reader is beyond it."""
    relay, publish = Relay(db, js, "offers"), Relay._publish

    async def meanwhile(self: Relay, rows: Any, troubles: Any) -> None:
        await publish(self, rows, troubles)
        if not unsent(db) and [row.thing for row in rows] == ["provider.first"]:
            for number, version in ((10, 1), (60, 2)):
                numbered(db, tell(db, "late", version), number)

    monkeypatch.setattr(Relay, "_publish", meanwhile)
    numbered(db, tell(db, "first", 1), 50)
    await relay.drain()
    await relay.drain()
    assert unsent(db) == 0
    events = [await js.get_msg("CITY", sequence) for sequence in (1, 2, 3)]
    versions = [Envelope[ProviderChanged].model_validate_json(each.data or b"").version for each in events]
    assert versions == [1, 1, 2]


def numbered(db: Database, event_id: str, number: int) -> None:
    """Give an event's row this id."""
    with db.transaction() as session:
        session.execute(update(table).where(table.c.event_id == event_id).values(id=number))


async def test_a_fact_that_can_never_be_sent_is_set_aside_and_holds_up_nobody(
    db: Database, js: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "PATIENCE", timedelta())
    monkeypatch.setattr(relay, "POLL_SECONDS", 0.05)
    config = (await js.stream_info("CITY")).config
    config.max_msg_size = 2000
    await js.update_stream(config)
    tell(db, "a", 1)
    tell(db, "a", 2, "x" * 5000)
    tell(db, "b", 1)
    async with relaying(db, js):
        aside = await eventually(lambda: asyncio.to_thread(refusals.listed, db, 10))
        tell(db, "a", 3)
        tell(db, "c", 1)

        async def others_arrived() -> bool:
            return versions(await events(js)) == {"a": [1, 3], "b": [1], "c": [1]}

        await eventually(others_arrived)
    assert "message size exceeds maximum" in aside[0].refused
    assert refusals.try_again(db, [aside[0].id]) == [], "a later fact of the thing stands for it"
    assert refusals.waiting(db) == 1
    assert refusals.give_up(db, [aside[0].id]) == 1
    assert refusals.listed(db, 10) == []


async def test_what_is_set_aside_can_be_sent_once_the_cause_is_gone(
    sqlite: Database, js: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "MAX_FAILURES", 1)
    monkeypatch.setattr(refusals, "PATIENCE", timedelta())
    config = (await js.stream_info("CITY")).config
    limit, config.max_msg_size = config.max_msg_size, 2000
    await js.update_stream(config)
    tell(sqlite, "a", 1, "x" * 5000)
    async with relaying(sqlite, js) as relay:
        aside = await eventually(lambda: asyncio.to_thread(refusals.listed, sqlite, 10))
        config.max_msg_size = limit
        await js.update_stream(config)
        assert refusals.try_again(sqlite, [aside[0].id]) == [aside[0].id]
        relay.wake()
        await sent(sqlite)
    assert versions(await events(js)) == {"a": [1]}


async def test_a_stream_that_is_missing_holds_up_only_its_own_facts(
    sqlite: Database, js: JetStreamContext
) -> None:
    await js.delete_stream("INTERNAL")
    with sqlite.transaction() as session:
        outbox.add(
            session,
            QueryUnanswered(words=["x"], board=None, lang="de", asker="0123456789abcdef"),
            thing_id="q",
            version=1,
        )
    tell(sqlite, "a", 1)
    async with relaying(sqlite, js):

        async def arrived() -> bool:
            return versions(await events(js)) == {"a": [1]}

        await eventually(arrived)
        assert unsent(sqlite) == 1
        await provision(js)
        await sent(sqlite)
    assert refusals.waiting(sqlite) == 0


async def test_nothing_is_sent_while_the_broker_is_away(sqlite: Database, js: JetStreamContext) -> None:
    connected = False
    relay = Relay(sqlite, js, "probe", lambda: connected)
    task = asyncio.create_task(relay.run())
    tell(sqlite, "a", 1)
    await asyncio.sleep(0.2)
    assert unsent(sqlite) == 1
    connected = True
    relay.reconnected()
    await sent(sqlite)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_waves_never_hold_two_facts_of_one_thing() -> None:
    class Row:
        def __init__(self, thing: str) -> None:
            self.thing = thing

    rows = [Row(thing) for thing in "abcabbcdefg"]
    cut = list(waves(rows, 4))  # type: ignore[arg-type]
    assert [row for wave in cut for row in wave] == rows
    assert all(len({row.thing for row in wave}) == len(wave) <= 4 for wave in cut)


async def test_a_killed_broker_gets_everything_once_and_in_order(sqlite: Database, tmp_path: Path) -> None:
    things, last = 100, 30
    with Stack(tmp_path / "stack") as stack:
        stack.start("nats").provision()
        bus = Bus(stack.url("nats"), "probe")
        await bus.start()
        for version in range(1, last + 1):
            with sqlite.transaction() as session:
                for thing in range(things):
                    say(session, f"t{thing}", version)
        async with relaying(sqlite, bus.js) as relay, reconnecting(bus, relay):

            async def some() -> bool:
                return (await bus.js.stream_info("CITY")).state.messages > 200

            await eventually(some)
            stack.kill9("nats")
            assert unsent(sqlite) > 0, "the broker died too late to test anything"
            await asyncio.to_thread(stack.launch, "nats")
            await sent(sqlite)
        found = await events(bus.js)
        await bus.stop()
    assert len(found) == things * last
    assert versions(found) == {f"t{thing}": list(range(1, last + 1)) for thing in range(things)}
    assert max(Counter((m.headers or {})["Nats-Msg-Id"] for m in found).values()) == 1


async def test_what_is_asked_of_another_service_is_internal_and_no_sign_of_a_loss(
    sqlite: Database, js: JetStreamContext
) -> None:
    asked = MessageRequested(recipient_id="r", template="hello", about=Subject(kind="offer", id="o"))
    async with relaying(sqlite, js):
        for number in range(3):  # INTERNAL is now ahead of CITY, whose numbers tell what the broker holds
            with sqlite.transaction() as session:
                outbox.add(session, asked, thing_id=f"m{number}", version=1)
        tell(sqlite, "a", 1)
        await sent(sqlite)
    async with relaying(sqlite, js) as relay:
        await relay.drain()
    internal = await events(js, "INTERNAL")
    assert [one.subject for one in internal] == [
        f"internal.notify.message.requested.v1.m{n}" for n in range(3)
    ]
    assert json.loads(internal[0].data or b"")["source"] == "/probe"
    assert len(await events(js)) == 1
    assert (await js.stream_info("INTERNAL")).state.last_seq == 3


async def test_a_broker_from_an_older_disk_gets_what_it_lacks(sqlite: Database, tmp_path: Path) -> None:
    with Stack(tmp_path / "stack") as stack:
        stack.start("nats").provision()
        store, copy = stack.home.folder / "nats", tmp_path / "copy"
        bus = Bus(stack.url("nats"), "probe")
        await bus.start()
        async with relaying(sqlite, bus.js) as relay, reconnecting(bus, relay):
            tell(sqlite, "a", 1)
            tell(sqlite, "b", 1)
            await sent(sqlite)
            await asyncio.to_thread(stack.stop, "nats")
            shutil.copytree(store, copy)
            await asyncio.to_thread(stack.launch, "nats")
            tell(sqlite, "a", 2)
            await sent(sqlite)
            await asyncio.to_thread(stack.stop, "nats")
            shutil.rmtree(store)
            copy.rename(store)
            await asyncio.to_thread(stack.launch, "nats")

            async def caught_up() -> bool:
                return versions(await events(bus.js)) == {"a": [1, 2], "b": [1]}

            await eventually(caught_up)
        state = {read(m).subject: read(m).version for m in await events(bus.js, "STATE")}
        await bus.stop()
    assert state == {"a": 2, "b": 1}


async def test_of_two_relays_one_works_and_the_other_takes_over(
    database_url: str, js: JetStreamContext, db: Database
) -> None:
    other = Database(database_url, PUBLISHER)
    async with relaying(db, js), relaying(other, js):
        for version in range(1, 21):
            tell(db, "a", version)
            tell(other, "b", version)
        await sent(db)
        found = await events(js)
        assert versions(found) == {thing: list(range(1, 21)) for thing in "ab"}
        with db.reading() as session:
            assert session.execute(text("SELECT count(*) FROM lease")).scalar_one() == 1
    other.dispose()


@pytest.mark.parametrize("clean", [True, False], ids=["stopped", "dead"])
async def test_a_relay_takes_over_from_one_that_is(
    clean: bool, sqlite: Database, js: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "LENGTH", timedelta(seconds=1.5))
    monkeypatch.setattr(lease, "RENEW_BEFORE", timedelta(seconds=1))
    async with relaying(sqlite, js, clean=clean):
        tell(sqlite, "a", 1)
        await sent(sqlite)
    other = Database(str(sqlite.engine.url), PUBLISHER)
    async with relaying(other, js):
        tell(other, "a", 2)
        await sent(other)
    other.dispose()
    assert versions(await events(js)) == {"a": [1, 2]}


async def test_ids_that_commit_out_of_order_are_not_skipped(postgres_url: str, js: JetStreamContext) -> None:
    from tests.servicekit.conftest import migrated

    with new_database(postgres_url) as url:
        for db in migrated(url):
            async with relaying(db, js):
                with db.transaction() as slow:
                    say(slow, "slow", 1)
                    tell(db, "fast", 1)
                    await eventually(lambda: _holds(js, "fast"))
                    assert not await _holds(js, "slow")
                await eventually(lambda: _holds(js, "slow"))


async def _holds(js: JetStreamContext, thing: str) -> bool:
    return thing in versions(await events(js))


async def test_sent_rows_are_kept_for_some_days_and_the_newest_of_a_thing_for_ever(
    sqlite: Database, js: JetStreamContext
) -> None:
    for thing, version in (("old", 1), ("young", 1), ("old", 2)):
        tell(sqlite, thing, version)
    async with relaying(sqlite, js):
        await sent(sqlite)
    old = table.c.thing == "provider.old"
    with sqlite.transaction() as session:
        session.execute(
            update(table).where(old).values(sent_at=now() - KEPT[table.c.sent_at] - timedelta(hours=1))
        )
    retention.clean(sqlite)
    with sqlite.reading() as session:
        left = select(table.c.thing, table.c.version).order_by(table.c.id)
        assert [tuple(row) for row in session.execute(left)] == [("provider.young", 1), ("provider.old", 2)]


async def test_the_relay_waits_for_a_broker_without_streams(sqlite: Database, nats_url: str) -> None:
    client = await nats.connect(nats_url)
    async with relaying(sqlite, client.jetstream()):
        tell(sqlite, "a", 1)
        await asyncio.sleep(0.3)
    assert unsent(sqlite) == 1
    await client.close()


async def test_a_quiet_parent_travels_unrecorded(sqlite: Database, js: JetStreamContext) -> None:
    quiet = spans.quiet(PARENT[:-2] + "01")
    assert quiet == PARENT
    tell(sqlite, "a", 1)
    async with relaying(sqlite, js):
        await sent(sqlite)
    (message,) = await events(js)
    assert (message.headers or {})["traceparent"] == PARENT
