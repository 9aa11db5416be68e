"""What somebody asks, in the words that things are indexed by: typed text enters, a question leaves.

A question is a line of folded words; as in most searches "several words" in quotes stand together, and a word with a
minus in front must be absent.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from libs.language.compounds import cuts
from libs.language.folding import composed, words

MOST_WORDS = 10  # more are not looked for
_CHUNK = re.compile(r'(?<!\S)(-?)(?:"([^"]*)"?|(\S+))')


class Term(NamedTuple):
    """Words that must be there (or absent), next to each other if it is a phrase."""

    words: tuple[str, ...]
    phrase: bool = False
    absent: bool = False

    def __str__(self) -> str:
        line = " ".join(self.words)
        return ("-" if self.absent else "") + (f'"{line}"' if self.phrase else line)


@dataclass(frozen=True)
class Question:
    """Terms, all of which must hold."""

    terms: tuple[Term, ...]

    @property
    def line(self) -> str:
        """The question as search engines take it."""
        return " ".join(map(str, self.terms))

    @property
    def words(self) -> tuple[str, ...]:
        """All that must be there."""
        return tuple(word for term in self.terms if not term.absent for word in term.words)

    def taken_apart(self) -> Iterator["Question"]:
        """The same with one compound in its two parts, every way to do that."""
        for at, term in enumerate(self.terms):
            if not (term.phrase or term.absent):
                yield from (self._with(at, Term(pair)) for pair in cuts(term.words[0]))

    def one_less(self) -> Iterator["Question"]:
        """The same without one of its words, the last first."""
        wanted = [at for at, term in enumerate(self.terms) if not term.absent]
        if len(wanted) > 1:
            yield from (self._with(at) for at in reversed(wanted))

    def _with(self, at: int, *instead: Term) -> "Question":
        return Question((*self.terms[:at], *instead, *self.terms[at + 1 :]))


def question(text: str, stop_words: frozenset[str] = frozenset()) -> Question:
    """What is asked. `stop_words` (folded) are left out unless there are no others."""
    terms = list(_terms(composed(text)))
    if all(term.absent for term in terms):  # nothing but a minus: it was a dash
        terms = [term._replace(absent=False) for term in terms]
    saying = [term for term in terms if term.phrase or not stop_words.issuperset(term.words)]
    if any(not term.absent for term in saying):
        terms = saying
    return Question(tuple(terms[:MOST_WORDS]))


def fold_all(texts: Iterable[str]) -> frozenset[str]:
    """The folded words of all these, such as a town's stop words."""
    return frozenset(word for text in texts for word in words(text))


def _terms(text: str) -> Iterator[Term]:
    chunks = list(_CHUNK.finditer(text))
    for number, chunk in enumerate(chunks, 1):
        minus, phrase, plain = chunk.groups()
        found = words(phrase or plain or "")
        if phrase is not None and len(found) > 1:
            yield Term(tuple(found), phrase=True, absent=bool(minus))
        else:
            # The last word may not be complete yet: "industr" is no street.
            whole = number < len(chunks) or (plain or "").endswith(".")
            yield from (Term((_street(word) if whole else word,), absent=bool(minus)) for word in found)


def _street(word: str) -> str:
    return f"{word}asse" if word.endswith("str") else word
