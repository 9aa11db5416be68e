"""The offers service as a process of its own, once on SQLite and once on PostgreSQL, in a town of the tests."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from cli.home import ROOT
from libs.servicekit.db import Database
from libs.servicekit.outbox import Publisher
from tests.postgres import Postgres, postgres
from tests.service import Service
from tests.stack import Stack, new_database
from tests.waiting import until

PUBLISHER = Publisher("offers", "de.coburg", "http://localhost/v1/events")
COURSE: dict[str, Any] = {"title": {"de": "Töpfern"}, "fields": {"level": "easy"}}


class Offers(Service):
    """The running service, its database and its facts."""

    name = "offers"

    def provider(self, title: str = "Träger") -> str:
        """A new provider's id."""
        answer = self.call("POST", "/v1/providers", {"title": {"de": title}}, "editor")
        return str(answer.json()["id"])

    def draft(self, content: dict[str, Any] | None = None, provider: str | None = None, **more: Any) -> str:
        """A new offer's id; an editor's draft on the board of courses."""
        body = {"board": "course", "provider_id": provider, "content": content or COURSE, **more}
        answer = self.call("POST", "/v1/offers", body, "editor")
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def get(self, offer: str, *roles: str, **more: Any) -> httpx2.Response:
        """An offer as a caller sees it."""
        return self.call("GET", f"/v1/offers/{offer}", None, *roles, **more)

    def move(self, offer: str, step: str, version: int, *roles: str, **more: Any) -> httpx2.Response:
        """One step in an offer's life."""
        return self.call(
            "POST", f"/v1/offers/{offer}/{step}", more.pop("body", None), *roles, version=version, **more
        )

    def upload(self, content: bytes, **order: Any) -> httpx2.Response:
        """Send a file of offers."""
        kind, headers = order.pop("kind", "text/csv"), order.pop("headers", {})
        params = {"board": "course", **order}
        headers = self.stack.headers("editor") | {"Content-Type": kind} | headers
        return self.http.post("/v1/imports", content=content, params=params, headers=headers)

    def imported(self, content: bytes, **order: Any) -> dict[str, Any]:
        """Import a file and wait until it is worked off."""
        answer = self.upload(content, **order)
        assert answer.status_code == 202, answer.text
        return self.finished(answer.headers["Location"])

    def registered(self, provider: str, recipient: str, topic: str) -> None:
        """A provider's recipient for one topic; of needs, for example, all providers of a board are told at any time."""
        body = {"recipient_id": recipient, "topics": [topic]}
        answer = self.call("POST", f"/v1/providers/{provider}/recipients", body, "editor")
        assert answer.status_code == 201, answer.text


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A town with boards and a source of the tests, and with some boards of the city and its source, the Berlin register."""
    folder = tmp_path_factory.mktemp("offers") / "city"
    shutil.copytree(Path(__file__).parent / "city", folder)
    boards = [f"boards/{board}.toml" for board in ("kita", "ks-cob", "gruender", "raum")]
    for file in (
        "city.toml",
        "holidays.toml",
        "notices.toml",
        "problems.toml",
        "imports/kitas-berlin.toml",
        "findings.toml",
        *boards,
    ):
        (folder / file).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / "city" / file, folder / file)
    return folder


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def service(
    request: pytest.FixtureRequest, town: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Offers]:
    """The service on each database; tests share it and use things of their own."""
    folder = tmp_path_factory.mktemp(request.param)
    with ExitStack() as running:
        url = f"sqlite:///{folder / 'offers.db'}"
        if request.param == "postgresql":
            url = running.enter_context(new_database(request.getfixturevalue("postgres_url")))
        yield started(running, folder, url, town)


@pytest.fixture(scope="session")
def lone(town: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Offers]:
    """A service on SQLite that tests may kill."""
    folder = tmp_path_factory.mktemp("lone")
    with ExitStack() as running:
        yield started(running, folder, f"sqlite:///{folder / 'offers.db'}", town)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def shaken(
    request: pytest.FixtureRequest, town: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Offers, Postgres | None]]:
    """A service that tests may kill, and its PostgreSQL if it has one."""
    if request.param == "sqlite":
        yield request.getfixturevalue("lone"), None
        return
    with postgres() as server, ExitStack() as running:
        yield started(running, tmp_path_factory.mktemp("shaken"), server.url, town), server


def started(running: ExitStack, folder: Path, url: str, town: Path) -> Offers:
    environ = {"COBURG_OFFERS_DATABASE_URL": url, "COBURG_CITY": str(town), "COBURG_RATE_LIMIT": ""}
    stack = running.enter_context(Stack(folder, **environ))
    stack.start("nats").provision()
    stack.launch("offers")
    db = Database(url, PUBLISHER)
    running.callback(db.dispose)
    offers = Offers(stack, db)
    running.callback(offers.http.close)
    boards = len(list((town / "boards").glob("*.toml")))
    until(lambda: len(offers.http.get("/v1/boards").json()["items"]) == boards)
    return offers
