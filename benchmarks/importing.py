"""Import to searchable of the Berlin register, against adding the same documents straight to Meilisearch."""

import time
from pathlib import Path
from typing import Any

import httpx2

from benchmarks.report import Row, rate
from benchmarks.stack import ROWS, client, documents, encoded, engine, import_register, stack

ROUNDS = 3
BATCHES = (1000, 2000, 4000)
INDEX = "cards"
POLL_SECONDS = 0.02


def run(folder: Path) -> list[Row]:
    """Each round has a fresh stack: first the import, then the engine alone with the documents it led to."""
    pairs = [_round(folder / str(number)) for number in range(ROUNDS)]
    ours, limit = zip(*pairs, strict=True)
    return [rate("import → searchable, 2,552 rows", list(ours), list(limit), 0.8, "documents/s")]


def _round(folder: Path) -> tuple[float, float]:
    with stack(folder) as running:
        running.start()
        with client(running, "offers", "editor") as offers, engine(running) as meilisearch:
            _warm(meilisearch)
            taken = _import(offers, meilisearch)
            found = documents(meilisearch, INDEX)
            settings = meilisearch.get(f"/indexes/{INDEX}/settings").json()
            running.stop("offers", "search")
            best = min(_add(meilisearch, settings, found, size) for size in BATCHES)
    return len(found) / taken, len(found) / best


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


def _add(
    meilisearch: httpx2.Client, settings: dict[str, Any], found: list[dict[str, Any]], size: int
) -> float:
    """Seconds to add all documents to an empty index with the same settings."""
    index = f"limit_{size}"
    batches = [encoded(found[at : at + size]) for at in range(0, len(found), size)]
    _task(meilisearch, meilisearch.post("/indexes", json={"uid": index, "primaryKey": "key"}))
    _task(meilisearch, meilisearch.patch(f"/indexes/{index}/settings", json=settings))
    started = time.perf_counter()
    headers = {"Content-Type": "application/json"}
    sent = [
        meilisearch.post(f"/indexes/{index}/documents", content=batch, headers=headers) for batch in batches
    ]
    for answer in sent:
        _task(meilisearch, answer)
    taken = time.perf_counter() - started
    _task(meilisearch, meilisearch.delete(f"/indexes/{index}"))
    return taken


def _task(meilisearch: httpx2.Client, answer: httpx2.Response) -> None:
    """Wait for the task an answer speaks of; RuntimeError when it failed."""
    uid = answer.raise_for_status().json()["taskUid"]
    while (status := meilisearch.get(f"/tasks/{uid}").json())["status"] in ("enqueued", "processing"):
        time.sleep(POLL_SECONDS / 4)
    if status["status"] != "succeeded":
        raise RuntimeError(f"task {uid}: {status['error']}")
