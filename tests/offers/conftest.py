"""The offers service as a process of its own, once on SQLite and once on PostgreSQL, in a town of the tests."""

import asyncio
import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import nats
import pytest
from nats.js.api import AckPolicy, ConsumerConfig
from sqlalchemy import func, select

from cli.home import ROOT
from libs.servicekit.db import Database
from libs.servicekit.outbox import Publisher
from libs.servicekit.tables import outbox
from tests.postgres import Postgres, postgres
from tests.stack import Stack, new_database
from tests.waiting import until

PUBLISHER = Publisher("offers", "de.coburg", "http://localhost/v1/events")
COURSE: dict[str, Any] = {"title": {"de": "Töpfern"}, "fields": {"level": "easy"}}


def problem(answer: httpx2.Response, status: int) -> dict[str, Any]:
    """The problem document of an answer, which must be one of this status."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    return body


class Offers:
    """The running service, its database and its facts."""

    def __init__(self, stack: Stack, db: Database) -> None:
        self.stack, self.db = stack, db
        self.http = httpx2.Client(base_url=stack.url("offers"), timeout=30)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *roles: str,
        providers: tuple[str, ...] = (),
        version: int | None = None,
        **more: Any,
    ) -> httpx2.Response:
        """One request; nobody asks unless a role is named."""
        headers = self.stack.headers(*roles, providers=providers) if roles else {}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        content = {} if body is None else {"json": body}
        return self.http.request(method, path, headers=headers | more.pop("headers", {}), **content, **more)

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

    def finished(self, location: str) -> dict[str, Any]:
        """An import that has come to its end."""

        def over() -> dict[str, Any] | None:
            found: dict[str, Any] = self.call("GET", location, None, "editor").json()
            return found if found["status"] in ("done", "failed") else None

        found = until(over, 60)
        assert found is not None
        return found

    def report(self, import_id: str) -> list[dict[str, Any]]:
        """The whole report of an import."""
        found, after = list[dict[str, Any]](), "0"
        while after:
            path = f"/v1/imports/{import_id}/report?limit=200&after={after}"
            page = self.call("GET", path, None, "editor").json()
            found += page["items"]
            after = page["next"] or ""
        return found

    def relayed(self) -> None:
        """Wait until every fact that was committed is on the bus."""

        def none_left() -> bool:
            with self.db.reading() as session:
                waiting = select(func.count()).select_from(outbox).where(outbox.c.sent_at.is_(None))
                return int(session.execute(waiting).scalar_one()) == 0

        until(none_left, 30)

    def facts(self, thing: str = "*", kind: str = "*") -> list[dict[str, Any]]:
        """The facts about a thing, oldest first."""
        self.relayed()
        return asyncio.run(facts(self.stack.url("nats"), f"city.offers.{kind}.*.*.{thing}"))

    def registered(self, provider: str, recipient: str, topic: str) -> None:
        """A provider's recipient for one topic; of needs, for example, all providers of a board are told at any time."""
        body = {"recipient_id": recipient, "topics": [topic]}
        answer = self.call("POST", f"/v1/providers/{provider}/recipients", body, "editor")
        assert answer.status_code == 201, answer.text

    def asked(self, recipient: str) -> list[dict[str, Any]]:
        """The messages that were asked for, for one recipient, oldest first."""
        self.relayed()
        subject = "internal.notify.message.requested.v1.>"
        found = asyncio.run(facts(self.stack.url("nats"), subject, "INTERNAL"))
        return [fact["data"] for fact in found if fact["data"]["recipient_id"] == recipient]

    def told(self, thing: str) -> list[tuple[str, int]]:
        """The facts about a thing as names and versions."""
        return [(fact["type"].split(".")[-2], int(fact["sequence"])) for fact in self.facts(thing)]


async def facts(url: str, pattern: str, stream: str = "CITY") -> list[dict[str, Any]]:
    """Every fact in a stream that a subject pattern covers."""
    client = await nats.connect(url)
    js = client.jetstream()
    state = (await js.stream_info(stream, subjects_filter=pattern)).state
    left = sum((state.subjects or {}).values())
    found: list[dict[str, Any]] = []
    if left:
        config = ConsumerConfig(ack_policy=AckPolicy.NONE)
        subscription = await js.pull_subscribe(pattern, stream=stream, config=config)
        while len(found) < left:
            batch = min(left - len(found), 500)
            found += [json.loads(message.data) for message in await subscription.fetch(batch, 5)]
    await client.close()
    return found


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
