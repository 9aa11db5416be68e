"""The least that makes a write findable: a commit, a publish, a fetch, a document that is added; no validation, no versions."""

import asyncio
import json
import sqlite3
from typing import Any
from uuid import uuid4

import httpx2
import nats
from nats.js.api import ConsumerConfig, StreamConfig

from tests.stack import Stack

STREAM, SUBJECT = "BARE", "bare.offer"


class Bare:
    """One writer and one reader on the stack's own engines."""

    def __init__(self, running: Stack, meilisearch: httpx2.Client, index: str) -> None:
        self._loop = asyncio.Runner()
        self._engine, self._index = meilisearch, index
        self._database = sqlite3.connect(running.home.folder / "bare.db", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.execute("CREATE TABLE offer (id TEXT PRIMARY KEY, content TEXT)")
        self._database.execute("CREATE TABLE outbox (id INTEGER PRIMARY KEY, body BLOB)")
        self._loop.run(self._connect(running))

    async def _connect(self, running: Stack) -> None:
        self._client = await nats.connect(running.url("nats"))
        self._js = self._client.jetstream()
        await self._js.add_stream(StreamConfig(name=STREAM, subjects=[f"{SUBJECT}.>"]))
        self._reader = await self._js.pull_subscribe(f"{SUBJECT}.>", config=ConsumerConfig(name="bare"))

    def write(self, document: dict[str, Any]) -> None:
        """Have the document searchable."""
        body = json.dumps(document, ensure_ascii=False)
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.execute("INSERT INTO offer VALUES (?, ?)", (document["key"], body))
            self._database.execute("INSERT INTO outbox (body) VALUES (?)", (body,))
        self._add(self._loop.run(self._travel(document["key"], body.encode())))

    async def _travel(self, key: str, body: bytes) -> bytes:
        await self._js.publish(f"{SUBJECT}.{key}", body, headers={"Nats-Msg-Id": uuid4().hex})
        (message,) = await self._reader.fetch(1)
        await message.ack()
        return message.data

    def _add(self, body: bytes) -> None:
        self._engine.post(
            f"/indexes/{self._index}/documents",
            content=b"[" + body + b"]",
            headers={"Content-Type": "application/json"},
        ).raise_for_status()

    def close(self) -> None:
        """Leave nothing behind on the bus."""
        self._loop.run(self._js.delete_stream(STREAM))
        self._loop.run(self._client.close())
        self._loop.close()
        self._database.close()
