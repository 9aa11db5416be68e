"""What one request costs: searching, writing, and a write until it is found; each against the engine alone."""

import asyncio
import time
from pathlib import Path
from typing import Any, cast
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx2

from benchmarks.report import Figure, Row, latency
from benchmarks.stack import client, content, encoded, engine, import_register, resident_mb, stack
from libs.town.calendar import Calendar
from services.search.engine import Engine
from services.search.filters import Query
from services.search.queries import Queries
from tests.stack import Stack

SEARCHES = 300
WRITES = 60
POSTS = 200
POLL_SECONDS = 0.003
INDEX = "cards"
QUERIES = (
    "montesori kreuzberg",
    "waldorf",
    "kita pankow",
    "eltern initiative",
    "neukölln türkisch",
    "prenzlauer berg",
)


def run(folder: Path) -> tuple[list[Row], list[Figure]]:
    """One stack that holds the register serves all of it."""
    with stack(folder) as running:
        running.start()
        with (
            client(running, "offers", "editor") as offers,
            client(running, "search") as search,
            engine(running) as meilisearch,
        ):
            place = import_register(offers)
            while (
                offers.get(place).json()["status"] != "done"
                or search.get("/v1/index/status").json()["lag"]["messages"]
            ):
                time.sleep(0.1)
            rows = [_search(search, meilisearch), *_write_to_searchable(offers, meilisearch), _post(offers)]
        return rows, _memory(running)


def _search(search: httpx2.Client, meilisearch: httpx2.Client) -> Row:
    ours, limit = [], []
    bodies = {query: _as_the_gateway_asks(query) for query in QUERIES}
    for number in range(SEARCHES + 30):
        query = QUERIES[number % len(QUERIES)]
        pair = (
            _timed(lambda query=query: search.get("/v1/search", params={"q": query})),
            _timed(lambda query=query: meilisearch.post(f"/indexes/{INDEX}/search", json=bodies[query])),
        )
        if number >= 30:
            ours.append(pair[0])
            limit.append(pair[1])
    return latency("search through the gateway, median", ours, limit, 1.6)


class _Listener:
    """Stands where the engine would, to hear what the gateway asks it."""

    asked: dict[str, Any]

    async def search(self, _index: str, asked: dict[str, Any]) -> dict[str, Any]:
        self.asked = asked
        return {"hits": [], "totalHits": 1}


def _as_the_gateway_asks(query: str) -> dict[str, Any]:
    listener = _Listener()
    asyncio.run(Queries(cast("Engine", listener), INDEX, Calendar(ZoneInfo("UTC"))).search(Query(q=query)))
    return listener.asked


def _timed(call: Any) -> float:
    started = time.perf_counter()
    call().raise_for_status()
    return time.perf_counter() - started


def _write_to_searchable(offers: httpx2.Client, meilisearch: httpx2.Client) -> list[Row]:
    ours, limit = [], []
    example = meilisearch.get(f"/indexes/{INDEX}/documents", params={"limit": 1}).json()["results"][0]
    for number in range(WRITES + 3):
        pair = _offer_until_found(offers, meilisearch), _document_until_done(meilisearch, example)
        if number >= 3:
            ours.append(pair[0])
            limit.append(pair[1])
    return [
        latency("write → searchable, median", ours, limit, 1.3),
        latency("write → searchable, p99", ours, limit, 2.0, at=0.99),
    ]


def _offer_until_found(offers: httpx2.Client, meilisearch: httpx2.Client) -> float:
    word = uuid4().hex
    started = time.perf_counter()
    _create(offers, word, publish=True)
    # Asked of the engine: the gateway's own share is the row above.
    while not meilisearch.post(f"/indexes/{INDEX}/search", json={"q": word, "limit": 1}).json()["hits"]:
        time.sleep(POLL_SECONDS)
    return time.perf_counter() - started


def _document_until_done(meilisearch: httpx2.Client, example: dict[str, Any]) -> float:
    document = example | {"key": f"benchmark-{uuid4().hex}", "title": {"de": uuid4().hex}}
    started = time.perf_counter()
    answer = meilisearch.post(
        f"/indexes/{INDEX}/documents",
        content=encoded([document]),
        headers={"Content-Type": "application/json"},
    )
    uid = answer.raise_for_status().json()["taskUid"]
    while meilisearch.get(f"/tasks/{uid}").json()["status"] != "succeeded":
        time.sleep(POLL_SECONDS)
    return time.perf_counter() - started


def _post(offers: httpx2.Client) -> Row:
    ours, limit = [], []
    for number in range(POSTS + 10):
        pair = [
            _timed(lambda publish=publish: _create(offers, uuid4().hex, publish=publish))
            for publish in (True, False)
        ]
        if number >= 10:
            ours.append(pair[0])
            limit.append(pair[1])
    return latency("POST of an offer with its outbox row, median", ours, limit, 1.3)


def _create(offers: httpx2.Client, word: str, *, publish: bool) -> httpx2.Response:
    body = {"board": "kita", "publish": publish, "content": content(word)}
    return offers.post("/v1/offers", json=body).raise_for_status()


def _memory(running: Stack) -> list[Figure]:
    time.sleep(5)  # at rest
    return [
        Figure(f"memory of {name}", resident_mb(child.pid), "MB") for name, child in running.children.items()
    ]
