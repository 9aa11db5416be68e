"""Fixtures with real components; each starts when the first test asks for it."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import nats
import pytest
from nats.js import JetStreamContext

from tests import sharing
from tests.postgres import postgres, programs
from tests.stack import Stack, new_database
from tests.streams import fresh_streams, no_streams

pytest.register_assert_rewrite("tests.conformance")
# Thousands of tests are collected and stay: looking for garbage among them as often as usual is a tenth of the time.
gc.set_threshold(50_000, 20, 20)


class Meilisearch(NamedTuple):
    """A running Meilisearch."""

    url: str
    key: str


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--long` makes outages last minutes; `--long=600` as many seconds."""
    parser.addoption(
        "--long", nargs="?", const=300.0, type=float, default=None, help="Seconds of each outage."
    )


def pytest_configure(config: pytest.Config) -> None:
    """What all processes share is prepared before the others start."""
    if not hasattr(config, "workerinput"):
        programs()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first, so that no worker is left alone with it at the end."""
    items.sort(key=lambda item: (sharing.rank(item.nodeid), sharing.group(item.nodeid)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Tests that share something stay together."""
    return sharing.scheduler(config, log)


@pytest.fixture(scope="session")
def nats_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A NATS server with JetStream and without any stream."""
    with Stack(tmp_path_factory.mktemp("nats")) as stack:
        yield stack.start("nats").url("nats")


@pytest.fixture(scope="session")
def meilisearch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meilisearch]:
    """An empty Meilisearch."""
    with Stack(tmp_path_factory.mktemp("meilisearch")) as stack:
        yield Meilisearch(stack.start("meilisearch").url("meilisearch"), stack.meilisearch_key)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Everything that `coburg up` starts, on SQLite; shared, so tests leave it as they found it."""
    with Stack(tmp_path_factory.mktemp("stack")) as stack:
        yield stack.start()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server: the one at COBURG_TEST_POSTGRES_URL, else one of our own."""
    given = os.environ.get("COBURG_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    with postgres() as server:
        yield server.url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database, once of each kind that services run on."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    with new_database(request.getfixturevalue("postgres_url")) as url:
        yield url


@pytest.fixture
def anyio_backend() -> str:
    """What async tests run on."""
    return "asyncio"


@pytest.fixture
def streams(nats_url: str) -> Iterator[None]:
    """Every stream as topology says, and nothing in them."""
    asyncio.run(fresh_streams(nats_url))
    yield
    asyncio.run(no_streams(nats_url))


@pytest.fixture
async def js(streams: None, nats_url: str) -> AsyncIterator[JetStreamContext]:
    """JetStream with those streams."""
    client = await nats.connect(nats_url)
    yield client.jetstream()
    await client.close()
