"""Periodic jobs: one process at a time, a lost lease ends the run, whoever is woken starts at once."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest
from sqlalchemy import update

from libs.bus.connection import Bus
from libs.servicekit import lease
from libs.servicekit import periodic as periodic_module
from libs.servicekit.db import Database, leave_work
from libs.servicekit.kit import Job, Kit
from libs.servicekit.lease import Lease
from libs.servicekit.periodic import in_batches, one_by_one, periodic
from libs.servicekit.tables import lease as table
from tests.servicekit.conftest import settings
from tests.waiting import until

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def running(db: Database, *jobs: Job) -> AsyncIterator[None]:
    """Jobs side by side, as in processes of their own."""
    kit = Kit(settings(), Bus(settings().nats_url, "probe"), db)
    tasks = [asyncio.ensure_future(job(kit)) for job in jobs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def test_one_of_two_works_again_and_again(sqlite: Database) -> None:
    worked = [0, 0]

    def counting(process: int) -> Job:
        def work(_kit: Kit) -> Iterator[None]:
            worked[process] += 1
            yield

        return periodic("probe", work, every=0.02)

    async with running(sqlite, counting(0), counting(1)):
        await asyncio.to_thread(until, lambda: max(worked) >= 3)
    assert min(worked) == 0


async def test_a_successor_does_not_sit_out_a_long_pause(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(periodic_module, "LENGTH", timedelta(seconds=0.1))
    worked = list[int]()

    def work(_kit: Kit) -> Iterator[None]:
        worked.append(1)
        yield

    predecessor = Lease(sqlite, "probe")
    assert predecessor.hold()
    async with running(sqlite, periodic("probe", work, every=3600)):
        await asyncio.sleep(0.3)
        assert not worked
        predecessor.release()
        await asyncio.to_thread(until, lambda: worked)


async def test_a_lost_lease_ends_the_round(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "RENEW_BEFORE", lease.LENGTH)  # it is asked for between any two steps
    done = list[int]()

    def work(_kit: Kit) -> Iterator[None]:
        for step in range(4):
            done.append(step)
            if step == 1:
                with sqlite.transaction() as session:
                    session.execute(update(table).values(holder="another"))
            yield

    async with running(sqlite, periodic("probe", work, every=0.02)):
        await asyncio.to_thread(until, lambda: 1 in done)
        await asyncio.sleep(0.2)
    assert done == [0, 1]


async def test_work_that_is_left_ends_the_rest_and_other_writes_do_not(sqlite: Database) -> None:
    worked = list[int]()

    def work(_kit: Kit) -> Iterator[None]:
        worked.append(1)
        yield

    async with running(sqlite, periodic("probe", work, every=0.01, idle_interval=3600)):
        for times in (1, 2, 3):
            await asyncio.to_thread(until, lambda times=times: len(worked) == times)
            with sqlite.transaction():
                pass
            await asyncio.sleep(0.2)
            assert len(worked) == times
            with sqlite.transaction() as session:
                leave_work(session)


def test_batches_go_on_until_nothing_is_found(sqlite: Database) -> None:
    left = [2, 1, 0, 5]
    assert len(list(in_batches(sqlite, lambda _session: left.pop(0)))) == 3
    assert left == [5]


def test_each_thing_has_a_transaction_of_its_own(sqlite: Database) -> None:
    seen = dict[str, object]()
    for _ in one_by_one(sqlite, ["a", "b"], lambda session, thing: seen.update({thing: session})):
        pass
    assert seen["a"] is not seen["b"]


def test_a_thing_that_fails_is_left_and_the_others_are_done(sqlite: Database) -> None:
    done = list[str]()

    def effect(_session: object, thing: str) -> None:
        if thing == "bad":
            raise ValueError("cannot be handled")
        done.append(thing)

    assert len(list(one_by_one(sqlite, ["a", "bad", "c"], effect))) == 3
    assert done == ["a", "c"]
