"""What a service does while something it needs is away, frozen, slow or missing: next to nothing, and it says what it lacks.

Seconds are enough to see a loop that spins or keeps what it should forget; `./coburg test faults --long` makes minutes
of them, as long as it took such loops to fill a machine. Two towns, one on each kind of database, wait side by side.
Figures are printed with `-s`.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

import httpx2
import nats
import psycopg
import pytest
from uuid_utils import uuid7

from cli import mail
from libs.contracts.topology import CONSUMERS
from tests.postgres import Postgres, postgres
from tests.stack import Stack, database_of
from tests.system.conftest import UNLIMITED
from tests.system.outages import (
    Watched,
    back,
    check_calm,
    frozen,
    pids_of,
    pids_of_server,
    slow,
    stopped,
    written,
)
from tests.system.town import Town, content, unique_word
from tests.waiting import until

pytestmark = pytest.mark.timeout(1500)
SERVICES = ("offers", "retail", "search", "notify")
ON_DATABASE = ("offers", "retail", "notify")
Holding = Callable[..., AbstractContextManager[None]]


class Towns(NamedTuple):
    """A town on SQLite, and one whose services are on a PostgreSQL that may be frozen."""

    on_sqlite: Town
    on_postgresql: Town
    server: Postgres

    @property
    def both(self) -> list[Town]:
        return [self.on_sqlite, self.on_postgresql]

    def of(self, name: str, among: list[Town] | None = None) -> list[Watched]:
        return [Watched(town, name) for town in among or self.both]

    @property
    def services(self) -> list[Watched]:
        return [each for name in SERVICES for each in self.of(name)]

    @property
    def on_database(self) -> list[Watched]:
        return [each for name in ON_DATABASE for each in self.of(name, [self.on_postgresql])]


@pytest.fixture(scope="module")
def seconds(request: pytest.FixtureRequest) -> float | None:
    """How long an outage lasts; None for as short as makes it visible."""
    given: float | None = request.config.getoption("--long")
    return given


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Towns]:
    """Two towns of their own, with a thing or two in them."""
    with ExitStack() as stack, postgres() as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE notify")
            connection.execute("CREATE DATABASE retail")
        settings = {
            "COBURG_OFFERS_DATABASE_URL": server.url,
            "COBURG_NOTIFY_DATABASE_URL": database_of(server.url, "notify"),
            "COBURG_RETAIL_DATABASE_URL": database_of(server.url, "retail"),
        }
        towns = [
            a_town(stack, tmp_path_factory.mktemp("calm"), more) for more in (dict[str, str](), settings)
        ]
        yield Towns(towns[0], towns[1], server)
        stack.close()  # before the server, which nobody may miss


def a_town(stack: ExitStack, folder: Path, settings: dict[str, str]) -> Town:
    town = Town(stack.enter_context(Stack(folder, **UNLIMITED, **settings)).start())
    stack.callback(town.close)
    town.create(content(unique_word())).raise_for_status()
    return town


@pytest.fixture
def towns(running: Towns) -> Towns:
    """Both, ready."""
    until(lambda: not any(service.lacks() for service in running.services), 60)
    return running


def test_without_a_broker_all_wait_quietly(towns: Towns, seconds: float | None) -> None:
    with stopped(towns.both, "nats"):
        until(lambda: not any(service.figure("bus_connected") for service in towns.services))
        words = written(towns.both)
        assert all(service.lacks().startswith("broker") for service in towns.services)
        check_calm(towns.services, seconds)
    assert back(towns.services, words) < 15


@pytest.mark.parametrize("how", [frozen, slow])
def test_with_a_broker_that_does_not_answer_all_wait_quietly(
    towns: Towns, seconds: float | None, how: Holding
) -> None:
    with how(*pids_of(towns.both, "nats")):
        words = written(towns.both, 3)
        if how is frozen:
            lacking = [service.lacks() for service in towns.services]
            assert all("broker" in each or "stream" in each for each in lacking)
        check_calm(towns.services, seconds)
    assert back(towns.services, words) < 20


def test_without_their_durables_all_wait_quietly(towns: Towns, seconds: float | None) -> None:
    try:
        for town in towns.both:
            asyncio.run(take_durables_away(town))
        words = written(towns.both, 3)
        lacking = {
            "offers": "offers-bookings",
            "retail": "retail-shops",
            "search": "search",
            "notify": "notify",
        }
        for name, durable in lacking.items():
            assert all(f"consumer {durable}" in service.lacks() for service in towns.of(name))
        check_calm(towns.services, seconds)
    finally:
        for town in towns.both:
            town.stack.provision()
    assert back(towns.services, words) < 20


async def take_durables_away(town: Town) -> None:
    connection = await nats.connect(town.stack.url("nats"))
    for each in CONSUMERS:
        await connection.jetstream().delete_consumer(each.stream, each.durable)
    await connection.close()


@pytest.mark.parametrize("how", [None, frozen, slow])
def test_without_a_search_engine_all_wait_quietly(
    towns: Towns, seconds: float | None, how: Holding | None
) -> None:
    holding = (
        partial(how, *pids_of(towns.both, "meilisearch"))
        if how
        else partial(stopped, towns.both, "meilisearch")
    )
    with holding():
        words = written(towns.both)
        check_calm(towns.services, seconds)
    assert back(towns.services, words) < 40


@pytest.mark.parametrize("how", [None, frozen, slow])
def test_without_a_mail_server_notify_waits_quietly(
    towns: Towns, seconds: float | None, how: Holding | None
) -> None:
    """Registering is answered at once; the mail comes when there is somebody to take it."""
    holding = (
        partial(how, *pids_of(towns.both, "mailbox")) if how else partial(stopped, towns.both, "mailbox")
    )
    address = f"{uuid7().hex}@example.org"
    with holding():
        for town in towns.both:
            url = f"{town.stack.url('notify')}/v1/recipients"
            httpx2.post(url, json={"address": address}, timeout=5).raise_for_status()
        check_calm(towns.of("notify"), seconds)
        assert not any(service.lacks() for service in towns.of("notify")), (
            "who asks it for feeds need not wait"
        )
    # It is asked again after at most a minute.
    until(lambda: all(arrived(town, address) == 1 for town in towns.both), 80)


def arrived(town: Town, address: str) -> int:
    return sum(each.to == address for each in mail.listed(town.stack.home))


@pytest.mark.parametrize("how", [frozen, slow])
def test_with_a_database_that_does_not_answer_all_wait_quietly(
    towns: Towns, seconds: float | None, how: Holding
) -> None:
    with how(*pids_of_server(towns.server)):
        if how is frozen:
            assert all("database" in service.lacks() for service in towns.on_database)
        check_calm(towns.on_database, seconds)
    words = written([towns.on_postgresql], 3)
    assert back(towns.services, words) < 20


def test_without_a_database_all_wait_quietly(towns: Towns, seconds: float | None) -> None:
    towns.server.kill9()
    try:
        assert all("database" in service.lacks() for service in towns.on_database)
        # A dozen jobs that try again, in the first seconds often, after 15 s in the end.
        check_calm(towns.on_database, seconds, restarts_a_minute=60 if seconds else 300)
    finally:
        towns.server.start()
    until(lambda: not any(service.lacks() for service in towns.on_database), 30)
    words = written([towns.on_postgresql], 3)
    assert back(towns.services, words) < 20
