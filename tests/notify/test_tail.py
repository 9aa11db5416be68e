"""The stream's end as readers follow it, on a real broker: over gaps, restored streams and a broker that comes late."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from nats.js import JetStreamContext

from libs.bus.connection import Bus
from libs.cardquery.matching import Matching
from libs.cardquery.query import Query
from libs.cardquery.vocabulary import Vocabulary
from libs.town import calendar
from services.notify.feeds import tail as tails
from services.notify.feeds.ring import Entry, Question
from services.notify.feeds.stream import lines
from services.notify.feeds.tail import Tail
from tests.notify.facts import put, put_nonsense
from tests.streams import fresh_streams

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]
MATCHING = Matching(calendar.read(ROOT / "city"), Vocabulary.of(ROOT / "city"))
NOTHING = Question(b"nothing", MATCHING.asked(Query(q="Nichtsdergleichen")))


class Counting(Tail):
    """Counts how often the broker is asked."""

    asked = 0

    async def after(self, sequence: int) -> Entry | None:
        self.asked += 1
        return await super().after(sequence)


def bus_at(url: str) -> Bus:
    return Bus(url, "notify")


@pytest.fixture
async def bus(js: JetStreamContext, nats_url: str) -> AsyncIterator[Bus]:
    bus = bus_at(nats_url)
    await bus.start()
    yield bus
    await bus.stop()


@asynccontextmanager
async def running(tail: Tail) -> AsyncIterator[Tail]:
    task = asyncio.create_task(tail.run())
    try:
        yield tail
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def first(entries: AsyncIterator[Entry], seconds: float = 5) -> int:
    return (await asyncio.wait_for(anext(entries), seconds)).sequence


async def test_a_reader_whose_facts_were_deleted_waits_for_the_next_without_spinning(
    bus: Bus, js: JetStreamContext
) -> None:
    places = [await put(js, f"Angebot {number}") for number in range(4)]
    async with running(Counting(bus, MATCHING)) as tail:
        own = tail.follow(None)
        waiting = asyncio.ensure_future(first(own))
        await asyncio.sleep(0.2)
        for place in places[1:]:
            await js.delete_msg("CITY", place)
        behind = asyncio.ensure_future(first(tail.follow(places[0])))
        await asyncio.sleep(0.5)
        assert tail.asked < 10  # type: ignore[attr-defined]
        await put_nonsense(js)
        last = await put(js, "Neues")
        assert [await waiting, await behind] == [last, last]


async def test_a_restored_stream_is_followed_from_its_end(
    bus: Bus, js: JetStreamContext, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tails, "LOOK_SECONDS", 0.1)
    for number in range(5):
        last = await put(js, f"Angebot {number}")
    async with running(Tail(bus, MATCHING)) as tail:
        stayed = asyncio.ensure_future(first(tail.follow(None)))
        await asyncio.sleep(0.2)
        assert tail.newest == last
        await fresh_streams(nats_url)
        await put(js, "Altes")
        async with asyncio.timeout(5):
            while tail.newest >= last:
                await asyncio.sleep(0.02)
        came_back = asyncio.ensure_future(first(tail.follow(last)))
        await asyncio.sleep(0.1)
        new = await put(js, "Neues")
        assert new < last
        assert await came_back == new
        assert await stayed <= new


async def test_a_place_that_this_process_has_not_come_to_is_waited_for(
    bus: Bus, js: JetStreamContext
) -> None:
    tail = Tail(bus, MATCHING)
    async with running(tail):
        assert await first_of_many(tail, js) > 0
        ahead = tail.newest
        for number in range(3):
            ahead = await put(js, f"Angebot {number}")
        reader = tail.follow(ahead)  # seen at another process, maybe before it was seen here
        coming = asyncio.ensure_future(first(reader))
        await asyncio.sleep(0.2)
        assert not coming.done()
        last = await put(js, "Neues")
        assert await coming == last


async def test_a_message_that_comes_before_its_fact_is_stored_is_not_the_last_look(
    bus: Bus, js: JetStreamContext
) -> None:
    class Hasty(Counting):
        """Sees no fact at the first look after each message, as a broker that stores slowly shows it."""

        hidden = 1

        async def after(self, sequence: int) -> Entry | None:
            found = await super().after(sequence)
            if found and self.hidden:
                self.hidden -= 1
                return None
            return found

    async with running(Hasty(bus, MATCHING)) as tail:
        coming = asyncio.ensure_future(first(tail.follow(None), seconds=2))
        await asyncio.sleep(0.2)
        assert await put(js, "Neues") == await coming


async def first_of_many(tail: Tail, js: JetStreamContext) -> int:
    coming = asyncio.ensure_future(first(tail.follow(None)))
    await asyncio.sleep(0.2)
    await put(js, "Erstes")
    return await coming


async def test_a_connection_is_open_before_the_broker_is_there() -> None:
    tail = Tail(bus_at("nats://127.0.0.1:1"), MATCHING)
    async with running(tail):
        connection = lines(tail, None, None, beat=0.05)
        said = [await asyncio.wait_for(anext(connection), 5) for _ in range(3)]
        assert said == [b"retry: 3000\n\n", b": still here\n\n", b": still here\n\n"]


async def test_signs_of_life_come_while_others_facts_pass_and_their_place_goes_on(
    bus: Bus, js: JetStreamContext
) -> None:
    async with running(Tail(bus, MATCHING)) as tail:
        connection = lines(tail, None, NOTHING, beat=0.2)
        assert await anext(connection) == b"retry: 3000\n\n"
        coming = asyncio.ensure_future(anext(connection))
        await asyncio.sleep(0.05)
        for number in range(30):
            last = await put(js, f"Angebot {number}")
            await asyncio.sleep(0.02)
            if coming.done():
                break
        assert coming.done(), "facts that are not for a reader keep its connection silent"
        place = int((await coming).decode().split("\n")[0].removeprefix("id: "))
        assert 0 < place <= last
