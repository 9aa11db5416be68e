"""The town's words against the Meilisearch that is in use."""

from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from libs.cardquery.query import Query
from libs.cardquery.vocabulary import Vocabulary
from libs.town.calendar import Calendar
from services.search.domain import change
from services.search.engine import Engine
from services.search.index import Index
from services.search.queries import Queries
from services.search.schema import is_current, settings, synonyms
from tests.search.conftest import event

CALENDAR = Calendar(ZoneInfo("UTC"))
TOWN = Vocabulary.of(Path("city"))
WORDS = sorted({word for group in TOWN.equal for word in group})
pytestmark = pytest.mark.anyio


@pytest.fixture
async def words(engine: Engine) -> AsyncIterator[Queries]:
    """An index in which every word of the town is the title of one thing."""
    index = Index(engine, "cards-words", TOWN)
    await index.ensure()
    await index.learn()
    things = [_thing(str(at), word) for at, word in enumerate([*WORDS, "Grundschulkinder"])]
    await engine.administration.wait(await engine.put("cards-words", things))
    yield Queries(engine, "cards-words", CALENDAR)
    await engine.administration.delete_index("cards-words")


def _thing(key: str, word: str) -> bytes:
    found = change(event(key, title={"de": f"{word} Nord"}), CALENDAR)
    assert found
    return found.document


async def _found(queries: Queries, q: str) -> set[str]:
    items = (await queries.search(Query(q=q, limit=100)))["items"]
    return {item["title"].removesuffix(" Nord") for item in items}


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
    wanted = settings(TOWN)
    current = await engine.administration.settings("cards-words")

    assert is_current(wanted, current)
    assert not is_current(wanted | {"stopWords": ["der"]}, current)


def test_synonyms_lead_from_each_word_to_all_others() -> None:
    assert synonyms([["Kita", "Kindergärten"], ["Kita", "Hort"], ["St.", "Sankt"]]) == {
        "hort": ["kita"],
        "kindergarten": ["kita"],
        "kita": ["hort", "kindergarten"],
        "sankt": ["st"],
        "st": ["sankt"],
    }
