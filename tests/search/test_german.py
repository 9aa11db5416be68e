"""German text as people write and type it, on the titles of the demo town and a real Meilisearch."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from unicodedata import normalize
from zoneinfo import ZoneInfo

import pytest

from libs.cardquery.query import Query
from libs.cardquery.vocabulary import Vocabulary
from libs.language.questions import question
from libs.town.calendar import Calendar
from services.search.domain import change
from services.search.engine import Engine
from services.search.index import Index
from services.search.queries import Queries
from tests.conftest import Meilisearch
from tests.search.conftest import event

CALENDAR = Calendar(ZoneInfo("UTC"))
TOWN = Vocabulary.of(Path("city"))
INDEX = "cards-german"
DEMO = [
    json.loads(line)
    for file in sorted(Path("city/demo").glob("*.jsonl"))
    for line in file.open(encoding="utf-8")
]
OWN = [
    "Kita St. Josef",
    "Josefstift Sankt Anna",
    "Josefs Laden",
    "Turnen für Kinder",
    "Großes Fußballfest",
    "Grundschulkinder",
]
SPELLINGS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})
PLAIN = str.maketrans({"ä": "a", "ö": "o", "ü": "u", "Ä": "A", "Ö": "O", "Ü": "U", "ß": "ss"})
pytestmark = pytest.mark.anyio


def titles() -> list[str]:
    return [*OWN, *dict.fromkeys(title for row in DEMO for title in row["title"].values())]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def town(meilisearch: Meilisearch) -> AsyncIterator[tuple[Engine, Queries]]:
    """Each title of the demo town is a thing, and some of our own."""
    engine = Engine(meilisearch.url, meilisearch.key)
    await Index(engine, INDEX, TOWN).ensure()
    things = [change(event(str(at), title={"de": title}), CALENDAR) for at, title in enumerate(titles())]
    await engine.administration.wait(await engine.put(INDEX, [thing.document for thing in things if thing]))
    yield engine, Queries(engine, INDEX, CALENDAR, TOWN.silent)
    await engine.administration.delete_index(INDEX)
    await engine.close()


def spelt(word: str) -> set[str]:
    """A word as people type it."""
    forms = {word, word.upper(), word.translate(SPELLINGS), word.translate(PLAIN)}
    return forms | {normalize("NFD", word), normalize("NFKC", word)}


async def test_every_title_word_finds_its_thing_however_it_is_spelt(town: tuple[Engine, Queries]) -> None:
    engine, _ = town
    asked = [
        (typed, str(at))
        for at, title in enumerate(titles())
        for word in title.split()
        for typed in spelt(word)
    ]
    asked = [pair for pair in asked if question(pair[0]).line]
    queries = [
        {
            "q": question(typed, TOWN.silent).line,
            "filter": f'id = "{thing}"',
            "limit": 1,
            "matchingStrategy": "all",
        }
        | {"attributesToRetrieve": ["id"], "locales": ["eng"]}
        for typed, thing in asked
    ]
    answers = [
        one
        for at in range(0, len(queries), 500)
        for one in await engine.searches(INDEX, queries[at : at + 500])
    ]

    assert len(asked) > 3000
    assert [typed for (typed, _), answer in zip(asked, answers, strict=True) if not answer["hits"]] == []


@pytest.mark.parametrize(
    ("q", "first"),
    [
        ("sankt josef", "Kita St. Josef"),
        ("st josef", "Kita St. Josef"),
        ("Fussballfest", "Großes Fußballfest"),
        ("GROSSES", "Großes Fußballfest"),
        ("josef", "Kita St. Josef"),
        ("fest fussball", "Großes Fußballfest"),
        ("Schulkinder", "Grundschulkinder"),
    ],
)
async def test_the_exact_match_comes_first(town: tuple[Engine, Queries], q: str, first: str) -> None:
    found = await town[1].search(Query(q=q))

    assert (found["items"][0]["title"], found["relaxed"]) == (first, None)


@pytest.mark.parametrize(
    ("q", "first", "how"),
    [
        ("Xylophon", "", None),
        ("Kinderturnen", "Turnen – Kinder, Geräteturnen", "parts"),
        ("Kinderturnen Xylophon", "Turnen – Kinder, Geräteturnen", "words"),
        ("Festfußball", "Großes Fußballfest", "parts"),
        ("unauffindbar Grundschulkinder", "Grundschulkinder", "words"),
        ("Grundschulkinder unauffindbar", "Grundschulkinder", "words"),
    ],
)
async def test_a_relaxed_answer_says_so(town: tuple[Engine, Queries], q: str, first: str, how: str) -> None:
    found = await town[1].search(Query(q=q))

    assert found["relaxed"] == how
    assert not how or found["items"][0]["title"] == first
    assert how or found["total"] == 0


@pytest.mark.parametrize(
    ("typed", "suggested"), [("grosses", "Großes Fußballfest"), ("GROSSES FUSSB", "Großes Fußballfest")]
)
async def test_suggestions_are_folded_too(town: tuple[Engine, Queries], typed: str, suggested: str) -> None:
    assert suggested in [one["text"] for one in await town[1].suggest(typed, "de", 8)]


@pytest.mark.parametrize(
    ("q", "title"),
    [
        ("fussballfest", "Großes <mark>Fußballfest</mark>"),
        ("grosses", "<mark>Großes</mark> Fußballfest"),
        ("schulkinder", "Grund<mark>schulkinder</mark>"),
        ("josef", "Kita St. <mark>Josef</mark>"),
    ],
)
async def test_matches_are_marked_however_they_are_spelt(
    town: tuple[Engine, Queries], q: str, title: str
) -> None:
    assert (await town[1].search(Query(q=q)))["items"][0]["highlight"]["title"] == title
