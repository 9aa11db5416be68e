"""Real components for tests: a whole stack or parts of it, in a folder and on ports of its own.

What the components are comes from cli/components.py; here they are only started, stopped and killed one by one,
which the supervisor of `coburg up` would undo. Start from a thread that lives as long as the stack: the kernel ends
the components with the thread that started them.
"""

import contextlib
import os
import random
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import TracebackType

import psycopg

from cli import components, keys, meilisearch, readiness, spans
from cli.components import SERVICES, Component
from cli.home import ROOT, Home
from cli.supervisor import taken

POLL = 0.05
OFFSETS = (*SERVICES.values(), 22, 25, 70)
FIRST_PORT, WORKERS, PORTS_EACH = 12_000, 8, 2_500


class Stack:
    """NATS, Meilisearch and all services as processes; a context manager that stops what it started.

    Settings go in by name, such as `Stack(folder, COBURG_OFFERS_DATABASE_URL=url)`; the default database is SQLite.
    """

    def __init__(self, folder: Path, **environ: str) -> None:
        own = {
            "COBURG_HOME": str(folder),
            "COBURG_PORT_BASE": str(free_port_base()),
            "COBURG_LOG_FORMAT": "json",
            "COBURG_RECIPIENT_PROOF": "off",  # most tests invent their recipients; those of proofs say otherwise
        }
        self.home = Home.of(plain_environment() | own | environ)
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.token = cache(self.token)  # type: ignore[method-assign]  # good for an hour, asked for with every request

    def __enter__(self) -> "Stack":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, *names: str) -> "Stack":
        """Starts the named components, or everything in order, streams declared; returns when all are ready."""
        if not meilisearch.installed(self.home):
            meilisearch.ensure(self.home)
        components.prepare(self.home)
        if names:
            self.launch(*names)
            return self
        first, *others = components.layers(self.home)
        self.launch(*(each.name for each in first))
        self.provision()
        for layer in others:
            self.launch(*(each.name for each in layer))
        return self

    def launch(self, *names: str) -> None:
        """Starts components side by side and waits for them."""
        for name in names:
            component = self.component(name)
            if component.command:
                with (self.home.logs / f"{name}.log").open("ab") as log:
                    self.children[name] = subprocess.Popen(stdout=log, **components.launch(component))
        self.wait_ready(*names)

    def provision(self) -> None:
        """Declares the streams and consumers."""
        subprocess.run(
            check=True, stdout=subprocess.DEVNULL, **components.launch(components.provision(self.home))
        )

    def stop(self, *names: str) -> None:
        """Stops the named components, or everything in reverse order, cleanly."""
        for name in names or tuple(reversed(self.children)):
            child = self.children.pop(name, None)
            if child:
                end(child)

    def kill9(self, name: str) -> None:
        """Kills a component without a warning."""
        child = self.children.pop(name)
        child.kill()
        child.wait()

    def restart(self, name: str) -> None:
        """Stops a component if it runs, starts it again and waits for it."""
        self.stop(name)
        self.launch(name)

    def wait_ready(self, *names: str, seconds: float = 60) -> None:
        """Waits until the named components (default: all that run) are ready; fails with the reason and the log."""
        deadline = time.monotonic() + seconds
        for name in names or tuple(self.children):
            while problem := readiness.problem(self.component(name).probe):
                child = self.children.get(name)
                if time.monotonic() > deadline or (child and child.poll() is not None):
                    raise AssertionError(f"{name} is not ready: {problem}\n{self.log(name)[-3000:]}")
                time.sleep(POLL)

    def component(self, name: str) -> Component:
        """A component by its name."""
        return next(each for layer in components.layers(self.home) for each in layer if each.name == name)

    def url(self, name: str) -> str:
        """Where a component answers; the broker with the town's password."""
        return components.nats_url(self.home) if name == "nats" else self.component(name).url

    def token(self, *roles: str, providers: tuple[str, ...] = (), subject: str = "test") -> str:
        """An access token that the services of this stack accept."""
        return keys.token(self.home, roles, providers, 1, subject)

    def headers(self, *roles: str, providers: tuple[str, ...] = ()) -> dict[str, str]:
        """The same as a request header."""
        return {"Authorization": f"Bearer {self.token(*roles, providers=providers)}"}

    def traces(self) -> list[spans.Span]:
        """Every span written so far."""
        return spans.read(self.home.traces)

    def log(self, name: str) -> str:
        """What a component has said."""
        with contextlib.suppress(FileNotFoundError):
            return (self.home.logs / f"{name}.log").read_text(errors="replace")
        return ""

    @property
    def meilisearch_key(self) -> str:
        """The master key of this stack's Meilisearch."""
        return keys.meilisearch_key(self.home)


def end(child: "subprocess.Popen[bytes]") -> None:
    """SIGTERM, and SIGKILL for those that do not listen."""
    child.send_signal(signal.SIGTERM)
    try:
        child.wait(15)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def plain_environment() -> dict[str, str]:
    """The caller's environment without settings that would leak into a stack."""
    # Services start dozens of times; compiling them each time anew would be a fifth of it.
    left_out = ("COBURG_", "OTEL_", "PYTHONDONTWRITEBYTECODE")
    ours = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return ours | {"PYTHONPATH": str(ROOT)}


def free_port_base() -> int:
    """A COBURG_PORT_BASE whose ports are all free; below the range that the kernel hands out by itself. Each of the
    processes that test side by side has a range of its own: what one found free another must not take meanwhile."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS
    start = FIRST_PORT + worker * PORTS_EACH
    while True:
        base = random.randrange(start, start + PORTS_EACH - max(OFFSETS))
        if not any(taken(base + offset) for offset in (0, *OFFSETS)):
            return base


@contextlib.contextmanager
def new_database(server_url: str) -> Iterator[str]:
    """An empty PostgreSQL database of its own on a server, dropped at the end; its SQLAlchemy URL."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            yield database_of(server_url, name)
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def database_of(server_url: str, name: str) -> str:
    """The URL of another database on the same server, for SQLAlchemy with psycopg."""
    address, _, query = server_url.partition("?")
    server = (
        address.rpartition("/")[0].replace("+psycopg", "").replace("postgresql://", "postgresql+psycopg://")
    )
    return f"{server}/{name}" + (f"?{query}" if query else "")
