"""Many callers at once: searches through the gateway, against the same asked of the engine directly."""

import asyncio
import json
import time
from itertools import count
from pathlib import Path
from urllib.parse import quote

import aiohttp

from benchmarks.report import Row, rate
from benchmarks.stack import INDEX, QUERIES, as_the_gateway_asks, client, filled, stack
from tests.stack import Stack

CALLERS = 50
SECONDS = 4.0
ROUNDS = 5


def run(folder: Path) -> list[Row]:
    """One stack that holds the register; rounds alternate."""
    with stack(folder) as running:
        running.start()
        with client(running, "offers", "editor") as offers, client(running, "search") as search:
            filled(offers, search)
        ours, limit = zip(*asyncio.run(_rounds(running)), strict=True)
        return [
            rate(
                f"searches at {CALLERS} callers through the gateway",
                list(ours),
                list(limit),
                0.6,
                "searches/s",
            )
        ]


async def _rounds(running: Stack) -> list[tuple[float, float]]:
    gateway = [("GET", f"{running.url('search')}/v1/search?q={quote(q)}", b"") for q in QUERIES]
    at = f"{running.url('meilisearch')}/indexes/{INDEX}/search"
    direct = [("POST", at, json.dumps(await as_the_gateway_asks(q)).encode()) for q in QUERIES]
    headers = {"Authorization": f"Bearer {running.meilisearch_key}", "Content-Type": "application/json"}
    connector = aiohttp.TCPConnector(limit=CALLERS)
    async with aiohttp.ClientSession(
        connector=connector, headers=headers | {"Accept-Encoding": "identity"}, auto_decompress=False
    ) as session:
        await _rate(session, gateway), await _rate(session, direct)  # warm
        return [(await _rate(session, gateway), await _rate(session, direct)) for _ in range(ROUNDS)]


async def _rate(session: aiohttp.ClientSession, requests: list[tuple[str, str, bytes]]) -> float:
    """Requests answered per second, each caller asking again as soon as it has its answer."""
    numbers, begun = count(), time.perf_counter()

    async def caller() -> int:
        answered = 0
        while time.perf_counter() - begun < SECONDS:
            method, url, body = requests[next(numbers) % len(requests)]
            async with session.request(method, url, data=body) as answer:
                answer.raise_for_status()
                await answer.read()
            answered += 1
        return answered

    answered = await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return sum(answered) / (time.perf_counter() - begun)
