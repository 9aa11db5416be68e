"""Search in this process on a real broker and a real Meilisearch, with an index and streams of its own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import nats
import pytest
from fastapi.testclient import TestClient
from meilisearch import Client
from meilisearch.models.task import TaskInfo
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from cli import keys
from cli.home import Home
from libs.contracts.card import Card
from libs.contracts.event import Envelope, envelope
from libs.contracts.offers import OfferChanged
from services.search.app import create
from services.search.engine import Engine
from tests.conftest import Meilisearch
from tests.streams import fresh_streams
from tests.waiting import until

T = TypeVar("T")
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
async def engine(meilisearch: Meilisearch) -> AsyncIterator[Engine]:
    engine = Engine(meilisearch.url, meilisearch.key)
    yield engine
    await engine.close()


def client(meilisearch: Meilisearch) -> Client:
    """Meilisearch by its own client, for what only a test does."""
    return Client(meilisearch.url, meilisearch.key, timeout=30)


def done(client: Client, task: TaskInfo) -> None:
    """Wait until it is; it must go well."""
    assert client.wait_for_task(task.task_uid, timeout_in_ms=30_000, interval_in_ms=10).status == "succeeded"


def asked(meilisearch: Meilisearch, work: Callable[[Engine], Awaitable[T]]) -> T:
    """What the engine answers, for tests that run in no loop."""

    async def ask() -> T:
        engine = Engine(meilisearch.url, meilisearch.key)
        try:
            return await work(engine)
        finally:
            await engine.close()

    return asyncio.run(ask())


def event(
    thing: str, version: int = 1, traceparent: str | None = None, **card: Any
) -> Envelope[OfferChanged]:
    """An offer's fact as the offers service would publish it."""
    card = {"kind": "offer", "board": "kita", "title": {"de": f"{thing} v{version}"}} | card
    fact = OfferChanged(board="kita", changed_at=NOW, card=Card.model_validate(card))
    return envelope(
        fact,
        event_id=f"{thing}-{version}-{uuid4().hex[:8]}",
        subject=thing,
        version=version,
        time=datetime.now(UTC),
        prefix="de.coburg",
        schema_base="http://offers/v1/events",
        traceparent=traceparent,
    )


class Running:
    """A search service that is up, and its broker."""

    def __init__(self, client: TestClient, nats_url: str, home: Home) -> None:
        self.client, self._nats_url, self._home = client, nats_url, home
        self.folder = home.folder

    def publish(self, *events: Envelope[Any]) -> None:
        """Publish in this order."""
        self.send(*((f"city.{one.name}.{one.subject}", one.to_bytes()) for one in events))

    def send(self, *messages: tuple[str, bytes], headers: dict[str, str] | None = None) -> None:
        """Publish raw bytes."""

        async def work(js: JetStreamContext) -> None:
            for subject, body in messages:
                await js.publish(subject, body, headers=headers)

        self.on_bus(work)

    def on_bus(self, work: Callable[[JetStreamContext], Awaitable[T]]) -> T:
        """Do something with JetStream."""

        async def connected() -> T:
            client = await nats.connect(self._nats_url)
            try:
                return await work(client.jetstream())
            finally:
                await client.close()

        return asyncio.run(connected())

    def dead(self, count: int = 1) -> list[Msg]:
        """The dead letters, once there are so many."""

        async def letters(js: JetStreamContext) -> list[Msg]:
            info = await js.stream_info("DEAD")
            reader = await js.pull_subscribe("dead.>", stream="DEAD")
            return await reader.fetch(info.state.messages, timeout=2) if info.state.messages >= count else []

        return until(lambda: self.on_bus(letters))

    def settled(self, seconds: float = 30) -> dict[str, Any]:
        """The index's status, once nothing is left to be indexed."""

        def status() -> dict[str, Any] | None:
            found = self.client.get("/v1/index/status")
            body: dict[str, Any] = found.json()
            done = found.status_code == 200 and body["lag"]["messages"] == 0 and body["synonyms"]
            return body if done and not (body["reindex"] or {}).get("running") else None

        return until(status, seconds) or {}

    def search(self, **params: Any) -> dict[str, Any]:
        """A search that is answered."""
        params = {"from" if name == "since" else name: value for name, value in params.items()}
        answer = self.client.get("/v1/search", params=params)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def ids(self, **params: Any) -> list[str]:
        """What a search finds, in its order."""
        return [item["id"] for item in self.search(**params)["items"]]

    def operator(self) -> dict[str, str]:
        """The header of an operator's request."""
        return {"Authorization": f"Bearer {keys.token(self._home, ['operator'], (), 1, 'test')}"}


@contextmanager
def running(nats_url: str, meilisearch: Meilisearch, home: Path, **settings: str) -> Iterator[Running]:
    """Start search, with an index of its own unless one is named."""
    environ = {
        "COBURG_HOME": str(home),
        "COBURG_NATS_URL": nats_url,
        "COBURG_MEILISEARCH_URL": meilisearch.url,
        "COBURG_MEILISEARCH_KEY": meilisearch.key,
        "COBURG_SEARCH_INDEX": f"cards-{uuid4().hex[:8]}",
        "COBURG_RATE_LIMIT": "",
    } | settings
    ours = Home.of(environ)
    keys.ensure(ours)
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in environ.items():
            patch.setenv(variable, value)
        with TestClient(create(), raise_server_exceptions=False) as client:
            until(lambda: client.get("/health/ready").status_code == 200, 60)
            yield Running(client, nats_url, ours)


@pytest.fixture
def search(nats_url: str, meilisearch: Meilisearch, tmp_path: Path) -> Iterator[Running]:
    """Search with an empty index on an empty broker."""
    asyncio.run(fresh_streams(nats_url))
    with running(nats_url, meilisearch, tmp_path) as service:
        yield service


@pytest.fixture(scope="module")
def shared(
    nats_url: str, meilisearch: Meilisearch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """The same for tests that only read; a module fills it once."""
    asyncio.run(fresh_streams(nats_url))
    with running(nats_url, meilisearch, tmp_path_factory.mktemp("search")) as service:
        yield service
