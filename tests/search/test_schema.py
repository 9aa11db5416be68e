"""The town's words against the Meilisearch that is in use: a new version may split compounds elsewhere."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from libs.town.calendar import Calendar
from services.search.engine import Engine
from services.search.filters import Query
from services.search.index import Index
from services.search.queries import Queries
from services.search.schema import Vocabulary, is_current, settings, synonyms

TOWN = Vocabulary.of(Path("city"))
WORDS = sorted({word for group in TOWN.equal for word in group})
pytestmark = pytest.mark.anyio


@pytest.fixture
async def words(engine: Engine) -> AsyncIterator[Queries]:
    """An index in which every word of the town is the title of one thing."""
    index = Index(engine, "cards-words", TOWN)
    await index.ensure()
    await index.learn()
    await engine.do(
        "POST", "/indexes/cards-words/documents", [_thing(word) for word in [*WORDS, "Grundschulkinder"]]
    )
    yield Queries(engine, "cards-words", Calendar(ZoneInfo("UTC")))
    await engine.do("DELETE", "/indexes/cards-words")


def _thing(word: str) -> dict[str, Any]:
    key = "".join(letter if letter.isascii() else "_" for letter in word)
    return {
        "key": key,
        "id": word,
        "kind": "offer",
        "version": 1,
        "listed": True,
        "title": {"de": f"{word} Nord"},
    }


async def _found(queries: Queries, q: str) -> set[str]:
    return {item["id"] for item in (await queries.search(Query(q=q, limit=100)))["items"]}


async def test_every_word_finds_all_its_equals(words: Queries) -> None:
    missing = [
        f"{word} does not find {other}"
        for group in TOWN.equal
        for word in group
        for other in set(group) - await _found(words, word)
    ]

    assert missing == []


async def test_a_part_of_a_compound_finds_the_whole(words: Queries) -> None:
    assert "Grundschulkinder" in await _found(words, "Schulkinder")


async def test_declaring_again_changes_nothing(engine: Engine, words: Queries) -> None:
    wanted = await settings(engine, TOWN, "cards-words")
    current = await engine.call("GET", "/indexes/cards-words/settings")

    assert is_current(wanted, current)
    assert not is_current(wanted | {"stopWords": []}, current)


def test_synonyms_lead_from_each_word_to_all_others() -> None:
    parts = {"Kita": "kita", "Kindergarten": "kinder garten", "Hort": "hort"}

    assert synonyms([["Kita", "Kindergarten"], ["Kita", "Hort"]], parts) == {
        "hort": ["kita"],
        "kinder garten": ["kita"],
        "kita": ["hort", "kinder garten"],
    }
