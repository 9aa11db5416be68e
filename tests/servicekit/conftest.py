"""A clean broker, a migrated database, keys, and the probe service on top of them."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from nats.js import JetStreamContext

from cli import keys
from cli.home import Home
from libs.bus.connection import Bus
from libs.servicekit.db import Database
from libs.servicekit.kit import Kit
from libs.servicekit.outbox import Publisher
from libs.servicekit.settings import ServiceSettings, Settings
from tests.servicekit.probe import service as probe
from tests.waiting import until

PUBLISHER = Publisher("probe", "de.coburg", "http://probe/v1/events")
Probe = Callable[..., TestClient]


@pytest.fixture
async def bus(js: JetStreamContext, nats_url: str) -> AsyncIterator[Bus]:
    """A service's bus, not yet started."""
    bus = Bus(nats_url, "probe")
    yield bus
    await bus.stop()


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """A migrated database, once of each kind."""
    yield from migrated(database_url)


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    """A migrated database where the kind does not matter."""
    yield from migrated(f"sqlite:///{tmp_path / 'probe.db'}")


def migrated(url: str) -> Iterator[Database]:
    db = Database(url, PUBLISHER)
    db.migrate(probe.MIGRATIONS)
    yield db
    db.dispose()


def settings(database_url: str | None = None, **values: Any) -> Settings:
    """Settings of the probe; the environment of the caller does not matter."""
    own = ServiceSettings(database_url=database_url)
    return Settings(service="probe", own=own, **{"rate_limit": "", **values})


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with keys."""
    home = Home.of({"COBURG_HOME": str(tmp_path)})
    keys.ensure(home)
    return home


@pytest.fixture
def start(home: Home, nats_url: str, tmp_path: Path) -> Iterator[Probe]:
    """Starts the probe service in this process; with a broker that has its streams, unless told otherwise."""
    with ExitStack() as running:

        def run(database_url: str = "", *, app: dict[str, Any] | None = None, **values: Any) -> TestClient:
            url = database_url or f"sqlite:///{tmp_path / 'probe.db'}"
            jwks = str(home.keys / "jwks.json")
            made = settings(url, **{"nats_url": nats_url, "oidc_jwks": jwks, **values})
            client = TestClient(probe.make(made, **(app or {})), raise_server_exceptions=False)
            running.enter_context(client)
            kit: Kit = client.app.state.kit  # type: ignore[attr-defined]
            until(lambda: kit.migrated and kit.bus.connected)
            return client

        yield run


@pytest.fixture
def client(start: Probe, database_url: str) -> TestClient:
    """The probe service, once on each database."""
    return start(database_url)


def bearer(home: Home, *roles: str, **more: Any) -> dict[str, str]:
    """The header of a caller with these roles."""
    return {"Authorization": f"Bearer {keys.token(home, roles, **more)}"}


def problem(answer: Any, status: int) -> dict[str, Any]:
    """The problem document of an answer, which must be one of this status."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = json.loads(answer.content)
    assert body["status"] == status
    assert body["title"]
    return body
