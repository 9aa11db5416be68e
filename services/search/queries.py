"""Questions to the index: a `Query` enters, what a front end shows leaves. How Meilisearch is asked stays in here."""

import time
from collections.abc import Iterator
from itertools import islice
from re import Pattern

from libs.cardquery.findable import SUGGESTED, shown
from libs.cardquery.query import COMMON, Query, attribute
from libs.language.folding import words
from libs.language.questions import Question, question
from libs.town.calendar import Calendar
from services.search.engine import COUNTED, Engine, total
from services.search.failures import Json, Rejected, Unavailable
from services.search.filters import filters, order
from services.search.marking import BEGIN, END, marked, spellings
from services.search.schema import LOCALE

FALLBACK = ("de", "en")
TRIES = 8  # of each way to relax a question that finds nothing
EXCERPT_WORDS = 30
FACETS_SECONDS = 5.0

# What an item shows, with what stands there when a card lacks it.
_BLANK: Json = {
    **dict.fromkeys(
        ("board", "url", "image", "place", "period", "age", "hours", "price_cents", "free_places")
    ),
    **dict.fromkeys(("published_at", "provider", "bookable", "bookable_until")),
    **dict.fromkeys(("tags", "fields_of_action", "dates", "spans"), ()),
    "facets": {},
    "numbers": {},
}
_ASKED: Json = {
    "attributesToRetrieve": ["id", "kind", "title", "summary", *_BLANK],
    "cropLength": EXCERPT_WORDS,
    "cropMarker": "…",
    "highlightPreTag": BEGIN,
    "highlightPostTag": END,
    "matchingStrategy": "all",
    "locales": [LOCALE],
}
# What only has to say how much it finds.
_COUNT: Json = {
    "page": 1,
    "hitsPerPage": 0,
    "facets": [],
    "attributesToHighlight": [],
    "attributesToCrop": [],
}

_TEXTS = ("title", "summary", "text")
_TITLES: Json = {
    "filter": "listed = true",
    "attributesToSearchOn": ["folded.title.*"],
    "attributesToRetrieve": ["title"],
    "matchingStrategy": "all",
    "locales": [LOCALE],
}


class Queries:
    """Reads one index."""

    def __init__(
        self, engine: Engine, index: str, calendar: Calendar, stop_words: frozenset[str] = frozenset()
    ) -> None:
        self._engine, self._index, self._calendar, self._stop_words = engine, index, calendar, stop_words
        self._facets: tuple[float, list[str]] = (0.0, [])

    async def search(self, query: Query) -> Json:
        """The things that answer the query, best first; raises Unavailable."""
        begun = time.perf_counter()
        facets = await self._facet_attributes(query.facets)
        page, size, skip = window(query.offset, query.limit)
        asked_for = question(query.q, self._stop_words)
        asked = _ASKED | _asked(query, self._calendar) | {"q": asked_for.line}
        asked |= {"page": page, "hitsPerPage": size, "facets": [COUNTED, *facets]}
        answer, relaxed = await self._engine.search(self._index, asked), None
        if answer["totalHits"] == 0 and (line := await self._relaxed(asked_for, asked)):
            relaxed, instead = line
            answer = await self._engine.search(self._index, asked | instead)
        spelt = spellings(asked_for.words)
        counts = answer.get("facetDistribution", {})
        return {
            "items": [item(hit, query.lang, spelt) for hit in answer["hits"][skip : skip + query.limit]],
            "total": total(answer),
            "relaxed": relaxed,
            "facets": {name: counts.get(attribute, {}) for attribute, name in facets.items()},
            "took_ms": round((time.perf_counter() - begun) * 1000, 2),
        }

    async def _relaxed(self, asked_for: Question, asked: Json) -> tuple[str, Json] | None:
        """How the question finds something after all, with the least that has to be given up for it."""
        ways = list(_relaxations(asked_for))
        if not ways:
            return None
        tried = await self._engine.searches(self._index, [asked | way | _COUNT for _, way in ways])
        return next((way for way, answer in zip(ways, tried, strict=True) if answer["totalHits"]), None)

    async def _facet_attributes(self, wanted: tuple[str, ...]) -> dict[str, str]:
        """Meilisearch's attribute of each wanted facet, with the facet's name; `*` means all there are."""
        names = [*COMMON, *await self._declared()] if "*" in wanted else wanted
        return {attribute(name): name for name in names}

    async def _declared(self) -> list[str]:
        """The facets that publishers have declared and used, as of some seconds ago."""
        read, names = self._facets
        if time.monotonic() - read > FACETS_SECONDS or not names:
            facets = await self._engine.facets(self._index)
            names = [name.removeprefix("facets.") for name in facets if name.startswith("facets.")]
            self._facets = (time.monotonic(), names)
        return names

    async def town_words(self) -> list[str]:
        """The words that most things carry: tags, values of facets, districts; raises Unavailable."""
        asked: Json = {"facets": [SUGGESTED], "filter": "listed = true", "limit": 0}
        return shown((await self._engine.search(self._index, asked))["facetDistribution"].get(SUGGESTED, {}))

    async def suggest(self, q: str, lang: str, limit: int) -> list[Json]:
        """Words and titles that begin like what is being typed; raises Unavailable."""
        typed = " ".join(words(q))
        if not typed:
            return []
        asked = {"facetName": SUGGESTED, "facetQuery": typed, "filter": "listed = true"}
        found = (await self._engine.facet_search(self._index, asked))["facetHits"]
        texts = [(word, "word") for word in shown(hit["value"] for hit in found[: limit // 2])]
        texts += [(title, "title") for title in await self._titles(question(q).line, lang, limit * 3)]
        # The first of equals counts: a dict keeps the last, so it is filled from behind.
        distinct = {text.casefold(): {"text": text, "type": kind} for text, kind in reversed(texts)}
        return list(reversed(distinct.values()))[:limit]

    async def _titles(self, q: str, lang: str, limit: int) -> list[str]:
        asked: Json = _TITLES | {"q": q, "limit": limit}
        try:
            hits = (await self._engine.search(self._index, asked))["hits"]
        except Rejected as refusal:
            if refusal.code != "invalid_search_attributes_to_search_on":
                raise
            return []  # no thing has a title before there is a thing
        return [title for hit in hits if (title := in_language(hit["title"], lang))]

    async def missing(self) -> str | None:
        """What is missing for answering, if anything."""
        try:
            await self._engine.search(self._index, {"limit": 0})
        except Unavailable:
            return "meilisearch"
        return None


def _relaxations(asked_for: Question) -> Iterator[tuple[str, Json]]:
    """First a compound taken apart, then a word less, then both, then what has the first words."""
    less = list(islice(asked_for.one_less(), TRIES))
    both = (apart for one in less for apart in one.taken_apart())
    for how, questions in (("parts", asked_for.taken_apart()), ("words", less), ("words", both)):
        yield from ((how, {"q": one.line}) for one in islice(questions, TRIES))
    if len(asked_for.terms) > 2:
        yield "words", {"q": asked_for.line, "matchingStrategy": "last"}


def window(offset: int, limit: int) -> tuple[int, int, int]:
    """The smallest page (number, size, how much of it to skip) that holds the slice: only pages have exact totals."""
    size = limit
    while offset // size != (offset + limit - 1) // size:
        size += 1
    return offset // size + 1, size, offset % size


def _asked(query: Query, calendar: Calendar) -> Json:
    # Marking is the dearest part of an answer, so only what is shown is marked, not every language.
    shown = {query.lang: None, FALLBACK[0]: None}
    asked: Json = {
        "filter": list(filters(query, calendar)),
        "sort": order(query),
        "attributesToHighlight": [f"{name}.{lang}" for name in _TEXTS for lang in shown],
        "attributesToCrop": [f"text.{lang}" for lang in shown],
    }
    if query.near:
        asked["attributesToRetrieve"] = [*_ASKED["attributesToRetrieve"], "_geo"]  # else no distance is given
    return asked


def item(hit: Json, lang: str, spelt: Pattern[str] | None = None) -> Json:
    """A hit as front ends get it: texts in one language, matches marked, everything else harmless in HTML."""
    formatted, place, image = hit.pop("_formatted", {}), hit.get("place"), hit.get("image")
    provider = hit.get("provider")
    hit.pop("_geo", None)
    shown: Json = {
        "title": in_language(hit["title"], lang) or "",
        "summary": in_language(hit.get("summary"), lang),
        "highlight": {name: marked(in_language(formatted.get(name), lang), spelt) for name in _TEXTS},
        "distance": hit.pop("_geoDistance", None),
        "image": image and {"url": image["url"], "alt": in_language(image["alt"], lang) or ""},
        "provider": provider and {"id": provider["id"], "title": in_language(provider["title"], lang) or ""},
        "district": place.get("district") if place else None,
    }
    return _BLANK | hit | shown


def in_language(text: dict[str, str] | None, lang: str) -> str | None:
    """The text in this language, else in the next best: a missing language never hides a thing."""
    if not text:
        return None
    for one in (lang, *FALLBACK):
        if one in text:
            return text[one]
    return next(iter(text.values()))
