"""Twenty writers at once: offers that are published, each with its outbox row, against the same offers kept as drafts; on each
kind of database. And how many facts a second are searchable while they write, and what a reader waits meanwhile.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from statistics import quantiles
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
    """A stack for each kind of database."""
    rows, figures = list[Row](), list[Figure]()
    for kind in ("SQLite", "PostgreSQL"):
        with _running(folder / kind, kind) as running:
            row, more = asyncio.run(_measured(running, kind))
            rows.append(row)
            figures += more
    return rows, figures


@contextmanager
def _running(folder: Path, kind: str) -> Iterator[Stack]:
    if kind == "SQLite":
        with stack(folder) as running:
            yield running.start()
        return
    with postgres() as server, stack(folder, COBURG_OFFERS_DATABASE_URL=server.url) as running:
        yield running.start()


async def _measured(running: Stack, kind: str) -> tuple[Row, list[Figure]]:
    async with _session(running) as session:
        await _written(session, publish=True), await _written(session, publish=False)  # warm
        await _searchable(session, running)
        ours, limit, found, waits = list[float](), list[float](), list[float](), list[float]()
        for _ in range(ROUNDS):
            reading = asyncio.create_task(_read(session, running, waits))
            began = time.perf_counter()
            count, seconds = await _written(session, publish=True)
            await _searchable(session, running)
            found.append(count / (time.perf_counter() - began))
            reading.cancel()
            ours.append(count / seconds)
            count, seconds = await _written(session, publish=False)
            limit.append(count / seconds)
    name = f"POSTs at {WRITERS} writers, with outbox, {kind}"
    return rate(name, ours, limit, GOAL, "offers/s"), [
        Figure(f"facts from write to searchable at saturation, {kind}", max(found), "per second"),
        Figure(f"a read meanwhile, p99, {kind}", quantiles(waits, n=100)[98] * 1000, "ms"),
    ]


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


async def _read(session: aiohttp.ClientSession, running: Stack, waits: list[float]) -> None:
    async with session.get("/v1/offers", params={"limit": "1"}) as answer:
        offer = (await answer.json())["items"][0]["id"]
    while True:
        began = time.perf_counter()
        async with session.get(f"/v1/offers/{offer}") as answer:
            answer.raise_for_status()
            await answer.read()
        waits.append(time.perf_counter() - began)
        await asyncio.sleep(READ_SECONDS)
