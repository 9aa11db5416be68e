"""Twenty writers at once: offers that are published, each with its outbox row, against the same offers kept as drafts; on each
kind of database. And how many facts a second are searchable while they write, and what a reader waits meanwhile.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from statistics import median, quantiles
from uuid import uuid4

import aiohttp

from benchmarks.report import Figure, Row, rate
from benchmarks.stack import content, stack
from tests.postgres import postgres
from tests.stack import Stack

WRITERS, SECONDS, ROUNDS = 20, 4.0, 3
GOAL = 0.8
READ_SECONDS = 0.02


def run(folder: Path) -> tuple[list[Row], list[Figure]]:
    """On each kind of database: offers and its broker alone, then with everybody who listens."""
    rows, figures = list[Row](), list[Figure]()
    for kind in ("SQLite", "PostgreSQL"):
        with _running(folder / kind, kind) as running:
            running.start("nats").provision()
            running.launch("offers")
            rows.append(asyncio.run(_with_and_without(running, kind)))
            running.stop()
            running.start()
            figures += asyncio.run(_saturated(running, kind))
    return rows, figures


@contextmanager
def _running(folder: Path, kind: str) -> Iterator[Stack]:
    if kind == "SQLite":
        with stack(folder) as running:
            yield running
        return
    with postgres() as server, stack(folder, COBURG_OFFERS_DATABASE_URL=server.url) as running:
        yield running


async def _with_and_without(running: Stack, kind: str) -> Row:
    async with _session(running) as session:
        await _rate(session, publish=True), await _rate(session, publish=False)  # warm
        pairs = [
            (await _rate(session, publish=True), await _rate(session, publish=False)) for _ in range(ROUNDS)
        ]
    ours, limit = zip(*pairs, strict=True)
    return rate(f"POSTs at {WRITERS} writers, with outbox, {kind}", list(ours), list(limit), GOAL, "offers/s")


async def _saturated(running: Stack, kind: str) -> list[Figure]:
    found, waits = list[float](), list[float]()
    async with _session(running) as session:
        await _searchable(session, running)
        for _ in range(ROUNDS):
            reading = asyncio.create_task(_read(session, waits))
            began = time.perf_counter()
            count, _ = await _written(session, publish=True)
            await _searchable(session, running)
            found.append(count / (time.perf_counter() - began))
            reading.cancel()
    return [
        Figure(f"facts from write to searchable at saturation, {kind}", median(found), "per second"),
        Figure(f"a read meanwhile, p99, {kind}", quantiles(waits, n=100)[98] * 1000, "ms"),
    ]


async def _rate(session: aiohttp.ClientSession, *, publish: bool) -> float:
    count, seconds = await _written(session, publish=publish)
    return count / seconds


@asynccontextmanager
async def _session(running: Stack) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(running.url("offers"), headers=running.headers("editor")) as session:
        yield session


async def _written(session: aiohttp.ClientSession, *, publish: bool) -> tuple[int, float]:
    """How many offers were accepted, and in how many seconds."""
    began = time.perf_counter()

    async def writer() -> int:
        accepted = 0
        while time.perf_counter() - began < SECONDS:
            body = {"board": "kita", "publish": publish, "content": content(uuid4().hex)}
            async with session.post("/v1/offers", json=body) as answer:
                answer.raise_for_status()
                await answer.read()
            accepted += 1
        return accepted

    accepted = sum(await asyncio.gather(*(writer() for _ in range(WRITERS))))
    return accepted, time.perf_counter() - began


async def _searchable(session: aiohttp.ClientSession, running: Stack) -> None:
    """Until nothing is left to be told or indexed."""
    word = uuid4().hex
    body = {"board": "kita", "publish": True, "content": content(word)}
    (await session.post("/v1/offers", json=body)).raise_for_status()
    asked = {"q": word, "limit": "1"}
    while True:
        async with session.get(f"{running.url('search')}/v1/search", params=asked) as answer:
            if (await answer.json())["total"]:
                return
        await asyncio.sleep(0.02)


async def _read(session: aiohttp.ClientSession, waits: list[float]) -> None:
    async with session.get("/v1/offers", params={"limit": "1"}) as answer:
        offer = (await answer.json())["items"][0]["id"]
    while True:
        began = time.perf_counter()
        async with session.get(f"/v1/offers/{offer}") as answer:
            answer.raise_for_status()
            await answer.read()
        waits.append(time.perf_counter() - began)
        await asyncio.sleep(READ_SECONDS)
