"""One spelling for what people write in several: a text in any Unicode form enters, its words in plain small letters leave.

Fußball, Fussball and FUSSBALL are one word; Bücherei, Buecherei and Bucherei too. Index and question are folded alike.
"""

import re
from functools import lru_cache
from unicodedata import category, is_normalized, normalize

WORD = re.compile(r"[^\W_]+")
# ae, oe and ue stand for an umlaut except where "ue" follows a vowel or q (neue, Quelle), as in Snowball's German.
_UMLAUT = re.compile(r"(?<=[ao])e|(?<![aeiouq]u)(?<=u)e")
# Letters that Unicode does not take apart.
_SINGLE = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i"})
# Soft hyphens and joiners; marks that have no letter to be part of.
_INVISIBLE = re.compile(r"[\u00ad\u0300-\u036f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]")
_KEPT = 100_000


def words(text: str) -> list[str]:
    """The folded words of a text, in their order."""
    return " ".join(map(fold_word, WORD.findall(composed(text)))).split()


def composed(text: str) -> str:
    """The text without what nobody sees, each letter in one piece, so that words can be told from signs."""
    if text.isascii():
        return text
    return _INVISIBLE.sub("", text if is_normalized("NFC", text) else normalize("NFC", text))


@lru_cache(_KEPT)
def fold_word(word: str) -> str:
    """Letters without case, marks and German spelling variants, remembered: most words come again."""
    if not word.isascii():
        apart = normalize("NFKD", normalize("NFKD", word).casefold())
        plain = "".join(letter for letter in apart if category(letter) != "Mn").translate(_SINGLE)
        word = " ".join(WORD.findall(plain))  # "½" is two words
    return _UMLAUT.sub("", word.lower())
