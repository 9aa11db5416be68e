"""Provisioning on a real server: STATE keeps the newest fact, repetition changes nothing, changes are taken over."""

import asyncio
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from nats.js import JetStreamContext
from nats.js.api import StreamState

from libs.contracts import topology
from libs.contracts.search import ResultRated
from libs.provision.streams import provision
from libs.servicekit.db import Database
from tests.publishing.test_relay import events, relaying, sent, tell
from tests.stack import Stack
from tests.waiting import eventually

pytestmark = pytest.mark.anyio


async def state(js: JetStreamContext, stream: str) -> StreamState:
    return (await js.stream_info(stream)).state


async def test_state_holds_the_newest_fact_of_every_thing(sqlite: Database, js: JetStreamContext) -> None:
    async with relaying(sqlite, js):
        for version in (1, 2, 3):
            tell(sqlite, "a", version)
        tell(sqlite, "b", 1)
        await sent(sqlite)

    async def sourced() -> bool:
        return (await js.stream_info("STATE")).state.last_seq == 4

    await eventually(sourced)
    newest = await js.get_last_msg("STATE", "state.offers.provider.a")
    assert newest.data == (await events(js))[2].data
    assert (await state(js, "STATE")).messages == 2
    assert (await state(js, "CITY")).messages == 4


async def test_provisioning_again_changes_and_loses_nothing(sqlite: Database, js: JetStreamContext) -> None:
    async with relaying(sqlite, js):
        tell(sqlite, "a", 1)
        await sent(sqlite)
    subscription = await js.pull_subscribe_bind("search", "CITY")
    (message,) = await subscription.fetch(1, 5)
    await message.ack_sync()
    before = [info.config for info in await js.streams_info()]
    assert set(await provision(js)) >= {"CITY", "STATE", "INTERNAL", "DEAD", "search", "search-replay"}
    assert [info.config for info in await js.streams_info()] == before
    assert (await state(js, "CITY")).messages == 1
    consumer = await js.consumer_info("CITY", "search")
    assert consumer.ack_floor is not None
    assert consumer.ack_floor.stream_seq == 1, "the consumer started anew"


async def test_a_changed_consumer_is_updated_where_it_stands(
    sqlite: Database, js: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with relaying(sqlite, js):
        tell(sqlite, "a", 1)
        await sent(sqlite)
    subscription = await js.pull_subscribe_bind("search", "CITY")
    await (await subscription.fetch(1, 5))[0].ack_sync()
    changed = tuple(
        replace(each, filters=("city.offers.>", "city.retail.>"), ack_wait=12.0)
        if each.durable == "search"
        else each
        for each in topology.CONSUMERS
    )
    monkeypatch.setattr(topology, "CONSUMERS", changed)
    await provision(js)
    info = await js.consumer_info("CITY", "search")
    assert info.config.filter_subjects == ["city.offers.>", "city.retail.>"]
    assert info.config.ack_wait == 12
    assert info.delivered is not None
    assert info.delivered.stream_seq == 1


async def test_a_changed_stream_keeps_its_events(
    sqlite: Database, js: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with relaying(sqlite, js):
        tell(sqlite, "a", 1)
        await sent(sqlite)
    longer = replace(topology.CITY, duplicate_window=20 * topology.MINUTE)
    monkeypatch.setattr(topology, "STREAMS", (longer, *topology.STREAMS[1:]))
    await provision(js)
    assert (await js.stream_info("CITY")).config.duplicate_window == 20 * topology.MINUTE
    assert (await state(js, "CITY")).messages == 1


async def test_every_stream_is_on_disk(js: JetStreamContext) -> None:
    for info in await js.streams_info():
        assert info.config.storage == "file"
        assert info.config.duplicate_window == 10 * topology.MINUTE


async def test_a_broker_that_takes_its_time_is_waited_for(tmp_path: Path) -> None:
    with Stack(tmp_path) as stack:
        broker = stack.start("nats").children["nats"]
        broker.send_signal(signal.SIGSTOP)
        provisioning = asyncio.create_task(asyncio.to_thread(stack.provision))
        await asyncio.sleep(9)
        assert not provisioning.done()
        broker.send_signal(signal.SIGCONT)
        await provisioning


async def test_what_ends_by_itself_ends_in_both_streams_and_nothing_else_does(js: JetStreamContext) -> None:
    rated, offer = f"city.{ResultRated.name}.r", "city.offers.offer.changed.v1.a"
    assert (topology.ends_after(rated) or 0) > 300 * topology.DAY
    assert topology.ends_after(offer) is None
    await js.publish(rated, b"{}", msg_ttl=1)  # the shortest there is
    await js.publish(offer, b"{}", msg_ttl=topology.ends_after(offer))

    async def holding(count: int) -> bool:
        return [(await state(js, name)).messages for name in ("CITY", "STATE")] == [count, count]

    await eventually(lambda: holding(2))
    await eventually(lambda: holding(1))
    assert (await js.get_last_msg("STATE", "state.offers.offer.a")).data == b"{}"
