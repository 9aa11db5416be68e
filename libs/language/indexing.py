"""What of a text can be found by a word: the text enters, folded words leave. The other side is `questions`."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain

from libs.language.compounds import parts
from libs.language.folding import WORD, composed, words

# What people write as one word may have a sign within: e.V., Erzieher*in, Eltern-Kind-Gruppe.
_SIGNS = r"[-./*:_'’·|]"
_SIGN_WITHIN = re.compile(rf"{_SIGNS}(?<=[^\W_].)(?=[^\W_])")
_JOINED = re.compile(rf"[^\W_]+(?:{_SIGNS}[^\W_]+)+")
_LETTER = re.compile(r"[^\W\d_]")
_KEPT = 50_000


def whole_words(text: str) -> str:
    """The text as its folded words, abbreviated streets written out."""
    folded = " ".join(words(text))
    return f"{folded} ".replace("str ", "strasse ")[:-1] if "str" in folded else folded


def inner_words(texts: Iterable[str]) -> list[str]:
    """What the words of these texts are made of, or make together, each once."""
    text = composed("\n".join(texts))
    found = chain.from_iterable(map(_parts, WORD.findall(text)))
    return list(dict.fromkeys([*_joined(text), *found]))


@lru_cache(_KEPT)
def _parts(word: str) -> tuple[str, ...]:
    return tuple(part for one in whole_words(word).split() for part in parts(one))


def _joined(text: str) -> Iterator[str]:
    if _SIGN_WITHIN.search(text):
        for match in _JOINED.finditer(text):
            if _LETTER.search(match[0]):
                yield "".join(words(match[0]))
