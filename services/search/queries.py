"""Questions to the index: a `Query` enters, what a front end shows leaves. How Meilisearch is asked stays in here."""

import html
import secrets
import time

from libs.town.calendar import Calendar
from services.search.engine import Engine, Json, Rejected
from services.search.filters import COMMON, Query, attribute, filters, order
from services.search.wire import Unavailable

LOCALES = {"de": ["deu"], "de-simple": ["deu"], "en": ["eng"]}
FALLBACK = ("de", "en")
EXCERPT_WORDS = 30
FACETS_SECONDS = 5.0

# What surrounds a match inside Meilisearch's answer: nobody can write it into a text beforehand.
_MARK = secrets.token_hex(4)
_BEGIN, _END = f"\ue000{_MARK}\ue001", f"\ue002{_MARK}\ue003"

# What an item shows, with what stands there when a card lacks it.
_BLANK: Json = {
    **dict.fromkeys(
        ("board", "url", "image", "place", "period", "age", "hours", "price_cents", "free_places")
    ),
    "published_at": None,
    **dict.fromkeys(("tags", "fields_of_action", "dates"), ()),
    "facets": {},
    "numbers": {},
}
_ASKED: Json = {
    "attributesToRetrieve": ["id", "kind", "title", "summary", *_BLANK],
    "cropLength": EXCERPT_WORDS,
    "cropMarker": "…",
    "highlightPreTag": _BEGIN,
    "highlightPostTag": _END,
    "matchingStrategy": "all",
}
# When nothing holds all words: what holds the first of them, and compounds split as in German.
_RELAXED: Json = {"matchingStrategy": "last", "locales": ["deu"]}

_TEXTS = ("title", "summary", "text")
_TITLES: Json = {
    "filter": "listed = true",
    "attributesToSearchOn": ["title.*"],
    "attributesToRetrieve": ["title"],
    "matchingStrategy": "all",
}


class Queries:
    """Reads one index."""

    def __init__(self, engine: Engine, index: str, calendar: Calendar) -> None:
        self._engine, self._index, self._calendar = engine, index, calendar
        self._facets: tuple[float, list[str]] = (0.0, [])

    async def search(self, query: Query) -> Json:
        """The things that answer the query, best first; raises Unavailable."""
        begun = time.perf_counter()
        facets = await self._facet_attributes(query.facets)
        page, size, skip = window(query.offset, query.limit)
        asked = _ASKED | _asked(query, self._calendar)
        asked |= {"page": page, "hitsPerPage": size, "facets": list(facets)}
        answer = await self._engine.search(self._index, asked)
        if answer["totalHits"] == 0 and _may_be_relaxed(query):
            answer = await self._engine.search(self._index, asked | _RELAXED)
        counts = answer.get("facetDistribution", {})
        return {
            "items": [item(hit, query.lang) for hit in answer["hits"][skip : skip + query.limit]],
            "total": answer["totalHits"],
            "facets": {name: counts.get(attribute, {}) for attribute, name in facets.items()},
            "took_ms": round((time.perf_counter() - begun) * 1000, 2),
        }

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

    async def words(self) -> list[str]:
        """The words that most things carry: tags, values of facets, districts; raises Unavailable."""
        asked: Json = {"facets": ["words"], "filter": "listed = true", "limit": 0}
        return list((await self._engine.search(self._index, asked))["facetDistribution"].get("words", {}))

    async def suggest(self, q: str, lang: str, limit: int) -> list[Json]:
        """Words and titles that begin like what is being typed; raises Unavailable."""
        if not q.strip():
            return []
        words = {"facetName": "words", "facetQuery": q, "filter": "listed = true"}
        found = (await self._engine.facet_search(self._index, words))["facetHits"]
        texts = [(hit["value"], "word") for hit in found[: limit // 2]]
        texts += [(title, "title") for title in await self._titles(q, lang, limit * 3)]
        # The first of equals counts: a dict keeps the last, so it is filled from behind.
        distinct = {text.casefold(): {"text": text, "type": kind} for text, kind in reversed(texts)}
        return list(reversed(distinct.values()))[:limit]

    async def _titles(self, q: str, lang: str, limit: int) -> list[str]:
        asked: Json = _TITLES | {"q": q, "limit": limit, "locales": LOCALES[lang]}
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


def _may_be_relaxed(query: Query) -> bool:
    """Whether there are words to leave out, or compounds that were not split: whatever its language, text is found."""
    q = query.q.strip()
    return bool(q) and (" " in q or LOCALES[query.lang] != _RELAXED["locales"])


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
        "q": query.q,
        "locales": LOCALES[query.lang],
        "filter": list(filters(query, calendar)),
        "sort": order(query),
        "attributesToHighlight": [f"{name}.{lang}" for name in _TEXTS for lang in shown],
        "attributesToCrop": [f"text.{lang}" for lang in shown],
    }
    if query.near:
        asked["attributesToRetrieve"] = [*_ASKED["attributesToRetrieve"], "_geo"]  # else no distance is given
    return asked


def item(hit: Json, lang: str) -> Json:
    """A hit as front ends get it: texts in one language, matches marked, everything else harmless in HTML."""
    marked, place, image = hit.pop("_formatted", {}), hit.get("place"), hit.get("image")
    hit.pop("_geo", None)
    shown: Json = {
        "title": in_language(hit["title"], lang) or "",
        "summary": in_language(hit.get("summary"), lang),
        "highlight": {name: _marked(in_language(marked.get(name), lang)) for name in _TEXTS},
        "distance": hit.pop("_geoDistance", None),
        "image": image and {"url": image["url"], "alt": in_language(image["alt"], lang) or ""},
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


def _marked(text: str | None) -> str | None:
    if text is None:
        return None
    # The parts of a compound are marked one by one; a reader sees one word.
    whole = html.escape(text).replace(_END + _BEGIN, "")
    return whole.replace(_BEGIN, "<mark>").replace(_END, "</mark>")
