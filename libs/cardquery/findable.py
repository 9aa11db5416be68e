"""What of a card is compared with what somebody types, and suggested: folded words, beside the texts that are shown."""

from collections.abc import Iterable
from functools import lru_cache
from itertools import chain
from typing import Any

from libs.contracts.card import Card
from libs.language.indexing import inner_words, whole_words

_KEPT = 20_000
SUGGESTED = "suggested"
# Between a suggestion's folded form, by which it is found, and itself.
_SHOWN_AS = "¦"
_folded = lru_cache(_KEPT)(whole_words)


def findable(card: Card) -> dict[str, Any]:
    """`folded` is searched; `suggested` are short words that name what the thing is."""
    words, place = _words(card), _place(card)
    texts = (card.title, card.summary, card.text)
    whole = chain(words, card.keywords, place, *(text.values() for text in texts))
    folded: dict[str, Any] = {
        "title": {lang: whole_words(text) for lang, text in card.title.items()},
        "words": list(map(_folded, words)),
        "keywords": list(map(_folded, card.keywords)),
        "summary": {lang: whole_words(text) for lang, text in card.summary.items()},
        "place": list(map(_folded, place)),
        "text": {lang: whole_words(text) for lang, text in card.text.items()},
        "inner": inner_words(whole),
    }
    return {"folded": folded, SUGGESTED: [f"{_folded(word)}{_SHOWN_AS}{word}" for word in words]}


def shown(suggestions: Iterable[str]) -> list[str]:
    """The words themselves."""
    return [suggestion.partition(_SHOWN_AS)[2] for suggestion in suggestions]


def _words(card: Card) -> list[str]:
    district = card.place.district if card.place else None
    values = chain.from_iterable(card.facets.values())
    return list(dict.fromkeys([*card.tags, *values, *([district] if district else [])]))


def _place(card: Card) -> list[str]:
    place = card.place
    if place is None:
        return []
    return [word for word in (place.street, place.postcode, place.locality, place.district) if word]
