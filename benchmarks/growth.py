"""What a hundred times as many offers cost: the same requests to a small town and to a large one, side by side.

The large town comes from bulk imports, whose memory is watched meanwhile.
"""

import json
import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx2

from benchmarks.report import Figure, Row, latency
from benchmarks.stack import client, resident_mb, stack
from tests.stack import Stack

SMALL, LARGE = 1_000, 100_000
REQUESTS = 120
WARM_UP = 20
COST, MEMORY = 1.5, 1.3
FACILITIES = ("daycare", "parents", "playgroup", "forest")
CONCEPTS = ("situational", "montessori", "pikler", "reggio", "waldorf", "froebel", "freinet")
DISTRICTS = ("Innenstadt", "Neuses", "Scheuerfeld", "Creidlitz", "Wüstenahorn")
WORDS = [
    "Wald",
    "Wiese",
    "Bach",
    "Sonne",
    "Mond",
    "Stern",
    "Garten",
    "Hof",
    "Berg",
    "Tal",
    "Fluss",
    "Baum",
    "Blume",
    "Vogel",
    "Igel",
    "Fuchs",
]
LISTS: dict[str, dict[str, Any]] = {"list of a board": {"board": "kita", "limit": 50}}
SEARCHES: dict[str, dict[str, Any]] = {
    "search with all facets": {"facets": "*", "limit": 20},
    "search by word and facet": {"q": "garten", "concept": "montessori", "facets": "concept,district"},
}


def run(folder: Path) -> tuple[list[Row], list[Figure]]:
    """Fill both towns, then ask them in turn."""
    with ExitStack() as running:
        small = running.enter_context(stack(folder / "small")).start()
        large = running.enter_context(stack(folder / "large")).start()
        _import(small, "first", SMALL)
        first = _import(large, "first", SMALL * 10)
        whole = _import(large, "whole", LARGE)
        memory = Row(
            "memory of an import of 100,000 rows against 10,000",
            whole.peak_mb,
            first.peak_mb,
            whole.peak_mb / first.peak_mb,
            MEMORY,
            at_least=False,
            unit="MB",
        )
        rows = [
            _compared(small, large, service, name, params)
            for service, asked in (("offers", LISTS), ("search", SEARCHES))
            for name, params in asked.items()
        ]
        return [memory, *rows], [Figure("import of 100,000 rows", LARGE / whole.seconds, "rows/s")]


def _compared(small: Stack, large: Stack, service: str, name: str, params: dict[str, Any]) -> Row:
    path = "/v1/offers" if service == "offers" else "/v1/search"
    few, many = list[float](), list[float]()
    with client(small, service) as one, client(large, service) as other:
        for number in range(WARM_UP + REQUESTS):
            pair = _timed(one, path, params), _timed(other, path, params)
            if number >= WARM_UP:
                few.append(pair[0])
                many.append(pair[1])
    return latency(f"{name}: 100,000 offers against 1,000, median", many, few, COST)


def _timed(asking: httpx2.Client, path: str, params: dict[str, Any]) -> float:
    started = time.perf_counter()
    asking.get(path, params=params).raise_for_status()
    return time.perf_counter() - started


class _Watch(threading.Thread):
    """Looks at a process's memory ten times a second; how long it looked and the most it saw."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid, self._enough, self._began = pid, threading.Event(), time.monotonic()
        self.peak_mb = self.seconds = 0.0

    def run(self) -> None:
        """Look until the block ends."""
        while not self._enough.wait(0.1):
            self.peak_mb = max(self.peak_mb, resident_mb(self._pid))

    def __enter__(self) -> "_Watch":
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._enough.set()
        self.join()
        self.seconds = time.monotonic() - self._began


def _import(town: Stack, source: str, count: int) -> _Watch:
    """Import invented offers and wait until search has them too."""
    with client(town, "offers", "editor") as offers, client(town, "search") as search:
        with _Watch(town.children["offers"].pid) as watch:
            order = {"board": "kita", "source": source}
            headers = {"Content-Type": "application/x-ndjson"}
            answer = offers.post("/v1/imports", params=order, headers=headers, content=_lines(count))
            place = answer.raise_for_status().headers["Location"]
            while (found := offers.get(place).json())["status"] not in ("done", "failed"):
                time.sleep(0.2)
        if found["created"] != count:
            raise RuntimeError(f"the import is not complete: {found}")
        while search.get("/v1/index/status").json()["lag"]["messages"]:
            time.sleep(0.5)
    return watch


def _lines(count: int) -> Iterator[bytes]:
    """Offers that are alike in kind and different in every word that is counted or searched."""
    chance = random.Random(count)
    for number in range(count):
        name = " ".join(chance.sample(WORDS, 3))
        offer = {
            "key": f"{number}",
            "title": {"de": f"Kita {name} {number}"},
            "summary": {"de": "Ein Haus mit Garten, Werkstatt und langen Öffnungszeiten."},
            "place": {
                "lat": 50.2 + chance.random() / 10,
                "lon": 10.9 + chance.random() / 10,
                "district": chance.choice(DISTRICTS),
            },
            "fields": {
                "facility": chance.choice(FACILITIES),
                "concept": chance.sample(CONCEPTS, 2),
                "places": chance.randrange(10, 120),
            },
        }
        yield json.dumps(offer, ensure_ascii=False).encode() + b"\n"
