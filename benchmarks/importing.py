"""Import to searchable of the Berlin register, against a bare pipeline of the same engines in the same run."""

import asyncio
import time
from pathlib import Path
from statistics import median
from typing import Any

import httpx2
from meilisearch import Client
from meilisearch.models.task import TaskInfo

from benchmarks import bulk
from benchmarks.report import Figure, Row, rate
from benchmarks.stack import (
    ROWS,
    administrator,
    client,
    cpu_seconds,
    documents,
    engine,
    import_register,
    stack,
)
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
        administrated = administrator(running)
        with client(running, "offers", "editor") as offers, engine(running) as meilisearch:
            _warm(administrated)
            before = _spent(running)
            taken = _import(offers, meilisearch)
            spent = {name: seconds - before[name] for name, seconds in _spent(running).items()}
            found = documents(administrated, INDEX)
            settings = administrated.index(INDEX).get_settings()
            running.stop("offers", "search")
            work = bulk.work_of(folder / "offers.db", found)
            best = min(_bare(folder, running, settings, work, size) for size in BATCHES)
    return len(work.documents) / taken, len(work.documents) / best, spent


def _spent(running: Stack) -> Spent:
    """Seconds of CPU that each process has used."""
    return {name: cpu_seconds(running.children[name].pid) for name in PROCESSES}


def _warm(meilisearch: Client) -> None:
    """Wait until the engine has loaded its German dictionary with the first document; both sides start warm."""
    while meilisearch.get_tasks({"statuses": ["enqueued", "processing"]}).total:
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
    settings: dict[str, Any],
    work: bulk.Work,
    size: int,
) -> float:
    """Seconds that the bare pipeline takes into an empty index with the same settings."""
    index, meilisearch, bare = f"limit_{size}", administrator(running), engine(running)
    _wait(meilisearch, meilisearch.create_index(index, {"primaryKey": "key"}))
    _wait(meilisearch, meilisearch.index(index).update_settings(settings))

    async def go() -> float:
        base = {"base_url": str(bare.base_url), "headers": bare.headers, "timeout": 60}
        async with httpx2.AsyncClient(**base) as asked:  # type: ignore[arg-type]
            return await bulk.run(folder, running.url("nats"), asked, index, work, size)

    taken = asyncio.run(go())
    found = meilisearch.index(index).get_stats().number_of_documents
    if found < ROWS:
        raise RuntimeError("the bare pipeline lost documents")
    _wait(meilisearch, meilisearch.delete_index(index))
    return taken


def _wait(meilisearch: Client, task: TaskInfo) -> None:
    """Wait for a task; RuntimeError when it failed."""
    done = meilisearch.wait_for_task(task.task_uid, timeout_in_ms=600_000, interval_in_ms=10)
    if done.status != "succeeded":
        raise RuntimeError(f"task {done.uid}: {done.error}")
