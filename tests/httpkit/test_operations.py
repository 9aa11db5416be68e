"""Health of services that have less: a face without a database, and one without a bus."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient
from sqlmodel import select

from libs.httpkit.app import create_app
from libs.httpkit.operations import Health
from libs.httpkit.transactions import Reading, Transaction
from libs.servicekit.kit import Kit
from tests.servicekit.conftest import problem, settings
from tests.servicekit.probe.service import MIGRATIONS, Note
from tests.waiting import until

router, notes = APIRouter(), APIRouter()
NOBODY = "nats://127.0.0.1:1"


@router.get("/v1/hello")
def hello() -> str:
    """The whole face."""
    return "Grüß Gott"


@notes.post("/v1/quiet")
def write(session: Transaction) -> None:
    """A note that nobody is told of."""
    session.add(Note(text="quiet"))


@notes.get("/v1/quiet")
def read(session: Reading) -> list[str]:
    """All of them."""
    return [note.text for note in session.exec(select(Note))]


@contextmanager
def running(tmp_path: Path, *routers: APIRouter, **parts: Any) -> Iterator[tuple[TestClient, Kit]]:
    """The app of these parts, where no broker is."""
    made = settings(f"sqlite:///{tmp_path / 'probe.db'}", home=tmp_path, nats_url=NOBODY)
    app = create_app("probe", title="Face", routers=routers, settings=made, **parts)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client, app.state.kit


def ready(client: TestClient) -> bool:
    return client.get("/health/ready").status_code == 200


def test_a_face_needs_neither_database_nor_bus(tmp_path: Path) -> None:
    with running(tmp_path, router, bus=False) as (client, kit):
        assert client.get("/v1/hello").json() == "Grüß Gott"
        assert Health.model_validate(client.get("/health/ready").json()) == Health(
            status="ok", service="probe"
        )
        for of_which in ("bus", "database"):
            with pytest.raises(RuntimeError, match="made without"):
                getattr(kit, of_which)
    assert list(tmp_path.glob("*.db")) == []


def test_a_service_without_a_bus_keeps_what_it_is_told(tmp_path: Path) -> None:
    with running(tmp_path, notes, migrations=MIGRATIONS, bus=False) as (client, _kit):
        until(lambda: ready(client))
        assert client.post("/v1/quiet").status_code == 200
        assert client.get("/v1/quiet").json() == ["quiet"]


def test_without_a_database_the_bus_is_still_needed(tmp_path: Path) -> None:
    with running(tmp_path, router) as (client, _kit):
        assert client.get("/v1/hello").status_code == 200
        assert "broker" in problem(client.get("/health/ready"), 503)["detail"]
