"""Periodic jobs: what a service does of its own accord again and again, in one of its processes at a time.

The work of one run is a generator that yields behind each of its transactions. In between the lease is renewed, so a
process that lost it, or is told to stop, goes no further.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TypeVar

from sqlmodel import Session

from libs.servicekit.batches import leaving
from libs.servicekit.db import Database
from libs.servicekit.kit import Job, Kit
from libs.servicekit.lease import LENGTH, Lease

T = TypeVar("T")


def periodic(
    name: str, work: Callable[[Kit], Iterator[None]], *, every: float, idle_interval: float | None = None
) -> Job:
    """The job that does `work` under the lease `name` every so many seconds.

    With `idle_interval` that is the longest pause, as long as this process writes nothing that could be work: nobody
    waits any longer for what other processes left, or what the clock brings. Who finds the lease taken, or loses it,
    asks again when it may have ended: the successor of a process that died does not sit out a long pause.
    """

    async def job(kit: Kit) -> None:
        lease, left = Lease(kit.database, name), asyncio.Event()
        wake = partial(asyncio.get_running_loop().call_soon_threadsafe, left.set)
        with kit.database.after_commit(wake):
            while True:
                left.clear()
                if not await _all_done(_leased(lease, work, kit)):
                    await asyncio.sleep(min(idle_interval or every, LENGTH.total_seconds()))
                    continue
                await asyncio.sleep(every)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout((idle_interval or every) - every):
                        await left.wait()

    job.__name__ = name
    job.without_bus = True  # type: ignore[attr-defined] # what is due by time alone does not wait for the broker
    return job


async def _all_done(steps: Iterator[bool]) -> bool:
    done = False
    while (step := await asyncio.to_thread(next, steps, None)) is not None:
        done = step
    return done


def _leased(lease: Lease, work: Callable[[Kit], Iterator[None]], kit: Kit) -> Iterator[bool]:
    """Step by step, whether that was all of it."""
    if not lease.hold():
        return
    for _ in work(kit):
        yield False
        if not lease.hold():
            return
    yield True


def in_batches(db: Database, some: Callable[[Session], int]) -> Iterator[None]:
    """A transaction for each batch, as long as `some` finds anything to do; it returns how much it did."""
    found = 1
    while found:
        with db.transaction() as session:
            found = some(session)
        yield


def one_by_one(db: Database, things: Iterable[T], effect: Callable[[Session, T], object]) -> Iterator[None]:
    """A transaction for each thing: nobody else waits for all of them, and none for one that cannot be handled."""
    for thing in things:
        with leaving(getattr(effect, "__name__", "job"), thing), db.transaction() as session:
            effect(session, thing)
        yield
