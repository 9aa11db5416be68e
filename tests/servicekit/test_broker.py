"""Listening on a real server: done once, tried again, waited out, or dead with the reason; never lost."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from sqlmodel import Session, func, select

from libs.contracts import topology
from libs.contracts.event import Envelope, envelope
from libs.contracts.offers import ProviderChanged
from libs.contracts.topology import Listener
from libs.httpkit.app import Kit
from libs.provision.streams import provision
from libs.servicekit import broker, inbox
from libs.servicekit.broker import Bus, Transient, fact_of, listen
from libs.servicekit.db import Database, now
from tests.servicekit.conftest import Probe, migrated, problem, settings
from tests.servicekit.probe.service import Note
from tests.servicekit.test_outbox import events
from tests.stack import Stack, new_database
from tests.streams import fresh_streams
from tests.waiting import eventually, until

pytestmark = pytest.mark.anyio
EAR = Listener("probe", ("city.offers.>",))
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture(autouse=True)
def _durables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The probe's listener stands in the topology, and a failed event comes back at once."""
    monkeypatch.setattr(topology, "CONSUMERS", EAR.durables)
    monkeypatch.setattr(broker, "MAX_DELAY_SECONDS", 0.05)


def body(thing: str, event_id: str | None = None) -> bytes:
    return envelope(
        ProviderChanged(title={"de": thing}),
        event_id=event_id or thing,
        subject=thing,
        version=1,
        time=now(),
        prefix="de.coburg",
        schema_base="http://x",
        traceparent=TRACE,
    ).to_bytes()


async def publish(js: JetStreamContext, thing: str, data: bytes | None = None, event_id: str = "") -> None:
    headers = {"Nats-Msg-Id": event_id or thing, "traceparent": TRACE}
    subject = f"city.{ProviderChanged.name}.{thing}"
    await js.publish(subject, body(thing) if data is None else data, headers=headers)


class Ear:
    """A handler that notes what it hears and fails as long as it is told to."""

    def __init__(self, db: Database | None = None) -> None:
        self.db, self.heard, self.at = db, list[str](), list[float]()
        self.errors: dict[str, list[Exception]] = {}

    def __call__(self, event: Envelope[Any]) -> None:
        self.heard.append(event.subject)
        self.at.append(time.monotonic())
        if errors := self.errors.get(event.subject):
            raise errors.pop(0) if len(errors) > 1 else errors[0]
        if self.db is None:
            return
        with self.db.transaction() as session:
            if inbox.first_time(session, EAR.name, event.id):
                session.add(Note(text=event.subject))

    async def has_heard(self, count: int) -> list[str]:
        async def enough() -> bool:
            return len(self.heard) >= count

        await eventually(enough)
        return self.heard


@asynccontextmanager
async def hearing(bus: Bus, ear: Ear) -> AsyncIterator[Ear]:
    """The handler on a started bus."""
    listen(bus, EAR)(ear)
    await bus.start()
    yield ear


async def pending(js: JetStreamContext, durable: str = EAR.name, stream: str = "CITY") -> int:
    """What a durable still has to deliver or to see acknowledged."""
    info = await js.consumer_info(stream, durable)
    return (info.num_pending or 0) + (info.num_ack_pending or 0)


async def settled(js: JetStreamContext, durable: str = EAR.name) -> None:
    async def none_left() -> bool:
        return await pending(js, durable) == 0

    await eventually(none_left, 30)


async def dead(js: JetStreamContext) -> list[RawStreamMsg]:
    return await events(js, "DEAD")


def notes(db: Database) -> int:
    with db.reading() as session:
        return session.exec(select(func.count()).select_from(Note)).one()


async def test_an_effect_happens_once_however_often_it_is_delivered(
    db: Database, bus: Bus, js: JetStreamContext
) -> None:
    async with hearing(bus, Ear(db)) as ear:
        for copy in range(10):
            await publish(js, "a", event_id=f"copy{copy}")  # other message, same event
        await publish(js, "b")
        await ear.has_heard(11)
        await settled(js)
    assert notes(db) == 2
    assert not await dead(js)


async def test_an_event_is_acknowledged_only_after_its_transaction(
    sqlite: Database, bus: Bus, js: JetStreamContext
) -> None:
    ear = Ear(sqlite)
    async with hearing(bus, ear):
        with sqlite.transaction():  # holds the write lock: the handler's transaction cannot end
            await publish(js, "a")
            await ear.has_heard(1)
            assert await pending(js) == 1
        await settled(js)
    assert notes(sqlite) == 1


async def test_a_failing_event_is_tried_again_later_each_time(
    bus: Bus, js: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "MAX_DELAY_SECONDS", 60)
    ear = Ear()
    ear.errors["a"] = [ValueError("1"), ValueError("2"), ValueError("for good")]
    async with hearing(bus, ear):
        await publish(js, "a")
        await ear.has_heard(3)
    first, second = ear.at[1] - ear.at[0], ear.at[2] - ear.at[1]
    assert first >= 0.9
    assert second > first * 1.5


async def test_what_cannot_be_handled_is_dead_with_the_reason(bus: Bus, js: JetStreamContext) -> None:
    ear = Ear()
    ear.errors["a"] = [KeyError("no\nsuch board")]
    async with hearing(bus, ear):
        await publish(js, "a")
        await publish(js, "b")
        await settled(js)
        (letter,) = await dead(js)
        assert (await js.stream_info("CITY")).state.messages == 2, "a dead letter stays in CITY"
    assert ear.heard.count("a") == broker.MAX_ATTEMPTS
    assert letter.subject == f"dead.probe.city.{ProviderChanged.name}.a"
    assert broker.parse(letter.data or b"", f"city.{ProviderChanged.name}.a").subject == "a"
    headers = letter.headers or {}
    assert headers["traceparent"] == TRACE
    assert headers["Nats-Msg-Id"] == "probe:CITY:1"
    assert headers["Coburg-Reason"] == "'no\\nsuch board'"
    assert headers["Coburg-Exception"].startswith("KeyError at test_broker.py:")
    assert headers["Coburg-Attempts"] == str(broker.MAX_ATTEMPTS)
    assert headers["Coburg-Consumer"] == "probe"
    assert headers["Coburg-Subject"] == f"city.{ProviderChanged.name}.a"
    assert headers["Coburg-Stream"] == "CITY"
    assert headers["Coburg-Sequence"] == "1"
    assert headers["Coburg-Time"].startswith("20")


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xfe", b'{"specversion":"1.0"}'])
async def test_a_body_that_is_no_event_is_dead_at_once(data: bytes, bus: Bus, js: JetStreamContext) -> None:
    async with hearing(bus, Ear()) as ear:
        await publish(js, "bad", data)
        await publish(js, "good")
        await settled(js)
    assert ear.heard == ["good"]
    (letter,) = await dead(js)
    assert (letter.headers or {})["Coburg-Attempts"] == "1"
    assert (letter.headers or {})["Coburg-Exception"].startswith("Malformed")
    assert (letter.data or b"") == data


async def test_a_handler_that_finds_an_event_malformed_buries_it_at_once(
    bus: Bus, js: JetStreamContext
) -> None:
    ear = Ear()
    ear.errors["a"] = [broker.Malformed("no such thing")]
    async with hearing(bus, ear):
        await publish(js, "a")
        await settled(js)
    assert ear.heard == ["a"]
    assert len(await dead(js)) == 1


async def test_what_is_transient_waits_however_long(bus: Bus, js: JetStreamContext) -> None:
    ear = Ear()
    ear.errors["a"] = [Transient("engine away")]
    async with hearing(bus, ear):
        await publish(js, "a")
        await ear.has_heard(broker.MAX_ATTEMPTS * 2)
        ear.errors.clear()
        await settled(js)
    assert not await dead(js)


async def test_an_absent_database_is_waited_out(postgres_url: str, bus: Bus, js: JetStreamContext) -> None:
    with new_database(postgres_url) as url:
        for db in migrated(url):
            ear = Ear(db)
            async with hearing(bus, ear):
                close(postgres_url, url)
                await publish(js, "a")
                await ear.has_heard(broker.MAX_ATTEMPTS + 2)
                admit(postgres_url, url)
                await settled(js)
            assert notes(db) == 1
    assert not await dead(js)


def close(server: str, url: str) -> None:
    """Let nobody into a database, and throw out who is in."""
    name = url.partition("?")[0].rpartition("/")[2]
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'.encode())
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )


def admit(server: str, url: str) -> None:
    """Open the database again."""
    name = url.partition("?")[0].rpartition("/")[2]
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'.encode())


async def test_a_replayed_letter_reaches_its_listener_alone(bus: Bus, js: JetStreamContext) -> None:
    async with hearing(bus, Ear()) as ear:
        subject = f"{topology.replay_subject(EAR.name)}.city.{ProviderChanged.name}.a"
        await js.publish(subject, body("a"), headers={"traceparent": TRACE})
        await ear.has_heard(1)

        async def acknowledged() -> bool:
            return await pending(js, "probe-replay", "INTERNAL") == 0

        await eventually(acknowledged)
    assert ear.heard == ["a"]
    assert not await events(js), "a replay must not appear among the public facts"


async def test_a_replayed_letter_that_fails_again_is_dead_under_its_first_subject(
    bus: Bus, js: JetStreamContext
) -> None:
    ear = Ear()
    ear.errors["a"] = [ValueError("still")]
    async with hearing(bus, ear):
        original = f"city.{ProviderChanged.name}.a"
        await js.publish(f"{topology.replay_subject(EAR.name)}.{original}", body("a"))

        async def buried() -> list[RawStreamMsg]:
            return await dead(js)

        (letter,) = await eventually(buried)
    assert letter.subject == f"dead.probe.{original}"


async def test_listening_goes_on_after_the_broker_was_killed(tmp_path: Path) -> None:
    with Stack(tmp_path / "stack") as stack:
        stack.start("nats")
        bus = Bus(settings(nats_url=stack.url("nats")))
        ear = Ear()
        listen(bus, EAR)(ear)
        await bus.broker.connect()
        await provision(bus.js)
        await bus.start()
        await publish(bus.js, "before")
        await ear.has_heard(1)
        stack.kill9("nats")
        await asyncio.to_thread(stack.launch, "nats")

        async def back() -> bool:
            return bus.connected

        await eventually(back)
        await publish(bus.js, "after")

        async def heard() -> bool:
            return "after" in ear.heard

        await eventually(heard)
        await bus.stop()


def test_a_deleted_durable_is_named_by_readiness(_durables: None, streams: None, start: Probe) -> None:
    client = start(app={"listeners": [EAR]})
    until(lambda: client.get("/health/ready").status_code == 200)
    kit: Kit = client.app.state.kit  # type: ignore[attr-defined]
    assert client.portal
    client.portal.call(kit.bus.js.delete_consumer, "CITY", EAR.name)
    told = problem(client.get("/health/ready"), 503)
    assert f"consumer {EAR.name}" in told["detail"]
    assert f"{EAR.name}-replay" not in told["detail"]


def test_an_apps_ear_hears_all_its_subjects_each_event_once(
    monkeypatch: pytest.MonkeyPatch, start: Probe, nats_url: str, database_url: str
) -> None:
    both = Listener("ears", ("city.offers.provider.>", "city.offers.board.>"))
    monkeypatch.setattr(topology, "CONSUMERS", both.durables)
    asyncio.run(fresh_streams(nats_url))

    def note(session: Session, event: Envelope[Any]) -> None:
        session.add(Note(text=event.subject))

    client = start(database_url, app={"ears": [inbox.Ear(both, note)]})
    kit: Kit = client.app.state.kit  # type: ignore[attr-defined]
    until(lambda: client.get("/health/ready").status_code == 200)
    assert client.portal
    for message in ("one", "two"):  # two messages to the broker, one event
        client.portal.call(publish, kit.bus.js, "a", body("a", "same"), message)
    client.portal.call(kit.bus.js.publish, "city.offers.board.changed.v9.b", body("b"))

    def heard() -> list[str]:
        with kit.database.reading() as session:
            return sorted(session.exec(select(Note.text)))

    until(lambda: len(heard()) >= 2)
    client.portal.call(settled, kit.bus.js, "ears")
    assert heard() == ["a", "b"]


def test_an_event_of_a_newer_service_is_still_read() -> None:
    assert fact_of(f"city.{ProviderChanged.name}.x") is ProviderChanged
    assert fact_of("city.zoo.animal.born.v1.x").name == ""
    unknown = b'"type":"de.coburg.zoo.animal.born.v1"'
    known = body("a").replace(b'"type":"de.coburg.offers.provider.changed.v1"', unknown)
    assert broker.parse(known, "city.zoo.animal.born.v1.a").subject == "a"
