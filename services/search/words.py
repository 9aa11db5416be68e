"""The town's own words: those that synonyms, boards and things bring along. A text enters, the words of it that the
town knows leave, each in its main form. What is none of them never leaves."""

import re
from collections.abc import Iterable
from typing import Any

MAX_TOGETHER = 5  # tokens of one word, as in "Kinder unter drei Jahren"
MAX_WORDS = 20
_TOKEN = re.compile(r"[^\W_]+(?:[-.][^\W_]+)*")
# A yes or no is the value of many facets and says nothing by itself.
_SAYS_NOTHING = re.compile(r"true|false|[\d.-]+")


class TownWords:
    """Word → main form: the first of a group of synonyms, an option's German label, else the word itself."""

    def __init__(
        self,
        equal: Iterable[list[str]] = (),
        boards: Iterable[dict[str, Any]] = (),
        indexed: Iterable[str] = (),
    ) -> None:
        self._main: dict[str, str] = {}
        for group in equal:
            self._learn(group, group[0])
        for board in boards:
            for field in board.get("declares", ()):
                for option in field["options"]:
                    self._learn_option(option)
        for word in indexed:
            self._learn([word], word)

    def _learn_option(self, option: dict[str, Any]) -> None:
        labels = list(option["label"].values())
        main = option["label"].get("de") or next(iter(labels), option["value"])
        self._learn([main], main)
        self._learn([*labels, option["value"]], self._main.get(_key(main), main))

    def _learn(self, words: Iterable[str], main: str) -> None:
        for word in words:
            key = _key(word)
            if key and not _SAYS_NOTHING.fullmatch(key):
                self._main.setdefault(key, main)

    def known(self, texts: Iterable[str]) -> list[str]:
        """The main forms of all words of the texts that the town knows, sorted; of overlapping ones the longest."""
        found = {word for text in texts for word in self._in(_TOKEN.findall(text.casefold()))}
        return sorted(found)[:MAX_WORDS]

    def _in(self, tokens: list[str]) -> Iterable[str]:
        position = 0
        while position < len(tokens):
            for size in range(MAX_TOGETHER, 0, -1):
                main = self._main.get(" ".join(tokens[position : position + size]))
                if main:
                    yield main
                    position += size - 1
                    break
            position += 1


def _key(word: str) -> str:
    return " ".join(_TOKEN.findall(word.casefold()))
