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
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, func, select

from libs.bus.connection import Bus
from libs.contracts import topology
from libs.contracts.event import Envelope, envelope
from libs.contracts.offers import ProviderChanged
from libs.contracts.topology import Listener
from libs.provision.streams import provision
from libs.servicekit import delivery, inbox, subscriptions
from libs.servicekit.db import Database, now
from libs.servicekit.delivery import HANDLED, Cover, InvalidEvent, fact_of, parse, reason_of
from libs.servicekit.kit import Job, Kit
from libs.servicekit.outages import Transient
from libs.servicekit.runtime import keep_running
from libs.servicekit.subscriptions import Subscription
from tests.publishing.test_relay import events
from tests.servicekit.conftest import Probe, migrated, problem, settings
from tests.servicekit.probe.service import Note
from tests.stack import Stack, new_database
from tests.streams import fresh_streams
from tests.waiting import eventually, until

pytestmark = pytest.mark.anyio
LISTENER = Listener("probe", ("city.offers.>",))
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture(autouse=True)
def _durables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The probe's listener stands in the topology, and a failed event comes back at once."""
    monkeypatch.setattr(topology, "CONSUMERS", LISTENER.durables)
    monkeypatch.setattr(delivery, "MAX_DELAY_SECONDS", 0.05)
    monkeypatch.setattr(subscriptions, "LONGEST_PAUSE_SECONDS", 0.05)


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


class Recorder:
    """A handler that notes what it hears and fails as long as it is told to."""

    def __init__(self, db: Database) -> None:
        self.db, self.handled, self.at = db, list[str](), list[float]()
        self.errors: dict[str, list[Exception]] = {}

    def __call__(self, session: Session, kit: Kit, event: Envelope[Any]) -> None:
        assert kit.db is self.db
        self.handled.append(event.subject)
        self.at.append(time.monotonic())
        if errors := self.errors.get(event.subject):
            raise errors.pop(0) if len(errors) > 1 else errors[0]
        session.add(Note(text=event.subject))

    async def has_handled(self, count: int) -> list[str]:
        async def enough() -> bool:
            return len(self.handled) >= count

        await eventually(enough)
        return self.handled


@asynccontextmanager
async def subscribed(bus: Bus, recorder: Recorder, cover: Cover | None = None) -> AsyncIterator[Recorder]:
    """The handler on a started bus."""
    kit = Kit(settings(), bus, recorder.db)
    await bus.start()
    async with running(
        kit, *subscriptions.jobs(Subscription(LISTENER, recorder, (lambda _: cover) if cover else None))
    ):
        yield recorder


@asynccontextmanager
async def running(kit: Kit, *jobs: Job) -> AsyncIterator[None]:
    """Jobs side by side, as the service would run them."""
    tasks = [asyncio.create_task(keep_running(kit, job)) for job in jobs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def pending(js: JetStreamContext, durable: str = LISTENER.name, stream: str = "CITY") -> int:
    """What a durable still has to deliver or to see acknowledged."""
    info = await js.consumer_info(stream, durable)
    return (info.num_pending or 0) + (info.num_ack_pending or 0)


async def settled(js: JetStreamContext, durable: str = LISTENER.name, stream: str = "CITY") -> None:
    async def none_left() -> bool:
        return await pending(js, durable, stream) == 0

    await eventually(none_left, 30)


async def delivered(js: JetStreamContext) -> None:
    async def on_its_way() -> bool:
        return bool((await js.consumer_info("CITY", LISTENER.name)).num_ack_pending)

    await eventually(on_its_way)


def retried() -> float:
    """How often an event was given back, so far."""
    return float(HANDLED.labels(LISTENER.name, "retry")._value.get())


async def tried_again(times: float) -> None:
    async def enough() -> bool:
        return retried() >= times

    await eventually(enough)


async def dead(js: JetStreamContext) -> list[RawStreamMsg]:
    return await events(js, "DEAD")


def notes(db: Database) -> int:
    with db.reading() as session:
        return session.exec(select(func.count()).select_from(Note)).one()


async def test_an_effect_happens_once_however_often_it_is_delivered(
    db: Database, bus: Bus, js: JetStreamContext
) -> None:
    async with subscribed(bus, Recorder(db)) as recorder:
        for copy in range(10):
            await publish(js, "a", event_id=f"copy{copy}")  # other message, same event
        await publish(js, "b")
        await settled(js)
    assert sorted(recorder.handled) == ["a", "b"]
    assert notes(db) == 2
    assert not await dead(js)


async def test_an_event_is_acknowledged_only_after_its_transaction(
    sqlite: Database, bus: Bus, js: JetStreamContext
) -> None:
    recorder = Recorder(sqlite)
    async with subscribed(bus, recorder):
        with sqlite.transaction():  # holds the write lock: the handler's transaction cannot end
            await publish(js, "a")
            await delivered(js)
            await asyncio.sleep(0.1)
            assert await pending(js) == 1
        await settled(js)
    assert notes(sqlite) == 1


async def test_a_failing_event_is_tried_again_later_each_time(
    bus: Bus, js: JetStreamContext, sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "MAX_DELAY_SECONDS", 60)
    recorder = Recorder(sqlite)
    recorder.errors["a"] = [ValueError("1"), ValueError("2"), ValueError("for good")]
    async with subscribed(bus, recorder):
        await publish(js, "a")
        await recorder.has_handled(3)
    first, second = recorder.at[1] - recorder.at[0], recorder.at[2] - recorder.at[1]
    assert first >= 0.9
    assert second > first * 1.5


async def test_what_cannot_be_handled_is_dead_with_the_reason(
    bus: Bus, js: JetStreamContext, sqlite: Database
) -> None:
    recorder = Recorder(sqlite)
    recorder.errors["a"] = [KeyError("no\nsuch board")]
    async with subscribed(bus, recorder):
        await publish(js, "a")
        await publish(js, "b")
        await settled(js)
        (letter,) = await dead(js)
        assert (await js.stream_info("CITY")).state.messages == 2, "a dead letter stays in CITY"
    assert recorder.handled.count("a") == delivery.MAX_ATTEMPTS
    assert letter.subject == f"dead.probe.city.{ProviderChanged.name}.a"
    assert delivery.parse(letter.data or b"", f"city.{ProviderChanged.name}.a").subject == "a"
    headers = letter.headers or {}
    assert headers["traceparent"] == TRACE
    assert headers["Nats-Msg-Id"] == "probe:CITY:1"
    assert headers["Coburg-Reason"] == "'no\\nsuch board'"
    assert headers["Coburg-Exception"].startswith("KeyError at test_subscriptions.py:")
    assert headers["Coburg-Attempts"] == str(delivery.MAX_ATTEMPTS)
    assert headers["Coburg-Consumer"] == "probe"
    assert headers["Coburg-Subject"] == f"city.{ProviderChanged.name}.a"
    assert headers["Coburg-Stream"] == "CITY"
    assert headers["Coburg-Sequence"] == "1"
    assert headers["Coburg-Time"].startswith("20")


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xfe", b'{"specversion":"1.0"}'])
async def test_a_body_that_is_no_event_is_dead_at_once(
    data: bytes, bus: Bus, js: JetStreamContext, sqlite: Database
) -> None:
    async with subscribed(bus, Recorder(sqlite)) as recorder:
        await publish(js, "bad", data)
        await publish(js, "good")
        await settled(js)
    assert recorder.handled == ["good"]
    (letter,) = await dead(js)
    assert (letter.headers or {})["Coburg-Attempts"] == "1"
    assert (letter.headers or {})["Coburg-Exception"].startswith("InvalidEvent")
    assert (letter.data or b"") == data


async def test_a_handler_that_finds_an_event_malformed_buries_it_at_once(
    bus: Bus, js: JetStreamContext, sqlite: Database
) -> None:
    recorder = Recorder(sqlite)
    recorder.errors["a"] = [delivery.InvalidEvent("no such thing")]
    async with subscribed(bus, recorder):
        await publish(js, "a")
        await settled(js)
    assert recorder.handled == ["a"]
    assert len(await dead(js)) == 1


async def test_what_is_transient_waits_however_long(bus: Bus, js: JetStreamContext, sqlite: Database) -> None:
    recorder = Recorder(sqlite)
    recorder.errors["a"] = [Transient("engine away")]
    async with subscribed(bus, recorder):
        await publish(js, "a")
        await recorder.has_handled(delivery.MAX_ATTEMPTS * 2)
        recorder.errors.clear()
        await settled(js)
    assert not await dead(js)


async def test_an_absent_database_is_waited_out(postgres_url: str, bus: Bus, js: JetStreamContext) -> None:
    with new_database(postgres_url) as url:
        for db in migrated(url):
            recorder = Recorder(db)
            async with subscribed(bus, recorder):
                close(postgres_url, url)
                enough = retried() + delivery.MAX_ATTEMPTS + 2
                await publish(js, "a")
                await tried_again(enough)
                admit(postgres_url, url)
                await settled(js)
            assert notes(db) == 1
    assert not await dead(js)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT no_such_column FROM note",
        "SELECT * FROM no_such_table",
        "SELEKT 1",
        "INSERT INTO note (id, text, version, at) VALUES (1, NULL, 1, NULL)",
    ],
    ids=["column", "table", "syntax", "integrity"],
)
async def test_a_bug_in_a_statement_is_dead_after_few_attempts(
    statement: str, db: Database, bus: Bus, js: JetStreamContext
) -> None:
    def wrong(session: Session, _kit: Kit, _event: Envelope[Any]) -> None:
        session.execute(text(statement))

    await bus.start()
    async with running(Kit(settings(), bus, db), *subscriptions.jobs(Subscription(LISTENER, wrong))):
        await publish(js, "a")
        await settled(js)
    (letter,) = await dead(js)
    assert (letter.headers or {})["Coburg-Attempts"] == str(delivery.MAX_ATTEMPTS)


async def test_a_locked_database_is_waited_out(
    sqlite: Database, bus: Bus, js: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    @event.listens_for(sqlite.engine, "connect")
    def impatient(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA busy_timeout=1")

    sqlite.engine.dispose()
    another_process = Database(str(sqlite.engine.url))
    async with subscribed(bus, Recorder(sqlite)):
        with another_process.transaction():
            enough = retried() + delivery.MAX_ATTEMPTS + 2
            await publish(js, "a")
            await tried_again(enough)
        await settled(js)
    another_process.dispose()
    assert notes(sqlite) == 1
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


async def test_a_replayed_letter_reaches_its_listener_alone(
    bus: Bus, js: JetStreamContext, sqlite: Database
) -> None:
    async with subscribed(bus, Recorder(sqlite)) as recorder:
        subject = f"{topology.replay_subject(LISTENER.name)}.city.{ProviderChanged.name}.a"
        await js.publish(subject, body("a"), headers={"traceparent": TRACE})
        await recorder.has_handled(1)

        async def acknowledged() -> bool:
            return await pending(js, "probe-replay", "INTERNAL") == 0

        await eventually(acknowledged)
    assert recorder.handled == ["a"]
    assert not await events(js), "a replay must not appear among the public facts"


async def test_a_covered_letter_tells_nobody_its_body_and_is_read_when_it_comes_back(
    bus: Bus, js: JetStreamContext, sqlite: Database
) -> None:
    def turned(data: bytes) -> bytes:
        return data[::-1]

    recorder = Recorder(sqlite)
    recorder.errors["a"] = [InvalidEvent("the first time")]
    original = f"city.{ProviderChanged.name}.a"
    async with subscribed(bus, recorder, Cover(turned, turned)):
        await publish(js, "a")

        async def dead_letters() -> list[RawStreamMsg]:
            return await dead(js)

        (letter,) = await eventually(dead_letters)
        assert (letter.data or b"").startswith(b"covered:")
        assert b'"specversion"' not in (letter.data or b"")
        recorder.errors.clear()
        await js.publish(f"{topology.replay_subject(LISTENER.name)}.{original}", letter.data or b"")
        await recorder.has_handled(2)
        await settled(js, "probe-replay", "INTERNAL")


async def test_a_replayed_letter_that_fails_again_is_dead_under_its_first_subject(
    bus: Bus, js: JetStreamContext, sqlite: Database
) -> None:
    recorder = Recorder(sqlite)
    recorder.errors["a"] = [ValueError("still")]
    async with subscribed(bus, recorder):
        original = f"city.{ProviderChanged.name}.a"
        await js.publish(f"{topology.replay_subject(LISTENER.name)}.{original}", body("a"))

        async def dead_letters() -> list[RawStreamMsg]:
            return await dead(js)

        (letter,) = await eventually(dead_letters)
    assert letter.subject == f"dead.probe.{original}"


async def test_listening_goes_on_after_the_broker_was_killed(tmp_path: Path, sqlite: Database) -> None:
    with Stack(tmp_path / "stack") as stack:
        stack.start("nats")
        bus = Bus(stack.url("nats"), "probe")
        await bus.start()
        await provision(bus.js)
        async with subscribed(bus, Recorder(sqlite)) as recorder:
            await publish(bus.js, "before")
            await recorder.has_handled(1)
            stack.kill9("nats")
            await asyncio.to_thread(stack.launch, "nats")
            await bus.standing()
            await publish(bus.js, "after")

            async def handled() -> bool:
                return "after" in recorder.handled

            await eventually(handled)
        await bus.stop()


def test_a_deleted_durable_is_named_by_readiness(_durables: None, streams: None, start: Probe) -> None:
    client = start(app={"listeners": [LISTENER]})
    until(lambda: client.get("/health/ready").status_code == 200)
    kit: Kit = client.app.state.kit  # type: ignore[attr-defined]
    assert client.portal
    client.portal.call(kit.bus.js.delete_consumer, "CITY", LISTENER.name)
    told = problem(client.get("/health/ready"), 503)
    assert f"consumer {LISTENER.name}" in told["detail"]
    assert f"{LISTENER.name}-replay" not in told["detail"]


def test_an_apps_subscription_handles_all_its_subjects_each_event_once(
    monkeypatch: pytest.MonkeyPatch, start: Probe, nats_url: str, database_url: str
) -> None:
    both = Listener("ears", ("city.offers.provider.>", "city.offers.board.>"))
    monkeypatch.setattr(topology, "CONSUMERS", both.durables)
    asyncio.run(fresh_streams(nats_url))

    def note(session: Session, _kit: Kit, event: Envelope[Any]) -> None:
        session.add(Note(text=event.subject))

    client = start(database_url, app={"subscriptions": [Subscription(both, note)]})
    kit: Kit = client.app.state.kit  # type: ignore[attr-defined]
    until(lambda: client.get("/health/ready").status_code == 200)
    assert client.portal
    for message in ("one", "two"):  # two messages to the broker, one event
        client.portal.call(publish, kit.bus.js, "a", body("a", "same"), message)
    newer = body("b").replace(b"offers.provider.changed.v1", b"offers.board.changed.v9")
    client.portal.call(kit.bus.js.publish, "city.offers.board.changed.v9.b", newer)

    def handled() -> list[str]:
        with kit.database.reading() as session:
            return sorted(session.exec(select(Note.text)))

    until(lambda: len(handled()) >= 2)
    client.portal.call(settled, kit.bus.js, "ears")
    assert handled() == ["a", "b"]


def test_a_read_model_never_goes_back(db: Database) -> None:
    steps = [("a", 2, True), ("a", 1, False), ("a", 2, False), ("a", 3, True), ("b", 1, True)]
    with db.transaction() as session:
        assert [inbox.newer(session, "probe", thing, version) for thing, version, _ in steps] == [
            expected for *_, expected in steps
        ]
    with db.transaction() as session:
        assert not inbox.newer(session, "probe", "a", 3)
        assert inbox.newer(session, "other", "a", 1)


def test_an_event_of_a_newer_service_is_still_read() -> None:
    assert fact_of(f"city.{ProviderChanged.name}.x") is ProviderChanged
    assert fact_of("city.zoo.animal.born.v1.x").name == ""
    unknown = b'"type":"de.coburg.zoo.animal.born.v1"'
    known = body("a").replace(b'"type":"de.coburg.offers.provider.changed.v1"', unknown)
    assert delivery.parse(known, "city.zoo.animal.born.v1.a").subject == "a"


@pytest.mark.parametrize(
    "subject",
    [
        "city.offers.provider.changed.v1.b",
        "city.offers.board.changed.v1.a",
        "city.offers.provider.withdrawn.v1.a",
    ],
)
def test_an_event_under_a_foreign_subject_is_none(subject: str) -> None:
    own = body("a")
    assert parse(own, f"city.{ProviderChanged.name}.a").subject == "a"
    assert parse(own, f"internal.replay.ears.city.{ProviderChanged.name}.a").subject == "a"
    with pytest.raises(InvalidEvent):
        parse(own, subject)


def test_reasons_name_no_values(db: Database) -> None:
    with pytest.raises(DBAPIError) as failed, db.transaction() as session:
        session.execute(
            text("INSERT INTO lease (name, holder) VALUES (:name, :holder)"),
            {"name": "Mia", "holder": "Muster"},
        )
    with pytest.raises(InvalidEvent) as refused:
        parse(b'{"specversion": "Mia Muster"}', f"city.{ProviderChanged.name}.a")
    for said in (
        str(failed.value.__class__),
        reason_of(failed.value),
        reason_of(refused.value),
        repr(refused.value),
    ):
        assert said
        assert "Mia" not in said
        assert "Muster" not in said
    assert "[SQL parameters hidden" in str(failed.value)
