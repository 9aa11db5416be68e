"""Things have a page in the town's portal, and cards say where; a page of their own goes first."""

import json

import pytest
from sqlalchemy import select

from libs.contracts import golden
from libs.contracts.card import Card
from libs.contracts.offers import OfferPublished
from libs.servicekit import outbox, tables
from libs.servicekit.db import Database
from libs.servicekit.outbox import Publisher
from libs.servicekit.portal import Portal

NAME = "offers.offer.published.v1"


@pytest.mark.parametrize(
    ("template", "page"),
    [
        ("", None),
        ("https://portal.example", "https://portal.example/offer/a%2Fb"),
        ("https://portal.example/", "https://portal.example/offer/a%2Fb"),
        (
            "https://portal.example/angebote/{id}?art={kind}",
            "https://portal.example/angebote/a%2Fb?art=offer",
        ),
    ],
)
def test_a_thing_has_a_page(template: str, page: str | None) -> None:
    assert Portal(template).page("offer", "a/b") == page


@pytest.mark.parametrize(
    ("own", "told"),
    [(None, "https://portal.example/offer/1"), ("https://own.example/", "https://own.example/")],
)
def test_a_card_says_where_its_thing_is_seen(sqlite: Database, own: str | None, told: str) -> None:
    sqlite.publisher = Publisher("offers", "de.coburg", "http://x", Portal("https://portal.example"))
    card = Card(kind="offer", title={"de": "Kita"}, url=own)
    fact = OfferPublished.model_validate_json(
        json.dumps(golden.events(NAME)["1-minimal"]["data"])
    ).model_copy(update={"card": card})
    with sqlite.transaction() as session:
        outbox.add(session, fact, thing_id="1", version=1)
        body = session.execute(select(tables.outbox.c.body)).scalar_one()
    assert json.loads(body)["data"]["card"]["url"] == told
