"""Whether one card answers a query, decided from the card alone as the town's search would: words, facets, place, time.

Not relaxed: what search offers where nothing fits is no answer here. How words are compared is in ADR 40.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any
from unicodedata import normalize

from libs.cardquery.document import FIRST_DAY, LAST_DAY, described
from libs.cardquery.hours import moment_codes
from libs.cardquery.query import Limits, Query, now
from libs.cardquery.vocabulary import Vocabulary
from libs.cardquery.wording import Wording, equal_words
from libs.contracts.card import Card
from libs.language.questions import Question, question
from libs.town.calendar import Calendar

EARTH_METRES = 6_371_000.0


@dataclass(frozen=True)
class Asked:
    """A query, and its words in the form in which texts are compared."""

    query: Query
    words: Question


class Matching:
    """A town's days and words, with which cards are compared to queries."""

    def __init__(self, calendar: Calendar, vocabulary: Vocabulary) -> None:
        self._calendar, self.silent = calendar, vocabulary.silent
        self.equals = equal_words(vocabulary.equal)

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
        self.card, self._calendar = card, calendar
        self.wording = Wording(card, equals)

    @cached_property
    def values(self) -> dict[str, Any]:
        """When, where and for whom it is."""
        return described(self.card, self._calendar)

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
            and self.wording.says(asked.words)
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
