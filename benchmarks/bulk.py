"""The bare pipeline for many rows: the same engines and the same work by a plain script, with nothing checked or traced.

Rows and event bodies are inserted and committed, published gathered and raw, fetched raw, and the documents they lead to
are added, all at once on the same cores.
"""

import asyncio
import contextlib
import json
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import nats
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, StorageType, StreamConfig

AT_ONCE = 500
IN_FLIGHT = 200
FETCHED = 1000
TABLES = """
PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
CREATE TABLE thing (id TEXT PRIMARY KEY, content TEXT NOT NULL);
CREATE TABLE outbox (id INTEGER PRIMARY KEY, subject TEXT NOT NULL, body BLOB NOT NULL, sent INTEGER);
"""


@dataclass(frozen=True)
class Work:
    """What is to be done: events with the content of their rows, and the document of each thing by its id."""

    events: list[tuple[str, str, bytes]]
    documents: dict[str, dict[str, Any]]


def work_of(database: Path, documents: Iterable[dict[str, Any]]) -> Work:
    """What a stack did when it imported, read from its outbox and its index."""
    by_id = {document["id"]: document for document in documents}
    with contextlib.closing(sqlite3.connect(database)) as db:
        sent = db.execute(
            "SELECT subject, body FROM outbox WHERE subject LIKE 'city.%' ORDER BY id"
        ).fetchall()
    found = [(subject, subject.rsplit(".", 1)[-1], body) for subject, body in sent]
    return Work([each for each in found if each[1] in by_id], by_id)


async def run(
    folder: Path, url: str, engine: httpx2.AsyncClient, index: str, work: Work, batch: int
) -> float:
    """Seconds from the first insert until the last document is searchable."""
    client = await nats.connect(url)
    js = client.jetstream()
    config = StreamConfig(name=f"BARE_{batch}", subjects=[f"bare{batch}.>"], storage=StorageType.FILE)
    await js.add_stream(config)
    file = folder / f"bare_{batch}.db"
    with contextlib.closing(sqlite3.connect(file)) as db:
        db.executescript(TABLES)
    started = time.perf_counter()
    await asyncio.gather(_tell(js, file, work, f"bare{batch}"), _hear(js, engine, index, work, batch))
    taken = time.perf_counter() - started
    await js.delete_stream(f"BARE_{batch}")
    await client.close()
    return taken


async def _tell(js: JetStreamContext, file: Path, work: Work, prefix: str) -> None:
    """Insert and commit chunk by chunk; publish each behind its commit, while the next is inserted."""
    sending: list[asyncio.Task[None]] = []
    for at in range(0, len(work.events), AT_ONCE):
        chunk = work.events[at : at + AT_ONCE]
        await asyncio.to_thread(_insert, file, work, chunk)
        sending.append(asyncio.create_task(_send(js, prefix, chunk)))
    await asyncio.gather(*sending)


def _insert(file: Path, work: Work, chunk: list[tuple[str, str, bytes]]) -> None:
    rows = [(thing, json.dumps(work.documents[thing])) for _, thing, _ in chunk]
    bodies = [(subject, body) for subject, _, body in chunk]
    with contextlib.closing(sqlite3.connect(file)) as db, db:
        db.executemany("INSERT INTO thing VALUES (?, ?) ON CONFLICT DO NOTHING", rows)
        db.executemany("INSERT INTO outbox (subject, body) VALUES (?, ?)", bodies)


async def _send(js: JetStreamContext, prefix: str, chunk: list[tuple[str, str, bytes]]) -> None:
    for at in range(0, len(chunk), IN_FLIGHT):
        some = chunk[at : at + IN_FLIGHT]
        await asyncio.gather(*(js.publish(f"{prefix}.{thing}", body) for _, thing, body in some))


async def _hear(js: JetStreamContext, engine: httpx2.AsyncClient, index: str, work: Work, batch: int) -> None:
    """Fetch, acknowledge, and add the documents in batches; ends when the last one is searchable."""
    pulled = await js.pull_subscribe(f"bare{batch}.>", "bare", config=ConsumerConfig(max_ack_pending=10_000))
    waiting: list[dict[str, Any]] = []
    left, last = len(work.events), 0
    while left:
        with contextlib.suppress(TimeoutError):
            messages = await pulled.fetch(FETCHED, timeout=0.2)
            left -= len(messages)
            waiting += [work.documents[message.subject.rsplit(".", 1)[-1]] for message in messages]
            await asyncio.gather(*(message.ack() for message in messages))
        while len(waiting) >= batch or (waiting and not left):
            last = await _add(engine, index, waiting[:batch])
            del waiting[:batch]
    while (await engine.get(f"/tasks/{last}")).json()["status"] in ("enqueued", "processing"):
        await asyncio.sleep(0.01)


async def _add(engine: httpx2.AsyncClient, index: str, documents: list[dict[str, Any]]) -> int:
    content = json.dumps(documents, ensure_ascii=False).encode()
    answer = await engine.post(
        f"/indexes/{index}/documents", content=content, headers={"Content-Type": "application/json"}
    )
    return int(answer.raise_for_status().json()["taskUid"])
