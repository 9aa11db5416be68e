"""The end of a service: whatever its jobs make of a cancellation, it comes."""

import asyncio
import time
from collections.abc import Awaitable

import pytest

from libs.bus.connection import Bus
from libs.servicekit import cancelling, runtime
from libs.servicekit.kit import Job, Kit
from libs.servicekit.runtime import Parts, running
from tests.servicekit.conftest import settings

pytestmark = pytest.mark.anyio


async def test_a_cancellation_that_comes_with_the_result_is_not_lost() -> None:
    cancelling.mend()
    answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(wait(answer))
    await asyncio.sleep(0)
    answer.set_result(1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def wait(answer: Awaitable[int], seconds: float | None = 5) -> int:
    """As libraries do it."""
    return await asyncio.wait_for(answer, seconds)


async def test_waiting_is_as_before_in_all_else() -> None:
    cancelling.mend()
    assert await wait(asyncio.sleep(0, 1)) == await wait(asyncio.sleep(0, 1), None) == 1
    for seconds in (0.01, 0):
        slow = asyncio.ensure_future(asyncio.sleep(9, 1))
        with pytest.raises(TimeoutError):
            await wait(slow, seconds)
        assert slow.cancelled()
    done = asyncio.ensure_future(asyncio.sleep(0, 1))
    await done
    assert await wait(done, 0) == 1


@pytest.mark.parametrize("often", [1, 3])
async def test_a_service_ends_though_a_job_takes_a_cancellation_for_a_failure(often: int) -> None:
    lost = 0

    async def deaf(_kit: Kit) -> None:
        nonlocal lost
        while lost < often:
            try:
                await asyncio.sleep(9)
            except asyncio.CancelledError:
                lost += 1
        await asyncio.sleep(9)

    assert await seconds_to_end(deaf) < 4
    assert lost == often


async def test_a_service_ends_though_a_job_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "STOP_SECONDS", 0.3)
    over = asyncio.Event()

    async def deaf(_kit: Kit) -> None:
        while not over.is_set():
            try:
                await over.wait()
            except asyncio.CancelledError:
                continue

    assert await seconds_to_end(deaf) < 3
    over.set()


async def seconds_to_end(job: Job) -> float:
    """How long a service without a broker takes to end, once it has begun with this job."""
    begun = asyncio.Event()

    async def without_bus(kit: Kit) -> None:
        begun.set()
        await job(kit)

    without_bus.without_bus = True  # type: ignore[attr-defined]
    made = settings(nats_url="nats://127.0.0.1:9")
    async with running(Kit(made, Bus(made.nats_url, made.service)), Parts(jobs=[without_bus])):
        await begun.wait()
        end = time.monotonic()
    return time.monotonic() - end
