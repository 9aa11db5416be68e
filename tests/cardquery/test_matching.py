"""Whether one card answers a query, and that the town's search agrees."""

from pathlib import Path
from typing import Any

import pytest
from starlette.datastructures import QueryParams

from libs.cardquery.matching import Matching
from libs.cardquery.params import query
from libs.cardquery.vocabulary import Vocabulary
from libs.contracts.card import Card
from libs.town.calendar import read
from services.search.domain import change
from services.search.engine import Engine
from services.search.index import Index
from services.search.queries import Queries
from tests.conftest import Meilisearch
from tests.search.conftest import event

TOWN = Path("city")
CALENDAR, VOCABULARY = read(TOWN), Vocabulary.of(TOWN)
MATCHING = Matching(CALENDAR, VOCABULARY)
INDEX = "cards-matching"
CARD: dict[str, Any] = {
    "kind": "offer",
    "board": "sport",
    "title": {"de": "Schwimmkurs für Grundschulkinder im Hallenbad"},
    "summary": {"de": "Bei der Kita St. Josef, an der Muehlenstr. 3"},
    "tags": ["Grün", "Wasser"],
    "facets": {"level": ["beginner"]},
    "numbers": {"size": 12},
    "place": {"lat": 50.2587, "lon": 10.9644, "district": "Neuses", "accessibility": ["lift"]},
    "age": {"from_months": 72, "to_months": 120},
    "price_cents": 500,
    "free_places": 2,
    "hours": "Mo-Fr 08:00-16:00",
}
OTHERS: list[dict[str, Any]] = [
    {"title": {"de": "Fest am Platz"}, "period": {"start": "2027-01-01", "end": "2027-02-01"}},
    {"title": {"de": "Festplatz"}, "board": "kita", "dates": ["2027-03-01T10:00:00+01:00"]},
    {"title": {"de": "Radverleih", "en": "Bike rental"}, "free_places": 0},
]
QUESTIONS = [
    ("", True),
    ("q=schwimmkurs", True),
    ("q=Schwimmkurse", True),  # a typo away
    ("q=schwimkurs", True),
    ("q=chwimmkurs", True),  # nine letters or more: a typo at the first one
    ("q=schwi", True),  # the last word may go on
    ("q=schwi hallenbad", False),  # another may not
    ("q=kinder", True),  # part of a compound
    ("q=kindr", False),  # where typos would find anything
    ("q=Schwimmbad", True),  # an equal of Hallenbad
    ("q=sankt josef", True),
    ('q="kita josef"', False),
    ('q="st josef"', True),
    ("q=mühlenstraße", True),
    ("q=schwimmkurs -hallenbad", False),
    ("q=schwimmkurs -sauna", True),
    ("q=grun", True),
    ("q=festplatz", False),
    ("board=sport", True),
    ("board=kita&board=sport", True),
    ("board=kita", False),
    ("tag=grün&district=neuses", True),
    ("level=advanced", False),
    ("size.min=10&size.max=12", True),
    ("size.min=13", False),
    ("accessibility=lift", True),
    ("accessibility=lift,tactile", False),
    ("age=6", True),
    ("age=11", False),
    ("price_max=500&free=true", True),
    ("price=0", False),
    ("near=50.26,10.97&radius=1000", True),
    ("near=50.26,10.97&radius=100", False),
    ("weekday=sa,su", False),
    ("weekday=mo", True),
    ("open_at=2026-11-30T09:00:00", True),
    ("open_at=2026-11-29T09:00:00", False),
    ("from=2026-12-01&to=2026-12-02", True),
]


@pytest.mark.parametrize(("asked", "answers"), QUESTIONS)
def test_a_card_answers(asked: str, answers: bool) -> None:
    assert MATCHING.answers(query(QueryParams(asked)), Card.model_validate(CARD, strict=False)) is answers


def test_a_tombstone_answers_nothing() -> None:
    card = Card.model_validate({**CARD, "listed": False}, strict=False)
    assert not MATCHING.answers(query(QueryParams("")), card)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
async def test_search_agrees(meilisearch: Meilisearch) -> None:
    cards = {str(at): {"kind": "offer", "board": "sport", **card} for at, card in enumerate([CARD, *OTHERS])}
    subjects = {key: MATCHING.subject(Card.model_validate(card, strict=False)) for key, card in cards.items()}
    engine = Engine(meilisearch.url, meilisearch.key)
    await Index(engine, INDEX, VOCABULARY).ensure()
    await Index(engine, INDEX, VOCABULARY).learn()
    queries = Queries(engine, INDEX, CALENDAR, VOCABULARY.silent)
    things = [change(event(key, **subject.card.model_dump()), CALENDAR) for key, subject in subjects.items()]
    await engine.administration.wait(await engine.put(INDEX, [thing.document for thing in things if thing]))
    for text, _ in [
        *QUESTIONS,
        ("q=fest platz", True),
        ("q=festplatz", True),
        ("q=velo", True),
        ("q=bik", True),
    ]:
        asked = query(QueryParams(text))
        found = await queries.search(asked)
        ids = set() if found["relaxed"] else {item["id"] for item in found["items"]}
        prepared = MATCHING.asked(asked)
        assert {key for key, subject in subjects.items() if subject.answers(prepared)} == ids, text
    await engine.administration.delete_index(INDEX)
    await engine.close()
