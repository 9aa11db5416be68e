"""A service restored from an older database: both ways out, on facts as the service tells them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from nats.js import JetStreamContext
from sqlalchemy import select
from sqlmodel import SQLModel

from cli.home import ROOT
from libs.contracts.card import Card
from libs.contracts.event import Envelope
from libs.contracts.offers import OfferChanged, OfferFact, OfferPublished, OfferWithdrawn
from libs.publishing.audit import Audit
from libs.publishing.relay import Relay
from libs.publishing.restored import WayOut
from libs.servicekit import outbox
from libs.servicekit.db import Database
from libs.servicekit.outbox import Publisher
from libs.servicekit.tables import ahead
from libs.servicekit.tables import outbox as table
from services.offers.boards.models import Board
from services.offers.offers.models import Offer
from services.offers.restorable import RESTORABLE
from tests.waiting import eventually

pytestmark = pytest.mark.anyio
WHEN = datetime(2026, 5, 4, tzinfo=UTC)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    db = Database(
        f"sqlite:///{tmp_path / 'offers.db'}", Publisher("offers", "de.coburg", "http://o/v1/events")
    )
    db.migrate(ROOT / "services" / "offers" / "migrations")
    with db.transaction() as session:
        session.add(Board(slug="kita", declaration={"slug": "kita", "title": {"de": "Kita"}}))
    yield db
    db.dispose()


def fact(kind: type[OfferFact], title: str) -> OfferFact:
    card = Card(kind="offer", board="kita", title={"de": title}, tags=["ruhig"], price_cents=900)
    return kind(board="kita", fields={"facility": "daycare"}, changed_at=WHEN, published_at=WHEN, card=card)


def write(db: Database, offer_id: str, version: int, kind: type[OfferFact], title: str) -> None:
    """An offer's row and its fact."""
    with db.transaction() as session:
        offer = session.get(Offer, offer_id) or Offer(
            id=offer_id, board="kita", content={}, status="published"
        )
        offer.content, offer.version = {"title": {"de": title}}, version
        session.add(offer)
        outbox.add(session, fact(kind, title), thing_id=offer_id, version=version)


async def restored(db: Database, js: JetStreamContext) -> None:
    """`a` at version 1 where the bus is at 3, and the bus's `b` unknown."""
    write(db, "a", 1, OfferPublished, "Alt")
    await Relay(db, js, "offers").drain()
    tables: list[Any] = [table, SQLModel.metadata.tables["offer"]]
    with db.reading() as session:
        copy = [[dict(row._mapping) for row in session.execute(select(each))] for each in tables]
    write(db, "a", 3, OfferChanged, "Neu")
    write(db, "b", 1, OfferPublished, "Unbekannt")
    await Relay(db, js, "offers").drain()
    with db.transaction() as session:
        for each, rows in zip(tables, copy, strict=True):
            session.execute(each.delete())
            session.execute(each.insert(), rows)
    found = await Audit(db, js, "offers").compare()
    assert found
    assert found.ahead == 2


async def state(js: JetStreamContext, offer_id: str) -> Envelope[OfferFact]:
    message = await js.get_last_msg("STATE", f"state.offers.offer.{offer_id}")
    return Envelope[OfferFact].model_validate_json(message.data or b"")


async def test_the_database_goes_above_the_bus(db: Database, js: JetStreamContext) -> None:
    await restored(db, js)
    assert await WayOut(db, js, "offers", RESTORABLE).go_above() == (2, [])
    await Relay(db, js, "offers").drain()

    async def both() -> bool:
        a, b = await state(js, "a"), await state(js, "b")
        return (a.version, b.version) == (4, 2)

    await eventually(both)
    a, b = await state(js, "a"), await state(js, "b")
    assert a.data.card
    assert a.data.card.title == {"de": "Alt"}
    assert b.name == OfferWithdrawn.name
    assert b.data.card
    assert not b.data.card.listed
    with db.reading() as session:
        assert session.get_one(Offer, "a").version == 4
        assert session.execute(select(ahead)).all() == []
    found = await Audit(db, js, "offers").compare()
    assert found
    assert (found.ahead, found.republished) == (0, 0)


async def test_the_bus_is_taken_back_into_the_database(db: Database, js: JetStreamContext) -> None:
    await restored(db, js)
    assert await WayOut(db, js, "offers", RESTORABLE).take_bus() == (2, [])
    with db.reading() as session:
        a, b = session.get_one(Offer, "a"), session.get_one(Offer, "b")
        assert (a.version, a.said.title, a.said.price_cents) == (3, {"de": "Neu"}, 900)
        assert (b.version, b.status, b.said.tags, b.said.fields) == (
            1,
            "published",
            ["ruhig"],
            {"facility": "daycare"},
        )
    found = await Audit(db, js, "offers").compare()
    assert found
    assert (found.compared, found.ahead, found.republished) == (2, 0, 0)
