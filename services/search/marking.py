"""Matches in the texts that are shown: a text as Meilisearch marked it enters, HTML with `<mark>` leaves.

Meilisearch marks what is spelt like the question. Where it marked nothing the question's words are looked for in their
other spellings, and inside compounds.
"""

import html
import re
import secrets
from functools import lru_cache

# What surrounds a match inside Meilisearch's answer: nobody can write it into a text beforehand.
_MARK = secrets.token_hex(4)
BEGIN, END = f"\ue000{_MARK}\ue001", f"\ue002{_MARK}\ue003"
INSIDE = 4  # letters of a word that is looked for inside others, too
_KEPT = 1000
_SPELT = {
    "ss": "(?:ss|ß|ẞ)",
    "a": "(?:ae|[aàáâãäå]\u0308?)",
    "o": "(?:oe|[oòóôõöø]\u0308?)",
    "u": "(?:ue|[uùúûü]\u0308?)",
    "e": "[eèéêë]",
    "c": "[cç]",
    "n": "[nñ]",
}
_VARIANT = re.compile("|".join(_SPELT))


def marked(text: str | None, spellings: re.Pattern[str] | None) -> str | None:
    """The text as HTML; nothing but the marks is markup."""
    if text is None:
        return None
    if spellings and BEGIN not in text:
        text = spellings.sub(f"{BEGIN}\\g<0>{END}", text)
    # Neighbours are marked one by one; a reader sees one stretch.
    whole = html.escape(text).replace(END + BEGIN, "")
    return whole.replace(BEGIN, "<mark>").replace(END, "</mark>")


@lru_cache(_KEPT)
def spellings(words: tuple[str, ...]) -> re.Pattern[str] | None:
    """Any of these folded words, however it is spelt; None for none."""
    return re.compile("|".join(map(_spelt, words)), re.IGNORECASE) if words else None


def _spelt(word: str) -> str:
    begin = "" if len(word) >= INSIDE else r"(?<![^\W_])"
    stem, street, _ = word.rpartition("strasse")
    variants = _VARIANT.sub(lambda found: _SPELT[found[0]], re.escape(stem if street else word))
    return begin + variants + (r"str(?:a(?:ss|ß|ẞ)e|\.)" if street else "")
