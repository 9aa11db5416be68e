"""The newest facts, shared by all who follow the stream: bounded in number and in bytes, found by their place."""

from bisect import bisect_right
from dataclasses import dataclass, field

import structlog

from libs.cardquery.matching import Asked, Subject

MOST = 2000
MOST_BYTES = 64 * 1024 * 1024
# Answers are kept for so many different questions per fact; beyond, a question is answered for each reader.
ANSWERS = 200

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Question:
    """What a reader asks: the same `key` for the same question, whoever asks it."""

    key: bytes
    asked: Asked


@dataclass(frozen=True)
class Entry:
    """A fact at its place. `subject` is its card's words and values; None for a fact without a card."""

    sequence: int
    type: str
    body: bytes
    subject: Subject | None
    _answers: dict[bytes, bool] = field(default_factory=dict, compare=False, repr=False)

    def answers(self, question: Question) -> bool:
        """Whether the fact's card answers; worked out once, however many ask the same."""
        known = self._answers.get(question.key)
        if known is None:
            known = self._answer(question)
            if len(self._answers) < ANSWERS:
                self._answers[question.key] = known
        return known

    def _answer(self, question: Question) -> bool:
        try:
            return self.subject is not None and self.subject.answers(question.asked)
        except Exception as error:  # one odd card must not cut everybody's connection
            log.error("a card cannot be compared", sequence=self.sequence, exc_info=error)
            return False


class Ring:
    """Holds every fact behind the place `begin` up to the newest."""

    def __init__(self, begin: int, most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        self.begin, self._most, self._most_bytes = begin, most, most_bytes
        self._entries: list[Entry] = []
        self._places: list[int] = []
        self._bytes = 0

    def add(self, entry: Entry) -> None:
        """The next fact; the oldest go when there are too many, or too large ones."""
        self._entries.append(entry)
        self._places.append(entry.sequence)
        self._bytes += len(entry.body)
        gone = 0
        while len(self._entries) - gone > self._most or self._bytes > self._most_bytes:
            self.begin = self._places[gone]
            self._bytes -= len(self._entries[gone].body)
            gone += 1
        del self._entries[:gone], self._places[:gone]

    def behind(self, sequence: int, limit: int) -> list[Entry] | None:
        """The first facts behind a place; None for a place that is too far back."""
        if sequence < self.begin:
            return None
        at = bisect_right(self._places, sequence)
        return self._entries[at : at + limit]
