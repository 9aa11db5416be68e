"""Import to searchable of the Berlin register, against a bare pipeline of the same engines in the same run."""

import asyncio
import time
from pathlib import Path
from statistics import median
from typing import Any

import httpx2

from benchmarks import bulk
from benchmarks.report import Figure, Row, rate
from benchmarks.stack import ROWS, client, cpu_seconds, documents, engine, import_register, stack
from tests.stack import Stack

ROUNDS = 3
BATCHES = (500, 1000, 2000)
INDEX = "cards"
POLL_SECONDS = 0.02
PROCESSES = ("offers", "search", "nats", "meilisearch")
GOAL = 0.6

Spent = dict[str, float]


def run(folder: Path) -> tuple[list[Row], list[Figure]]:
    """Each round has a fresh stack: first the import, then the bare pipeline with what it led to."""
    rounds = [_round(folder / str(number)) for number in range(ROUNDS)]
    ours, limit, spent = zip(*rounds, strict=True)
    row = rate(
        "import → searchable, 2,552 rows, against a bare pipeline",
        list(ours),
        list(limit),
        GOAL,
        "documents/s",
    )
    figures = [
        Figure(
            f"import: CPU of {name} for 1,000 rows", median(each[name] for each in spent) / ROWS * 1000, "s"
        )
        for name in PROCESSES
    ]
    return [row], figures


def _round(folder: Path) -> tuple[float, float, Spent]:
    with stack(folder) as running:
        running.start()
        with client(running, "offers", "editor") as offers, engine(running) as meilisearch:
            _warm(meilisearch)
            before = _spent(running)
            taken = _import(offers, meilisearch)
            spent = {name: seconds - before[name] for name, seconds in _spent(running).items()}
            found = documents(meilisearch, INDEX)
            settings = meilisearch.get(f"/indexes/{INDEX}/settings").json()
            running.stop("offers", "search")
            work = bulk.work_of(folder / "offers.db", found)
            best = min(_bare(folder, running, meilisearch, settings, work, size) for size in BATCHES)
    return len(work.documents) / taken, len(work.documents) / best, spent


def _spent(running: Stack) -> Spent:
    """Seconds of CPU that each process has used."""
    return {name: cpu_seconds(running.children[name].pid) for name in PROCESSES}


def _warm(meilisearch: httpx2.Client) -> None:
    """Wait until the engine has loaded its German dictionary with the first document; both sides start warm."""
    while meilisearch.get("/tasks", params={"statuses": "enqueued,processing"}).json()["total"]:
        time.sleep(POLL_SECONDS)


def _import(offers: httpx2.Client, meilisearch: httpx2.Client) -> float:
    """Seconds until the last row is searchable, asked of the engine itself."""
    started = time.perf_counter()
    place = import_register(offers)
    question = {"q": "", "filter": "kind = offer", "hitsPerPage": 1}
    while True:
        hits = meilisearch.post(f"/indexes/{INDEX}/search", json=question).json().get("totalHits", 0)
        if hits >= ROWS:
            break
        time.sleep(POLL_SECONDS)
    taken = time.perf_counter() - started
    if offers.get(place).json()["created"] != ROWS:
        raise RuntimeError("the import is not complete")
    return taken


def _bare(
    folder: Path,
    running: Stack,
    meilisearch: httpx2.Client,
    settings: dict[str, Any],
    work: bulk.Work,
    size: int,
) -> float:
    """Seconds that the bare pipeline takes into an empty index with the same settings."""
    index = f"limit_{size}"
    _task(meilisearch, meilisearch.post("/indexes", json={"uid": index, "primaryKey": "key"}))
    _task(meilisearch, meilisearch.patch(f"/indexes/{index}/settings", json=settings))

    async def go() -> float:
        base = {"base_url": str(meilisearch.base_url), "headers": meilisearch.headers, "timeout": 60}
        async with httpx2.AsyncClient(**base) as asked:  # type: ignore[arg-type]
            return await bulk.run(folder, running.url("nats"), asked, index, work, size)

    taken = asyncio.run(go())
    found = meilisearch.get(f"/indexes/{index}/stats").json()["numberOfDocuments"]
    if found < ROWS:
        raise RuntimeError("the bare pipeline lost documents")
    _task(meilisearch, meilisearch.delete(f"/indexes/{index}"))
    return taken


def _task(meilisearch: httpx2.Client, answer: httpx2.Response) -> None:
    """Wait for the task an answer speaks of; RuntimeError when it failed."""
    uid = answer.raise_for_status().json()["taskUid"]
    while (status := meilisearch.get(f"/tasks/{uid}").json())["status"] in ("enqueued", "processing"):
        time.sleep(POLL_SECONDS / 4)
    if status["status"] != "succeeded":
        raise RuntimeError(f"task {uid}: {status['error']}")
