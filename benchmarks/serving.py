"""What one request costs: searching, writing, and a write until it is found; each against the engine alone."""

import asyncio
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2

from benchmarks.bare import Bare
from benchmarks.report import Figure, Row, latency
from benchmarks.stack import (
    INDEX,
    QUERIES,
    administrator,
    as_the_gateway_asks,
    client,
    content,
    documents,
    engine,
    filled,
    resident_mb,
    stack,
)
from tests.stack import Stack

SEARCHES = 300
WRITES = 60
POSTS = 200
POLL_SECONDS = 0.003


def run(folder: Path) -> tuple[list[Row], list[Figure]]:
    """One stack that holds the register serves all of it."""
    with stack(folder) as running:
        running.start()
        with (
            client(running, "offers", "editor") as offers,
            client(running, "search") as search,
            engine(running) as meilisearch,
        ):
            filled(offers, search)
            rows = [
                _search(search, meilisearch),
                *_write_to_searchable(running, offers, meilisearch),
                _post(offers),
            ]
        return rows, _memory(running)


def _search(search: httpx2.Client, meilisearch: httpx2.Client) -> Row:
    ours, limit = [], []
    bodies = {query: asyncio.run(as_the_gateway_asks(query)) for query in QUERIES}
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


def _timed(call: Any) -> float:
    started = time.perf_counter()
    call().raise_for_status()
    return time.perf_counter() - started


def _write_to_searchable(running: Stack, offers: httpx2.Client, meilisearch: httpx2.Client) -> list[Row]:
    ours, limit = [], []
    example = documents(administrator(running), INDEX)[0]
    with closing(Bare(running, meilisearch, INDEX)) as bare:
        for number in range(WRITES + 3):
            pair = (
                _until_found(meilisearch, lambda word: _create(offers, word, publish=True)),
                _until_found(meilisearch, lambda word: bare.write(_like(example, word))),
            )
            if number >= 3:
                ours.append(pair[0])
                limit.append(pair[1])
    return [
        latency("write → searchable, median", ours, limit, 1.15),
        latency("write → searchable, p99", ours, limit, 1.5, at=0.99),
    ]


def _until_found(meilisearch: httpx2.Client, write: Callable[[str], object]) -> float:
    word = str(uuid4().int)
    started = time.perf_counter()
    write(word)
    # Asked of the engine: the gateway's own share is the row above.
    while not meilisearch.post(f"/indexes/{INDEX}/search", json={"q": word, "limit": 1}).json()["hits"]:
        time.sleep(POLL_SECONDS)
    return time.perf_counter() - started


def _like(example: dict[str, Any], word: str) -> dict[str, Any]:
    """The document that another title makes."""
    title = {"de": f"Töpferwerkstatt {word}"}
    return example | {"key": f"bare-{word}", "title": title, "folded": example["folded"] | {"title": title}}


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
