"""What the index is told about cards and about the town's language: Meilisearch's settings, from city/search.toml.

Meilisearch gets words that are folded and taken apart already (ADR 30). Its own German rules stay off: they cut "Lehrer|in".
"""

import structlog

from libs.cardquery.named import MOST_LIMIT, MOST_OFFSET
from libs.cardquery.vocabulary import Vocabulary
from libs.language.indexing import whole_words
from services.search.failures import Json

MAX_TOGETHER = 3  # Meilisearch looks up at most three words together

EXACT = {"facetSearch": True, "filter": {"equality": True, "comparison": False}}
PLAIN = {"facetSearch": False, "filter": {"equality": True, "comparison": False}}
RANGE = {"facetSearch": False, "filter": {"equality": True, "comparison": True}}
# Cuts at blanks and signs, and nowhere else.
LOCALE = "eng"
FOLDED = ("title", "words", "keywords", "summary", "place", "text", "inner")

log = structlog.get_logger(__name__)


def settings(words: Vocabulary) -> Json:
    """The whole settings of an index."""
    return _CARDS | {"synonyms": synonyms(words.equal)}


def is_current(wanted: Json, current: Json) -> bool:
    """Whether an index has these settings already; to set them again would make it index everything anew."""
    return all(current.get(name) == value for name, value in wanted.items())


def has_our_shape(current: Json) -> bool:
    """Whether the index was made for the documents that this release writes."""
    return is_current(_CARDS, current)


def synonyms(groups: list[list[str]]) -> dict[str, list[str]]:
    """Meilisearch's form: from every word of a group to all its others, folded."""
    found: dict[str, set[str]] = {}
    for group in groups:
        folded = {whole_words(word) for word in group}
        for word in folded:
            found.setdefault(word, set()).update(folded - {word})
    if deaf := [word for word in found if word.count(" ") >= MAX_TOGETHER]:
        log.warning("too many words: found by its equals, but does not find them", words=deaf)
    return {word: sorted(found[word]) for word in sorted(found)}


# The order of searchable attributes is their weight. `words` holds tags, facet values and the district, `inner` what
# compounds are made of: there a typo would find anything.
_CARDS: Json = {
    "searchableAttributes": [f"folded.{name}" for name in FOLDED],
    "typoTolerance": {
        "enabled": True,
        "minWordSizeForTypos": {"oneTypo": 5, "twoTypos": 9},
        "disableOnWords": [],
        "disableOnAttributes": ["folded.inner"],
        "disableOnNumbers": False,
    },
    "stopWords": [],
    "filterableAttributes": [
        {
            "attributePatterns": ["suggested", "kind", "board", "tags", "fields_of_action", "place.district"],
            "features": EXACT,
        },
        {"attributePatterns": ["facets.*", "place.accessibility", "weekdays"], "features": EXACT},
        {
            "attributePatterns": ["listed", "starts", "ends", "days", "age_from", "age_to"],
            "features": RANGE,
        },
        {"attributePatterns": ["price_cents", "free_places", "closes", "numbers.*"], "features": RANGE},
        {"attributePatterns": ["id", "open", "lift"], "features": PLAIN},
        "_geo",  # Meilisearch knows it by its plain name only
    ],
    "sortableAttributes": ["_geo", "price_cents", "published", "rank", "soonest"],
    # The word itself, wherever it stands, comes before words that only begin like it or mean the same.
    # Its publisher's boost and the agenda's priorities lift a thing among equally good answers; distance counts before it, where it was asked for.
    "rankingRules": ["words", "typo", "proximity", "exactness", "attribute", "sort", "rank:desc"],
    "localizedAttributes": [{"locales": [LOCALE], "attributePatterns": ["*"]}],
    "faceting": {"maxValuesPerFacet": 500, "sortFacetValuesBy": {"*": "count"}},
    # No answer holds or reaches more, whoever asks; totals are counted apart.
    "pagination": {"maxTotalHits": MOST_OFFSET + MOST_LIMIT},
}
