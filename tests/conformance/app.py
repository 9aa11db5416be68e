"""A service in this process with its things in the database; a route and a kind of caller enter, an answer leaves."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module, reload
from pathlib import Path
from typing import Any, ClassVar

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from cli import keys
from cli.home import Home
from libs.servicekit.kit import Kit
from libs.servicekit.principal import ROLES
from tests.conformance.access import (
    ANONYMOUS,
    GONE,
    LINK,
    MEMBER,
    OTHER,
    OWN,
    PLENTY,
    UNROLED,
    Access,
    Route,
    Things,
    some_id,
)
from tests.waiting import until

ENVIRONMENT = {
    "COBURG_RATE_LIMIT": "",
    "COBURG_RECIPIENT_PROOF": "off",
    "COBURG_NATS_URL": "nats://127.0.0.1:9",  # nobody
    "COBURG_MEILISEARCH_URL": "http://127.0.0.1:9",
}


class App:
    """One service, as its callers see it."""

    def __init__(self, access: Access, home: Home, client: TestClient) -> None:
        self.access, self.client, self._home = access, client, home
        self.kit: Kit = client.app.state.kit  # type: ignore[attr-defined]
        self.things = Things()
        self.ids = {"name": "offers.offer.published.v1", "code": "not-found"}
        self._headers: dict[str, dict[str, str]] = {}

    def fill(self) -> None:
        """Put the service's things into its database, once that is there."""
        until(lambda: self.kit.migrated)
        self.things = self.access.make(self.kit)
        self.ids |= self.things.ids

    @property
    def routes(self) -> set[Route]:
        """Every route of the API document."""
        paths = self.client.get("/openapi.json").json()["paths"]
        return {(method.upper(), path) for path, operations in paths.items() for method in operations}

    def ask(self, route: Route, caller: str, **more: Any) -> httpx2.Response:
        """What a caller gets; asked in the app's own loop, where a test client would change threads eight times."""
        method, path = route
        body = self.access.bodies.get(path, self.things.body)
        request: dict[str, Any] = {} if method in ("GET", "DELETE") else {"json": body}
        request["params"] = self.access.queries.get(path, {})
        request |= more
        request["headers"] = {"If-Match": '"999"'} | self._known(caller) | more.get("headers", {})
        assert self.client.portal
        answer: httpx2.Response = self.client.portal.call(_ask, self.client, method, self._url(path), request)
        return answer

    def _url(self, path: str) -> str:
        names = [part.partition("}")[0] for part in path.split("{")[1:]]
        return path.format_map({name: self.ids.setdefault(name, some_id()) for name in names})

    def _known(self, caller: str) -> dict[str, str]:
        if caller not in self._headers:
            self._headers[caller] = self._shown_by(caller)
        return self._headers[caller]

    def _shown_by(self, caller: str) -> dict[str, str]:
        things = self.things
        if caller == ANONYMOUS:
            return {}
        if caller == LINK:
            return {"Link-Token": things.link}
        roles = {
            MEMBER: [],
            UNROLED: [],
            PLENTY: ["caretaker", "agenda", "merchant", "partner"],
        }.get(caller, [caller if caller in ROLES else "provider"])
        named = {each: [things.own] for each in (OWN, UNROLED, PLENTY, GONE)} | {OTHER: [things.other]}
        subject = {MEMBER: things.member, GONE: things.gone}.get(caller, "local")
        token = keys.token(self._home, roles, named.get(caller, ()), subject=subject)
        return {"Authorization": f"Bearer {token}"}


async def _ask(client: TestClient, method: str, url: str, request: dict[str, Any]) -> httpx2.Response:
    transport = httpx2.ASGITransport(client.app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url=client.base_url) as own:
        return await own.request(method, url, **request)


class OfOneService:
    """Tests of one service share its app."""

    access: ClassVar[Access]

    @pytest.fixture(scope="class")
    def app(self, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
        """The service of the class."""
        with running(self.access, tmp_path_factory.mktemp(self.access.service)) as app:
            app.fill()
            yield app


@contextmanager
def running(access: Access, folder: Path, database_url: str = "") -> Iterator[App]:
    """A service until the block ends; its database is SQLite's unless told otherwise."""
    home = Home.of({"COBURG_HOME": str(folder)})
    keys.ensure(home)
    with pytest.MonkeyPatch.context() as environ:
        own = {
            "COBURG_HOME": str(folder),
            f"COBURG_{access.service.upper()}_PUBLIC_URL": "https://town.example",
        }
        if database_url:
            own[f"COBURG_{access.service.upper()}_DATABASE_URL"] = database_url
        for name, value in (ENVIRONMENT | own).items():
            environ.setenv(name, value)
        made = reload(import_module(f"services.{access.service}.app")).app
        assert isinstance(made, FastAPI)
        with TestClient(made, raise_server_exceptions=False) as client:
            yield App(access, home, client)
