"""Pulling with a standing request: nothing is missed, whatever happens to the request."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from nats.js import JetStreamContext

from libs.bus import pull
from libs.bus.connection import Bus
from libs.bus.pull import Pull
from libs.contracts.topology import Consumer
from libs.provision.streams import provision
from tests.stack import Stack
from tests.waiting import eventually

pytestmark = pytest.mark.anyio
SEARCH = Consumer("search", "CITY", ("city.>",))
SUBJECT = "city.offers.offer.published.v1."


class Puller:
    """Pulls, acknowledges and notes until it is stopped."""

    def __init__(self, bus: Bus, batch: int) -> None:
        self.sizes, self.bodies = list[int](), list[bytes]()
        self._pull = Pull(bus, SEARCH, batch)

    async def run(self) -> None:
        async for messages in self._pull.batches():
            self.sizes.append(len(messages))
            for message in messages:
                self.bodies.append(message.data)
                await message.ack()

    async def saw(self, body: bytes, seconds: float) -> None:
        async def there() -> bool:
            return body in self.bodies

        await eventually(there, seconds)

    async def has(self, count: int, seconds: float = 20) -> None:
        async def enough() -> bool:
            return len(self.bodies) >= count

        await eventually(enough, seconds)


@asynccontextmanager
async def pulling(bus: Bus, batch: int = 100) -> AsyncIterator[Puller]:
    puller = Puller(bus, batch)
    await bus.start()
    task = asyncio.create_task(puller.run())
    yield puller
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def send(js: JetStreamContext, count: int, first: int = 0) -> None:
    numbers = range(first, first + count)
    for cut in range(0, count, 500):
        await asyncio.gather(
            *(js.publish(f"{SUBJECT}{n}", str(n).encode()) for n in numbers[cut : cut + 500])
        )


async def test_a_burst_arrives_completely_and_in_order(bus: Bus, js: JetStreamContext) -> None:
    await send(js, 3000)
    async with pulling(bus) as puller:
        await puller.has(3000)
    assert puller.bodies == [str(n).encode() for n in range(3000)]
    assert max(puller.sizes) > 10, "a burst should come in batches"
    assert max(puller.sizes) <= 100


async def test_a_single_event_does_not_wait_for_others(bus: Bus, js: JetStreamContext) -> None:
    took = []
    async with pulling(bus) as puller:
        for number in range(20):
            began = time.perf_counter()
            await send(js, 1, number)
            await puller.has(number + 1)
            took.append(time.perf_counter() - began)
    assert sorted(took)[10] < 0.2, "the median event waited for a batch to fill"


async def test_the_request_outlives_its_expiry(
    bus: Bus, js: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull, "EXPIRES_SECONDS", 0.3)
    async with pulling(bus) as puller:
        await asyncio.sleep(1)  # several requests have expired by now
        await send(js, 5)
        await puller.has(5)


async def test_pulling_goes_on_soon_after_the_broker_was_killed(tmp_path: Path) -> None:
    with Stack(tmp_path / "stack") as stack:
        stack.start("nats")
        bus = Bus(stack.url("nats"), "probe")
        await bus.start()
        js = bus.js
        await provision(js)
        async with pulling(bus) as puller:
            await send(js, 3)
            await puller.has(3)
            stack.kill9("nats")
            await asyncio.to_thread(stack.launch, "nats")
            await bus.standing()
            await send(js, 3, first=3)
            await puller.saw(b"5", seconds=pull.EXPIRES_SECONDS / 2)
        await bus.stop()
    # What was acknowledged in the last instant may be delivered once more.
    assert list(dict.fromkeys(puller.bodies)) == [str(n).encode() for n in range(6)]


async def test_a_durable_that_comes_back_is_pulled_again(
    bus: Bus, js: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull, "EXPIRES_SECONDS", 0.5)
    async with pulling(bus) as puller:
        await send(js, 1)
        await puller.has(1)
        await js.delete_consumer("CITY", "search")
        await asyncio.sleep(0.2)
        await provision(js)
        await send(js, 1, first=1)

        async def second() -> bool:
            return b"1" in puller.bodies

        await eventually(second)


async def test_what_waits_is_bounded_in_bytes_and_everything_arrives(bus: Bus, js: JetStreamContext) -> None:
    most, size = 2 * pull.LARGEST_MESSAGE, 400_000
    for number in range(12):
        await js.publish(f"{SUBJECT}{number}", b"x" * size)
    await bus.start()
    puller, seen = Pull(bus, SEARCH, 100, most), 0
    async for messages in puller.batches():
        await asyncio.sleep(0.05)  # meanwhile the next arrive
        assert sum(len(message.data) for message in messages) <= most
        assert sum(len(message.data) for message in puller.waiting) <= most
        for message in messages:
            await message.ack()
        seen += len(messages)
        if seen == 12:
            break
    assert seen == 12
