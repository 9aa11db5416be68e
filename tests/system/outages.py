"""Towns under an outage: components that are away, frozen, slow or full, and what the services use meanwhile."""

import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2
import psutil
from prometheus_client.parser import text_string_to_metric_families

from libs.contracts.topology import CONSUMERS
from tests.postgres import Postgres
from tests.system.town import Town, content, unique_word
from tests.waiting import until

# What a service may do at most while it can only wait: of a core, in MiB, tasks, and requests a minute for each of its
# durables (the first pauses of one that is missing are short).
MOST_CPU, MOST_GROWTH, MOST_TASKS, MOST_REQUESTS = 0.02, 10.0, 20, 30
SHORT_SECONDS, SETTLE_SECONDS, LONG_SETTLE_SECONDS = 4.0, 1.5, 15.0
# At rest a service looks for work now and then: in a few seconds its share is told less exactly.
SHORT_CPU = 0.06
# A slow component answers for a moment and then for two seconds not at all: each call takes about so long.
SLOW_SECONDS, AWAKE_SECONDS = 2.0, 0.05
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

    @property
    def durables(self) -> int:
        """How many it pulls from."""
        return sum(each.durable.partition("-")[0] == self.name for each in CONSUMERS)

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


def check_calm(services: Sequence[Watched], seconds: float | None, restarts_a_minute: float = 12) -> None:
    """All of them spend next to nothing for some seconds, and keep nothing."""
    time.sleep(SETTLE_SECONDS if seconds is None else LONG_SETTLE_SECONDS)
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
        # Each durable is asked for after at most 8 s, or three times a minute where it only waits.
        if not calm or restarts > restarts_a_minute or requests > MOST_REQUESTS * service.durables:
            wrong.append(service.name)
    assert wrong == []


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
def slow(*pids: int) -> Iterator[None]:
    """Processes that take about two seconds for each call."""
    over = threading.Event()

    def drowse() -> None:
        while not over.is_set():
            with frozen(*pids):
                over.wait(SLOW_SECONDS)
            over.wait(AWAKE_SECONDS)

    thread = threading.Thread(target=drowse)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def stopped(towns: Sequence[Town], name: str) -> Iterator[None]:
    """A component that is not there."""
    for town in towns:
        town.stack.stop(name)
    try:
        yield
    finally:
        for town in towns:
            town.stack.launch(name)


def pids_of(towns: Sequence[Town], name: str) -> list[int]:
    """The processes of a component."""
    return [town.stack.children[name].pid for town in towns]


def pids_of_server(server: Postgres) -> list[int]:
    """A database server and all of its children."""
    postmaster = psutil.Process(server.pid)
    return [each.pid for each in [postmaster, *postmaster.children(recursive=True)]]


def written(towns: Sequence[Town], count: int = 20) -> list[tuple[Town, str]]:
    """Offers that are accepted now, in each town; their words."""
    words = [(town, unique_word()) for town in towns for _ in range(count)]
    for town, word in words:
        town.create(content(word)).raise_for_status()
    return words


def back(services: Sequence[Watched], words: Sequence[tuple[Town, str]]) -> float:
    """Within seconds everything is as before, and what was accepted meanwhile is found; returns how many seconds."""
    began = time.monotonic()
    until(lambda: not any(service.lacks() for service in services), 60)
    until(lambda: all(town.total(word) == 1 for town, word in words), 60)
    passed = time.monotonic() - began
    print(f"back after {passed:.1f} s")
    return passed
