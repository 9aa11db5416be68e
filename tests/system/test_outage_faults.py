"""What a service does while something it needs is away, frozen or missing: next to nothing, and it says what it lacks.

Seconds are enough to see a loop that spins or keeps what it should forget; `./coburg test faults --long` makes minutes
of them, as long as it took such loops to fill a machine. Figures are printed with `-s`.
"""

import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2
import nats
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from libs.contracts.topology import CONSUMERS
from tests.postgres import Postgres, postgres
from tests.stack import Stack
from tests.system.conftest import UNLIMITED
from tests.system.town import Town, content, unique_word
from tests.waiting import until

pytestmark = pytest.mark.timeout(1500)
# What a service may do at most while it can only wait: of a core, in MiB, tasks, restarts and requests a minute.
MOST_CPU, MOST_GROWTH, MOST_TASKS = 0.02, 10.0, 20
SHORT_SECONDS, SETTLE_SECONDS = 6.0, 2.0
# At rest a service looks for work now and then: in a few seconds its share is told less exactly.
SHORT_CPU = 0.06
MEBI = 1024 * 1024


@dataclass
class Load:
    """What one process has used so far."""

    cpu: float
    memory: float
    restarts: float
    tasks: float
    requests: float


class Watched:
    """A service of a town under an outage."""

    def __init__(self, town: Town, name: str) -> None:
        self.name, self._town = name, town

    def load(self) -> Load:
        """Its use of the machine, and its own figures."""
        process = psutil.Process(self._town.stack.children[self.name].pid)
        used = process.cpu_times()
        return Load(
            used.user + used.system,
            process.memory_info().rss / MEBI,
            self.figure("job_restarts_total"),
            self.figure("tasks"),
            self.figure("pull_requests_total"),
        )

    def figure(self, name: str) -> float:
        """The sum of one of its figures."""
        text = httpx2.get(f"{self._town.stack.url(self.name)}/metrics", timeout=10).text
        families = text_string_to_metric_families(text)
        return sum(sample.value for family in families for sample in family.samples if sample.name == name)

    def lacks(self) -> str:
        """What it says it is not ready for; empty while it is."""
        answer = httpx2.get(f"{self._town.stack.url(self.name)}/health/ready", timeout=30)
        return "" if answer.status_code == 200 else str(answer.json()["detail"])


def check_calm(services: list[Watched], seconds: float | None, restarts_a_minute: float = 12) -> None:
    """All of them spend next to nothing for some seconds, and keep nothing."""
    time.sleep(SETTLE_SECONDS if seconds is None else 15)
    duration, most = (SHORT_SECONDS, SHORT_CPU) if seconds is None else (seconds, MOST_CPU)
    before, began = [service.load() for service in services], time.monotonic()
    time.sleep(duration)
    after, passed = [service.load() for service in services], time.monotonic() - began
    wrong = []
    for service, old, new in zip(services, before, after, strict=True):
        cpu, growth = (new.cpu - old.cpu) / passed, new.memory - old.memory
        per_minute = 60 / passed
        restarts = (new.restarts - old.restarts) * per_minute
        requests = (new.requests - old.requests) * per_minute
        print(
            f"{service.name}: {passed:.0f} s, cpu {cpu:.2%}, memory {new.memory:.1f} MiB {growth:+.1f}, "
            f"tasks {old.tasks:.0f} to {new.tasks:.0f}, restarts {restarts:.1f}/min, requests {requests:.1f}/min"
        )
        calm = cpu < most and growth < MOST_GROWTH and new.tasks - old.tasks < MOST_TASKS
        # Six durables, each after at most 8 s, or three a minute where it only waits.
        if not calm or restarts > restarts_a_minute or requests > 120:
            wrong.append(service.name)
    assert wrong == []


@pytest.fixture(scope="module")
def seconds(request: pytest.FixtureRequest) -> float | None:
    """How long an outage lasts; None for as short as makes it visible."""
    given: float | None = request.config.getoption("--long")
    return given


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest) -> Iterator[Postgres | None]:
    """A PostgreSQL that may be frozen, or none."""
    if request.param == "sqlite":
        yield None
        return
    with postgres() as server:
        yield server


@pytest.fixture(scope="module")
def town(server: Postgres | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town of its own, with a thing or two in it."""
    settings = dict(UNLIMITED) | ({"COBURG_OFFERS_DATABASE_URL": server.url} if server else {})
    with Stack(tmp_path_factory.mktemp("calm"), **settings) as stack:
        town = Town(stack.start())
        town.create(content(unique_word())).raise_for_status()
        yield town
        town.close()


@pytest.fixture
def services(town: Town) -> list[Watched]:
    """Both of them, ready."""
    found = [Watched(town, name) for name in ("offers", "search")]
    until(lambda: not any(service.lacks() for service in found), 60)
    return found


@contextmanager
def frozen(*pids: int) -> Iterator[None]:
    """Processes that are there and do nothing."""
    for pid in pids:
        psutil.Process(pid).send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            psutil.Process(pid).send_signal(signal.SIGCONT)


@contextmanager
def stopped(town: Town, name: str) -> Iterator[None]:
    """A component that is not there."""
    town.stack.stop(name)
    try:
        yield
    finally:
        town.stack.launch(name)


def back(town: Town, services: list[Watched], words: list[str]) -> float:
    """Within seconds everything is as before, and what was accepted meanwhile is found; returns how many seconds."""
    began = time.monotonic()
    until(lambda: not any(service.lacks() for service in services), 60)
    until(lambda: all(town.total(word) == 1 for word in words), 60)
    passed = time.monotonic() - began
    print(f"back after {passed:.1f} s")
    return passed


def written(town: Town, count: int = 20) -> list[str]:
    """Offers that are accepted now; their words."""
    words = [unique_word() for _ in range(count)]
    for word in words:
        town.create(content(word)).raise_for_status()
    return words


def test_without_a_broker_all_wait_quietly(
    town: Town, services: list[Watched], seconds: float | None
) -> None:
    with stopped(town, "nats"):
        until(lambda: [service.figure("bus_connected") for service in services] == [0, 0])
        words = written(town)
        assert all(service.lacks().startswith("broker") for service in services)
        check_calm(services, seconds)
    assert back(town, services, words) < 15


def test_with_a_frozen_broker_all_wait_quietly(
    town: Town, services: list[Watched], seconds: float | None
) -> None:
    with frozen(town.stack.children["nats"].pid):
        words = written(town, 3)
        assert all("broker" in lacking or "stream" in lacking for lacking in map(Watched.lacks, services))
        check_calm(services, seconds)
    assert back(town, services, words) < 20


def test_without_their_durables_all_wait_quietly(
    town: Town, services: list[Watched], seconds: float | None
) -> None:
    async def take_away() -> None:
        connection = await nats.connect(town.stack.url("nats"))
        for each in CONSUMERS:
            await connection.jetstream().delete_consumer(each.stream, each.durable)
        await connection.close()

    asyncio.run(take_away())
    try:
        words = written(town, 3)
        assert "consumer offers-bookings" in services[0].lacks()
        assert "consumer search" in services[1].lacks()
        check_calm(services, seconds)
    finally:
        town.stack.provision()
    assert back(town, services, words) < 20


@pytest.mark.parametrize("how", ["away", "frozen"])
def test_without_a_search_engine_all_wait_quietly(
    town: Town, services: list[Watched], seconds: float | None, how: str
) -> None:
    pid = town.stack.children["meilisearch"].pid
    with stopped(town, "meilisearch") if how == "away" else frozen(pid):
        words = written(town)
        check_calm(services, seconds)
    assert back(town, services, words) < 40


def test_with_a_frozen_database_all_wait_quietly(
    town: Town, services: list[Watched], seconds: float | None, server: Postgres | None
) -> None:
    if server is None:
        pytest.skip("SQLite is no process")
    postmaster = psutil.Process(server.pid)
    with frozen(*(each.pid for each in [postmaster, *postmaster.children(recursive=True)])):
        assert "database" in services[0].lacks()
        check_calm(services, seconds)
    words = written(town, 3)
    assert back(town, services, words) < 20


def test_without_a_database_all_wait_quietly(
    town: Town, services: list[Watched], seconds: float | None, server: Postgres | None
) -> None:
    if server is None:
        pytest.skip("SQLite is no process")
    server.kill9()
    try:
        assert "database" in services[0].lacks()
        # A dozen jobs that try again, after 15 s in the end.
        check_calm(services, seconds, restarts_a_minute=60 if seconds else 240)
    finally:
        server.start()
    until(lambda: not services[0].lacks(), 30)
    words = written(town, 3)
    assert back(town, services, words) < 20
