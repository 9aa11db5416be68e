"""The words of one card, and whether they say what is asked for: whole words, parts, neighbours, equals, slips."""

import itertools
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from libs.cardquery.findable import findable
from libs.cardquery.spelling import begins, near, typos
from libs.contracts.card import Card
from libs.language.indexing import whole_words
from libs.language.questions import Question, Term

MOST_TOGETHER = 3  # words that are compared as one


class Wording:
    """A card's words, taken apart once; `equals` are the town's words that mean the same."""

    def __init__(self, card: Card, equals: dict[str, tuple[str, ...]]) -> None:
        self._card, self._equals = card, equals

    @cached_property
    def _folded(self) -> dict[str, Any]:
        found: dict[str, Any] = findable(self._card)["folded"]
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

    @property
    def words(self) -> frozenset[str]:
        """Every word by which it may be found."""
        return self.whole | self.inner | self.joined

    def says(self, asked: Question) -> bool:
        """Whether all that is asked for is there, and nothing that must not be."""
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


def equal_words(groups: list[list[str]]) -> dict[str, tuple[str, ...]]:
    """What each word of these groups may be said as."""
    found: dict[str, set[str]] = {}
    for group in groups:
        folded = {whole_words(word) for word in group}
        for word in folded:
            found.setdefault(word, set()).update(folded - {word})
    return {word: tuple(sorted(others)) for word, others in found.items()}
