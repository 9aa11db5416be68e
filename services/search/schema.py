"""What the index is told about cards and about the town's language: Meilisearch's settings, from city/search.toml.

Meilisearch splits German compounds into parts ("kinder tages stätte") and looks synonyms up afterwards, so a
synonym must be written in parts. Where it splits is its own secret; we ask it, in an index that holds words only.
"""

import tomllib
from pathlib import Path
from typing import Any
from unicodedata import normalize

import structlog
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json

from libs.contracts.offers import BoardField
from services.search.engine import Engine, Json

MAX_WORDS = 10_000
MAX_PARTS = 3  # Meilisearch looks up at most three parts together

EXACT = {"facetSearch": True, "filter": {"equality": True, "comparison": False}}
PLAIN = {"facetSearch": False, "filter": {"equality": True, "comparison": False}}
RANGE = {"facetSearch": False, "filter": {"equality": True, "comparison": True}}
GERMAN = [{"locales": ["deu"], "attributePatterns": ["*"]}]

log = structlog.get_logger(__name__)


class Vocabulary(BaseModel):
    """The town's words: those that mean nothing to a search, and groups that mean the same.

    Also the names of the filters that all things have.
    """

    model_config = ConfigDict(extra="forbid")

    stop_words: list[str] = Field(default=[])
    equal: list[list[str]] = Field(default=[])
    filters: list[BoardField] = Field(default=[])

    @classmethod
    def of(cls, city: Path) -> "Vocabulary":
        """Read `search.toml`; a town without one has no words of its own."""
        file = city / "search.toml"
        said = tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        return cls.model_validate_json(to_json(said))


async def settings(engine: Engine, words: Vocabulary, name: str) -> Json:
    """The whole settings of an index; `name` begins the name of the index that is asked for compounds."""
    parts = await _split(engine, sorted({word for group in words.equal for word in group}), name)
    return without_synonyms(words) | {"synonyms": synonyms(words.equal, parts)}


def without_synonyms(words: Vocabulary) -> Json:
    """What an index needs to take documents and to be asked; the rest may follow at any time."""
    return _CARDS | {"stopWords": sorted({normalize("NFC", word) for word in words.stop_words})}


def is_current(wanted: Json, current: Json) -> bool:
    """Whether an index has these settings already; to set them again would make it index everything anew."""
    # Meilisearch gives stop words back with their accents apart, and in the order that results from that.
    stop_words = sorted(normalize("NFC", word) for word in current["stopWords"])
    return all((current | {"stopWords": stop_words}).get(name) == value for name, value in wanted.items())


def has_our_shape(current: Json) -> bool:
    """Whether the index was made for the documents that this release writes."""
    return is_current(_CARDS, current)


def synonyms(groups: list[list[str]], parts: dict[str, str]) -> dict[str, list[str]]:
    """Meilisearch's form: from every word of a group to all its others, each in its parts."""
    found: dict[str, set[str]] = {}
    for group in groups:
        split = {parts[word] for word in group}
        for word in split:
            found.setdefault(word, set()).update(split - {word})
    if deaf := [word for word in found if word.count(" ") >= MAX_PARTS]:
        log.warning("too many parts: found by its equals, but does not find them", words=deaf)
    return {word: sorted(found[word]) for word in sorted(found)}


async def _split(engine: Engine, words: list[str], name: str) -> dict[str, str]:
    """Each word in its parts. They are kept: a start asks only for what is new, another Meilisearch for all."""
    if not words:
        return {}
    version = (await engine.call("GET", "/version"))["pkgVersion"].replace(".", "-")
    uid = f"{name}-words-{version}"
    if uid not in await engine.indexes(uid):
        await engine.do("PATCH", f"/indexes/{uid}/settings", {"localizedAttributes": GERMAN})
    kept = await engine.call("POST", f"/indexes/{uid}/documents/fetch", {"limit": MAX_WORDS})
    parts = {one["word"]: one["parts"] for one in kept["results"] if "parts" in one}
    if new := [word for word in words if word not in parts]:
        await _keep(engine, uid, [{"id": _id(word), "word": word} for word in new])
        parts |= {word: await _parts(engine, uid, word) for word in new}
        await _keep(engine, uid, [{"id": _id(word), "word": word, "parts": parts[word]} for word in new])
    return parts


async def _keep(engine: Engine, uid: str, documents: list[Json]) -> None:
    await engine.do("POST", f"/indexes/{uid}/documents?primaryKey=id", documents)


def _id(word: str) -> str:
    return word.encode().hex()[:500]


async def _parts(engine: Engine, uid: str, word: str) -> str:
    query = {"q": word, "locales": ["deu"], "showMatchesPosition": True, "limit": 1000}
    hits = (await engine.search(uid, query | {"matchingStrategy": "all"}))["hits"]
    matches: list[Any] = next((hit["_matchesPosition"]["word"] for hit in hits if hit["word"] == word), [])
    text = word.encode()
    split = [text[match["start"] : match["start"] + match["length"]].decode() for match in matches]
    return " ".join(split or [word]).lower()


# The order of searchable attributes is their weight. `words` holds tags, facet values and the district.
_CARDS: Json = {
    "searchableAttributes": ["title", "words", "keywords", "summary", "place", "text"],
    "filterableAttributes": [
        {
            "attributePatterns": ["words", "kind", "board", "tags", "fields_of_action", "place.district"],
            "features": EXACT,
        },
        {"attributePatterns": ["facets.*", "place.accessibility", "weekdays"], "features": EXACT},
        {
            "attributePatterns": ["listed", "starts", "ends", "days", "age_from", "age_to"],
            "features": RANGE,
        },
        {"attributePatterns": ["price_cents", "free_places", "numbers.*"], "features": RANGE},
        {"attributePatterns": ["id", "open", "lift"], "features": PLAIN},
        "_geo",  # Meilisearch knows it by its plain name only
    ],
    "sortableAttributes": ["_geo", "price_cents", "published", "rank", "soonest"],
    # Its publisher's boost and the agenda's priorities lift a thing among equally good answers; distance counts before it, where it was asked for.
    "rankingRules": ["words", "typo", "proximity", "attribute", "exactness", "sort", "rank:desc"],
    "localizedAttributes": [
        {"locales": ["deu"], "attributePatterns": ["*.de", "*.de-simple", "words", "keywords", "place.*"]},
        {"locales": ["eng"], "attributePatterns": ["*.en"]},
    ],
    "faceting": {"maxValuesPerFacet": 500, "sortFacetValuesBy": {"*": "count"}},
    # Totals are exact up to here.
    "pagination": {"maxTotalHits": 1_000_000},
}
