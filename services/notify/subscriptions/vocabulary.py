"""The words that subscriptions are filed under: the words of a card enter, those of them that they may mean leave.

They are far fewer than subscriptions and stand in memory; what a card's word means is remembered, and compared with new
words only.
"""

from collections import defaultdict
from collections.abc import Iterable
from weakref import WeakKeyDictionary

from rapidfuzz import process
from rapidfuzz.distance import OSA
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from libs.cardquery.spelling import ONE_TYPO, TWO_TYPOS, begins, typos
from services.notify.subscriptions.models import FollowedWord

REMEMBERED = 50_000
# Numbers are given out before they are committed, so some that are smaller may come after.
OVERLAP = 1_000


class FollowedWords:
    """All words that anything is filed under, of one database."""

    def __init__(self) -> None:
        self._words: list[str] = []
        self._known: set[str] = set()
        self._by_shape: dict[tuple[str, int], list[str]] = defaultdict(list)
        self._by_tail: dict[str, list[str]] = defaultdict(list)
        self._meant: dict[str, tuple[int, frozenset[str]]] = {}
        self._read = 0

    def refresh(self, session: Session) -> None:
        """Read what is new."""
        query = select(FollowedWord).where(col(FollowedWord.id) > self._read - OVERLAP)
        for row in session.exec(query.order_by(col(FollowedWord.id))):
            self._read = max(self._read, row.id or 0)
            if row.word not in self._known:
                self._learn(row.word)

    def _learn(self, word: str) -> None:
        self._words.append(word)
        self._known.add(word)
        if len(word) >= ONE_TYPO:
            self._by_shape[word[0], len(word)].append(word)
        if len(word) >= TWO_TYPOS:
            self._by_tail[word[1:]].append(word)

    def meant_by(self, words: Iterable[str]) -> set[str]:
        """The filed words that any of these could mean."""
        if len(self._meant) > REMEMBERED:
            self._meant.clear()
        return set().union(*map(self._of, words))

    def _of(self, word: str) -> frozenset[str]:
        upto, found = self._meant.get(word, (0, frozenset[str]()))
        if upto == len(self._words) and word in self._meant:
            return found
        if word in self._meant:
            new = [each for each in self._words[upto:] if begins(each, word, typos(each))]
            found = found | frozenset(new)
        else:
            found = frozenset(self._search(word))
        self._meant[word] = (len(self._words), found)
        return found

    def _search(self, word: str) -> Iterable[str]:
        for end in range(1, len(word) + 1):
            begun = word[:end]
            if begun in self._known:
                yield begun
            if end >= ONE_TYPO - 1:
                yield from self._misspelt(begun)

    def _misspelt(self, begun: str) -> Iterable[str]:
        """Filed words that are a typo or two away from how a word begins."""
        for length in range(len(begun) - 2, len(begun) + 3):
            some = self._by_shape.get((begun[0], length))
            if some and (most := typos(some[0])):
                yield from (
                    hit[0]
                    for hit in process.extract(
                        begun, some, scorer=OSA.distance, score_cutoff=most, limit=None
                    )
                )
        # A typo at the first letter: another one, one more, one less, or the first two the wrong way round.
        yield from self._by_tail.get(begun[1:], ())
        yield from self._by_tail.get(begun, ())
        yield from ({begun[1:], begun[1] + begun[0] + begun[2:]} & self._known)


_of_database: WeakKeyDictionary[Engine, FollowedWords] = WeakKeyDictionary()


def followed_words(session: Session) -> FollowedWords:
    """The words of this session's database, as they stand now."""
    words = _of_database.setdefault(session.connection().engine, FollowedWords())
    words.refresh(session)
    return words
