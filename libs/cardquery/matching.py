"""Whether one card answers a query, decided from the card alone as the town's search would: words, facets, place, time.

Not relaxed: what search offers where nothing fits is no answer here. How words are compared is in ADR 40.
"""

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any
from unicodedata import normalize

from libs.cardquery.document import FIRST_DAY, LAST_DAY, described
from libs.cardquery.findable import findable
from libs.cardquery.hours import moment_codes
from libs.cardquery.query import Limits, Query, now
from libs.cardquery.spelling import begins, near, typos
from libs.cardquery.vocabulary import Vocabulary
from libs.contracts.card import Card
from libs.language.indexing import whole_words
from libs.language.questions import Question, Term, question
from libs.town.calendar import Calendar

EARTH_METRES = 6_371_000.0
MOST_TOGETHER = 3  # words that are compared as one


@dataclass(frozen=True)
class Asked:
    """A query, and its words in the form in which texts are compared."""

    query: Query
    words: Question


class Matching:
    """A town's days and words, with which cards are compared to queries."""

    def __init__(self, calendar: Calendar, vocabulary: Vocabulary) -> None:
        self._calendar, self.silent = calendar, vocabulary.silent
        self.equals = _equals(vocabulary.equal)

    def asked(self, query: Query) -> Asked:
        """A query that many cards are to be compared with."""
        return Asked(query, question(query.q, self.silent))

    def subject(self, card: Card) -> "Subject":
        """A card that many queries are to be compared with."""
        return Subject(card, self._calendar, self.equals)

    def answers(self, query: Query, card: Card) -> bool:
        """Whether search would find this card."""
        return self.subject(card).answers(self.asked(query))


class Subject:
    """One card, taken apart once."""

    def __init__(self, card: Card, calendar: Calendar, equals: dict[str, tuple[str, ...]]) -> None:
        self.card, self._calendar, self._equals = card, calendar, equals

    @cached_property
    def values(self) -> dict[str, Any]:
        """When, where and for whom it is."""
        return described(self.card, self._calendar)

    @cached_property
    def _folded(self) -> dict[str, Any]:
        found: dict[str, Any] = findable(self.card)["folded"]
        return found

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Its folded texts, each between blanks."""
        parts = [part for name, part in self._folded.items() if name != "inner"]
        texts = [text for part in parts for text in (part.values() if isinstance(part, dict) else part)]
        return tuple(f" {text} " for text in dict.fromkeys(texts))

    @cached_property
    def whole(self) -> frozenset[str]:
        """The words that it says."""
        return frozenset(word for text in self.texts for word in text.split())

    @cached_property
    def inner(self) -> frozenset[str]:
        """What these are made of."""
        return frozenset(self._folded["inner"])

    @cached_property
    def joined(self) -> frozenset[str]:
        """Neighbouring words as one."""
        lines = [text.split() for text in self.texts]
        return frozenset(a + b for words in lines for a, b in itertools.pairwise(words))

    def answers(self, asked: Asked) -> bool:
        """Whether search would find it; a tombstone is never found."""
        query = asked.query
        return (
            self.card.listed
            and all(self._has(name, values) for name, values in query.filters.items())
            and self._accessible(query.accessibility)
            and self._figures(query)
            and self._when(query)
            and self._for_whom(query)
            and self._where(query)
            and self._says(asked.words)
        )

    def facet(self, name: str) -> Sequence[str]:
        """The values of a facet."""
        card = self.card
        common: dict[str, Sequence[str | None]] = {
            "kind": (card.kind,),
            "board": (card.board,),
            "district": (card.place.district if card.place else None,),
            "tag": card.tags,
            "field": card.fields_of_action,
        }
        return [value for value in common.get(name, card.facets.get(name, ())) if value is not None]

    def _has(self, name: str, wanted: Iterable[str]) -> bool:
        return not {facet_form(value) for value in wanted}.isdisjoint(map(facet_form, self.facet(name)))

    def _accessible(self, wanted: Iterable[str]) -> bool:
        return set(wanted) <= set(self.card.place.accessibility if self.card.place else ())

    def _figures(self, query: Query) -> bool:
        numbers = self.card.numbers
        return _within(self.card.price_cents, query.price) and all(
            _within(numbers.get(name), limits) for name, limits in query.numbers.items()
        )

    def _when(self, query: Query) -> bool:
        if (query.since or query.until) and not self._on_days(query):
            return False
        if query.weekdays and set(query.weekdays).isdisjoint(self.values["weekdays"]):
            return False
        if query.open_at:
            return not set(moment_codes(query.open_at, self._calendar)).isdisjoint(
                self.values.get("open", ())
            )
        return True

    def _on_days(self, query: Query) -> bool:
        first = query.since.toordinal() if query.since else FIRST_DAY
        last = query.until.toordinal() if query.until else LAST_DAY
        if "days" in self.values:
            return any(first <= day <= last for day in self.values["days"])
        return bool(self.values["starts"] <= last and self.values["ends"] >= first)

    def _for_whom(self, query: Query) -> bool:
        if query.free and not (
            (self.card.free_places or 0) > 0 and self.values["closes"] > now().timestamp()
        ):
            return False
        if query.age is None:
            return True
        return bool(self.values["age_from"] <= query.age[1] and self.values["age_to"] >= query.age[0])

    def _where(self, query: Query) -> bool:
        if query.near is None or query.radius is None:
            return True
        place = self.values.get("_geo")
        return place is not None and metres(query.near, (place["lat"], place["lng"])) <= query.radius

    def _says(self, asked: Question) -> bool:
        if any(self._term(term, last=False) for term in asked.terms if term.absent):
            return False
        wanted = [term for term in asked.terms if not term.absent]
        prefix = bool(wanted) and asked.terms[-1] is wanted[-1]
        return self._from(wanted, 0, prefix=prefix)

    def _from(self, terms: Sequence[Term], at: int, *, prefix: bool) -> bool:
        """Whether the terms from here on are there, each by itself or put together with its neighbours."""
        if at == len(terms):
            return True
        for size in range(1, MOST_TOGETHER + 1):
            some = terms[at : at + size]
            if len(some) < size or (size > 1 and any(term.phrase for term in some)):
                return False
            last = prefix and at + size == len(terms)
            found = self._term(some[0], last=last) if size == 1 else self._together(some, last=last)
            if found and self._from(terms, at + size, prefix=prefix):
                return True
        return False

    def _term(self, term: Term, *, last: bool) -> bool:
        if term.phrase:
            return self._line(" ".join(term.words))
        (word,) = term.words
        if term.absent:
            return word in self.whole or word in self.inner
        return self._word(word, last=last) or word in self.joined

    def _together(self, terms: Sequence[Term], *, last: bool) -> bool:
        line = " ".join(term.words[0] for term in terms)
        return self._equal(line) or self._word(line.replace(" ", ""), last=last, together=len(terms))

    def _word(self, word: str, *, last: bool, together: int = 1) -> bool:
        if word in self.whole or word in self.inner or self._equal(word):
            return True
        most = typos(word, together)
        if last:
            return any(begins(word, text, most) for text in self.whole) or any(
                text.startswith(word) for text in self.inner
            )
        return bool(most) and any(near(word, text, most) for text in self.whole)

    def _equal(self, line: str) -> bool:
        return any(self._line(other) or other in self.inner for other in self._equals.get(line, ()))

    def _line(self, line: str) -> bool:
        if " " not in line:
            return line in self.whole
        return any(f" {line} " in text for text in self.texts)


@lru_cache(20_000)
def facet_form(value: str) -> str:
    """How the engine compares values of facets."""
    return normalize("NFKD", value.strip()).lower()


def metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The distance between two points (haversine)."""
    (lat1, lon1), (lat2, lon2) = (map(math.radians, point) for point in (one, other))
    across = math.sin((lat2 - lat1) / 2) ** 2
    along = math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_METRES * math.asin(math.sqrt(min(1.0, across + along)))


def _within(value: float | None, limits: Limits) -> bool:
    low, high = limits
    if low is None and high is None:
        return True
    return value is not None and (low is None or value >= low) and (high is None or value <= high)


def _equals(groups: list[list[str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for group in groups:
        folded = {whole_words(word) for word in group}
        for word in folded:
            found.setdefault(word, set()).update(folded - {word})
    return {word: tuple(sorted(others)) for word, others in found.items()}
