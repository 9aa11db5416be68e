"""The retail service as a process of its own, once on SQLite and once on PostgreSQL."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from libs.servicekit.db import Database
from libs.servicekit.outbox import Publisher
from tests.service import Service
from tests.stack import Stack, new_database

PUBLISHER = Publisher("retail", "de.coburg", "http://localhost/v1/events")
CHEESE: dict[str, Any] = {
    "title": {"de": "Käseladen"},
    "assortment": ["dairy-eggs"],
    "hours": "Tu-Fr 09:00-18:00; Sa 08:00-14:00",
    "place": {"lat": 50.2583, "lon": 10.9645, "street": "Markt 4"},
    "phone": "+49 9561 555000",
}


class Retail(Service):
    """The running service, its database and its facts."""

    name = "retail"

    def shop(self, content: dict[str, Any] | None = None) -> dict[str, Any]:
        """A new shop in the shop window."""
        answer = self.call("POST", "/v1/shops", content or CHEESE, "caretaker")
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def get(self, shop: str, *roles: str, **more: Any) -> httpx2.Response:
        """A shop as a caller sees it."""
        return self.call("GET", f"/v1/shops/{shop}", None, *roles, **more)

    def imported(self, content: bytes, kind: str = "application/geo+json", **order: Any) -> dict[str, Any]:
        """Import a file and wait until it is worked off."""
        headers = self.stack.headers("editor") | {"Content-Type": kind}
        answer = self.http.post("/v1/imports", content=content, params=order, headers=headers)
        assert answer.status_code == 202, answer.text
        return self.finished(answer.headers["Location"])

    def shops(self) -> list[dict[str, Any]]:
        """All shops in the shop window."""
        found, after = list[dict[str, Any]](), ""
        while True:
            page = self.http.get("/v1/shops", params={"limit": 200, "after": after}).json()
            found += page["items"]
            if page["next"] is None:
                return found
            after = page["next"]


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Retail]:
    """The service on each database; tests share it and use things of their own."""
    folder = tmp_path_factory.mktemp(f"retail-{request.param}")
    with ExitStack() as running:
        url = f"sqlite:///{folder / 'retail.db'}"
        if request.param == "postgresql":
            url = running.enter_context(new_database(request.getfixturevalue("postgres_url")))
        yield started(running, folder, url)


@pytest.fixture(scope="session")
def lone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Retail]:
    """A service on SQLite that tests may kill."""
    folder = tmp_path_factory.mktemp("retail-lone")
    with ExitStack() as running:
        yield started(running, folder, f"sqlite:///{folder / 'retail.db'}")


def started(running: ExitStack, folder: Path, url: str) -> Retail:
    """The service with its broker, until `running` ends."""
    environ = {"COBURG_RETAIL_DATABASE_URL": url, "COBURG_RATE_LIMIT": ""}
    stack = running.enter_context(Stack(folder, **environ))
    stack.start("nats").provision()
    stack.launch("retail")
    db = Database(url, PUBLISHER)
    running.callback(db.dispose)
    retail = Retail(stack, db)
    running.callback(retail.http.close)
    return retail
