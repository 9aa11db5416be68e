"""Partners on the deployed bus: what each may hear, what the server refuses it, and how it comes and goes."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import nats
import pytest
from nats.errors import Error as NatsError
from nats.js import JetStreamContext, api
from nats.js.errors import BadRequestError, NotFoundError

from cli import partners, register
from cli.errors import Trouble
from libs.contracts import topology
from libs.provision import copies
from libs.provision.partners import MAX_ACK_PENDING, MAX_CONSUMERS, problem, subjects
from tests.deploy.conftest import Broker, Connection
from tests.waiting import eventually

FACT = "city.offers.offer.published.v1"
MAY_NOT_PUBLISH = [
    f"{FACT}.krippe-1",
    "state.offers.offer.krippe-1",
    "internal.notify.message.requested",
    f"internal.replay.search.{FACT}.krippe-1",
    f"dead.search.{FACT}.krippe-1",
    "anything",
    # The way to the originals is the copies' own.
    "copy.CONSUMER.CREATE.CITY",
    "copy.CONSUMER.CREATE.CITY.mine.internal.>",
    "deliver.partners.x",
    "$JS.FC.CITY.x",
    # Streams are not his to make, change, empty or take away, his own neither.
    "$JS.API.STREAM.CREATE.MINE",
    "$JS.API.STREAM.UPDATE.CITY-partner",
    "$JS.API.STREAM.DELETE.CITY-partner",
    "$JS.API.STREAM.PURGE.STATE-partner",
    "$JS.API.STREAM.MSG.DELETE.CITY-partner",
    "$JS.API.STREAM.SNAPSHOT.CITY-partner",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.LIST",
    "$JS.API.STREAM.MSG.GET.CITY-other",
    "$JS.API.DIRECT.GET.CITY-other",
    # Nor are another's streams and consumers.
    "$JS.API.STREAM.INFO.CITY-other",
    "$JS.API.CONSUMER.CREATE.CITY-other",
    "$JS.API.CONSUMER.CREATE.CITY-other.partner",
    "$JS.API.CONSUMER.CREATE.CITY-other.partner.city.>",
    "$JS.API.CONSUMER.DURABLE.CREATE.CITY-other.partner",
    "$JS.API.CONSUMER.LIST.CITY-other",
    "$JS.API.CONSUMER.MSG.NEXT.CITY-other.app",
    "$JS.API.CONSUMER.DELETE.STATE-other.app",
    "$JS.API.CONSUMER.MSG.NEXT.CITY.search",
    "$JS.ACK.CITY-other.app.1.1.1.1.1",
    "$SYS.REQ.SERVER.PING",
]
MAY_NOT_HEAR = [
    *(">", "city.>", "state.>", "internal.>", "dead.>", "deliver.>", "copy.>", "$JS.>", "$SYS.>"),
    *("_INBOX.>", "_INBOX.*", "_INBOX.librarian.>", "_INBOX.other.>"),
]


async def publish(broker: Broker, *subjects: str) -> None:
    """Facts as the offers service publishes them."""
    async with broker.connected("offers") as offers:
        for subject in subjects:
            await offers.client.jetstream().publish(subject, b"{}")


async def read(js: JetStreamContext, stream: str, **options: Any) -> list[str]:
    """The subjects that a consumer brings until there is nothing more."""
    config = api.ConsumerConfig(inactive_threshold=60, **options)
    subscription = await js.pull_subscribe("", stream=stream, config=config)
    pending = (await subscription.consumer_info()).num_pending or 0
    messages = [message for _ in range(pending) for message in await subscription.fetch(1, timeout=5)]
    for message in messages:
        await message.ack_sync()
    await js.delete_consumer(stream, (await subscription.consumer_info()).name)
    return [message.subject for message in messages]


def test_a_partner_hears_the_named_types_from_a_date_on_and_nothing_else(broker: Broker) -> None:
    """In the originals' order, with their times and sequences, whatever filter it asks for."""
    asyncio.run(publish(broker, f"{FACT}.a", "city.offers.board.published.v1.kita", f"{FACT}.b"))
    later = datetime.now(UTC)
    asyncio.run(publish(broker, "city.offers.offer.withdrawn.v1.a", "city.offers.session.moved.v1.s"))
    broker.admit("museum", "offers.offer.*", "offers.session.moved")

    async def scenario() -> None:
        async with broker.connected("museum") as museum, broker.connected("operator") as operator:
            js, newest = museum.client.jetstream(), await operator.last("CITY")

            async def followed() -> bool:
                ends = [await museum.last(f"{stream}-museum") for stream in ("CITY", "STATE")]
                return ends == [newest, newest]

            await eventually(followed)
            everything = await read(js, "CITY-museum")
            assert everything[-2:] == ["city.offers.offer.withdrawn.v1.a", "city.offers.session.moved.v1.s"]
            assert {FACT + ".a", FACT + ".b"} <= set(everything)
            assert not [each for each in everything if ".board." in each]
            for wide in ("city.>", ">", "city.offers.board.>"):
                heard = await read(js, "CITY-museum", filter_subject=wide)
                assert not [each for each in heard if ".board." in each]
            since = {"deliver_policy": api.DeliverPolicy.BY_START_TIME, "opt_start_time": later}
            assert await read(js, "CITY-museum", **since) == everything[-2:]
            assert (await read(js, "STATE-museum"))[-2:] == ["state.offers.offer.a", "state.offers.session.s"]
            assert museum.refused == []
            other = ("CITY", "STATE", "INTERNAL", "CITY-partner")
            for stream in other:
                with pytest.raises(NatsError):
                    await museum.client.jetstream(timeout=0.2).stream_info(stream)

    asyncio.run(scenario())


def test_what_a_partner_may_not_do_is_refused_by_the_server(broker: Broker) -> None:
    async def scenario() -> tuple[list[str], list[str]]:
        async with broker.connected("partner") as partner:
            sent = [each for each in MAY_NOT_PUBLISH if await partner.may_publish(each)]
            return sent, [each for each in MAY_NOT_HEAR if await partner.may_subscribe(each)]

    assert asyncio.run(scenario()) == ([], [])


def test_what_a_partner_has_delivered_elsewhere_does_no_harm(broker: Broker) -> None:
    """A consumer delivers to any subject, whatever its creator may publish: only the account's border stops it."""
    targets = [
        "internal.replay.search.x",
        f"{FACT}.forged",
        "$JS.API.STREAM.PURGE.STATE-partner",
        "$JS.API.CONSUMER.DELETE.STATE-partner.kept",
        "copy.CONSUMER.CREATE.CITY",
    ]

    async def scenario() -> None:
        await publish(broker, f"{FACT}.delivered")
        await broker.alike()
        async with broker.connected("operator") as operator, broker.connected("partner") as partner:
            js = partner.client.jetstream()
            await js.add_consumer("STATE-partner", api.ConsumerConfig(durable_name="kept"))
            await js.add_consumer("CITY-partner", api.ConsumerConfig(durable_name="pulled"))

            async def held() -> list[int]:
                theirs = [await operator.held(stream.name) for stream in topology.STREAMS]
                return [*theirs, await partner.held("STATE-partner"), await partner.held("CITY-partner")]

            before = await held()
            for target in targets:
                next_ = "$JS.API.CONSUMER.MSG.NEXT.CITY-partner.pulled"
                await partner.client.publish(next_, b'{"batch": 1}', reply=target)
                await js.add_consumer("CITY-partner", api.ConsumerConfig(name="push", deliver_subject=target))
                await asyncio.sleep(0.1)
                await js.delete_consumer("CITY-partner", "push")
            assert await held() == before
            for stream, consumer in (("STATE-partner", "kept"), ("CITY-partner", "pulled")):
                await js.delete_consumer(stream, consumer)

    asyncio.run(scenario())


def test_a_partner_has_so_many_consumers_and_so_much_unacknowledged(broker: Broker) -> None:
    async def scenario() -> None:
        async with broker.connected("partner") as partner:
            js = partner.client.jetstream()
            names = [f"n{number}" for number in range(MAX_CONSUMERS)]
            for name in names:
                await js.add_consumer("CITY-partner", api.ConsumerConfig(durable_name=name))
            with pytest.raises(BadRequestError, match="maximum consumers"):
                await js.add_consumer("CITY-partner", api.ConsumerConfig(durable_name="more"))
            greedy = api.ConsumerConfig(durable_name="n0", max_ack_pending=MAX_ACK_PENDING + 1)
            with pytest.raises(BadRequestError, match="max ack pending"):
                await js.add_consumer("CITY-partner", greedy)
            for name in names:
                await js.delete_consumer("CITY-partner", name)

    asyncio.run(scenario())


def test_a_partner_may_use_ordered_consumers(broker: Broker) -> None:
    """They choose names of their own, push, acknowledge nothing, and answer the server's flow control."""

    async def scenario() -> None:
        async with broker.connected("offers") as offers:
            for number in range(200):
                await offers.client.jetstream().publish(f"{FACT}.ordered-{number}", bytes(60_000))
        await broker.alike()
        async with broker.connected("partner") as partner:
            js = partner.client.jetstream()
            subscription = await js.subscribe(f"{FACT}.>", stream="CITY-partner", ordered_consumer=True)
            for _ in range(200):
                assert (await subscription.next_msg(5)).subject.startswith(FACT)
            assert partner.refused == []
            await subscription.unsubscribe()

    asyncio.run(scenario())


async def closed(connection: Connection) -> bool:
    return connection.client.is_closed


def test_partners_come_and_go_while_the_server_runs(broker: Broker) -> None:
    async def scenario() -> None:
        async with broker.connected("offers") as offers, broker.connected("partner") as partner:
            await asyncio.to_thread(broker.admit, "press", "offers.*")
            async with broker.connected("press") as press:
                assert await press.held("CITY-press") >= 0
                await asyncio.to_thread(broker.revoke, "press")
                await eventually(lambda: closed(press), 2)
            with pytest.raises(NatsError):
                await nats.connect(broker.url("press"), allow_reconnect=False, max_reconnect_attempts=0)
            assert offers.client.is_connected
            assert partner.client.is_connected
            async with copies.librarian(broker.url("librarian")) as client:
                with pytest.raises(NotFoundError):
                    await client.jetstream().stream_info("CITY-press")

    asyncio.run(scenario())
    assert not [each for each in register.load(broker.configuration) if each.name == "press"]


def test_a_partner_ends_after_its_last_day(broker: Broker) -> None:
    today = partners.town_day(broker.home)
    broker.admit("guest", "offers.*", until=today)
    partners.settle(broker.home)
    assert "guest" in (broker.configuration / "partners.conf").read_text()

    yesterday = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()
    known = register.load(broker.configuration)
    aged = [replace(each, until=yesterday) if each.name == "guest" else each for each in known]
    register.save(broker.configuration, aged)
    partners.settle(broker.home)
    assert "guest" not in (broker.configuration / "partners.conf").read_text()
    assert [each.name for each in aged if each.name != "guest"] == [
        each.name for each in register.load(broker.configuration)
    ]
    with pytest.raises(Trouble, match="has passed"):
        partners.add(broker.home, "guest", ["offers.*"], yesterday)


def test_the_two_copies_that_all_partners_once_read_go(broker: Broker) -> None:
    async def copied() -> set[str]:
        async with copies.librarian(broker.url("librarian")) as client:
            js = client.jetstream()
            await js.add_stream(api.StreamConfig(name="CITY", mirror=api.StreamSource(name="CITY-partner")))
            await asyncio.to_thread(partners.settle, broker.home, every=True)
            return {str(each.config.name) for each in await js.streams_info()}

    left = asyncio.run(copied())
    assert "CITY" not in left
    assert {"CITY-partner", "STATE-partner"} <= left


def test_operators_see_how_far_a_partner_is(broker: Broker) -> None:
    broker.admit("library", "offers.*")

    async def hear(number: int) -> None:
        async with broker.connected("library") as library:
            js = library.client.jetstream()
            subscription = await js.pull_subscribe("", "app", "CITY-library")
            for message in await subscription.fetch(number, timeout=5):
                await message.ack_sync()

    asyncio.run(publish(broker, *(f"{FACT}.seen-{number}" for number in range(3))))
    [before] = [each for each in partners.listed(broker.home) if each["name"] == "library"]
    assert (before["consumers"], before["last_active"]) == ([], None)
    asyncio.run(hear(1))
    [after] = [each for each in partners.listed(broker.home) if each["name"] == "library"]
    assert after["pending"] >= 2
    assert datetime.now(UTC) - after["last_active"] < timedelta(minutes=1)
    assert [each["consumer"] for each in after["consumers"]] == ["app"]
    assert "password" not in json.dumps(after, default=str)


def test_a_second_partner_of_a_name_and_names_of_others_are_refused(broker: Broker) -> None:
    for name in ("partner", "offers", "librarian", "town", "A", "a.b", "a*", ""):
        with pytest.raises(Trouble):
            partners.add(broker.home, name, ["offers.*"], None)


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        (["*"], ["city.>"]),
        (["offers.*", "offers.offer.*"], ["city.offers.>"]),
        (["de.coburg.offers.offer.published.v1"], [f"{FACT}.>"]),
        (["search.*", "offers.offer.published"], ["city.offers.offer.published.>", "city.search.>"]),
    ],
)
def test_types_are_subjects(types: list[str], expected: list[str]) -> None:
    assert problem("museum", types) is None
    assert subjects(types) == expected


@pytest.mark.parametrize(
    "wrong", ["offers", "offers.>", "*.offer.*", "notify.message.requested", "", "offer.*"]
)
def test_what_is_no_public_type_is_refused(wrong: str) -> None:
    assert problem("museum", [wrong])
