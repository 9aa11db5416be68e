"""German compounds without a dictionary: a folded word enters, its beginnings and endings that may be words leave.

A part begins where a German word can: with the longest run of consonants that begins one, or with one of the vowels'
usual beginnings. So "grundschulkinder" has "schulkinder" and "kinder", "freizeitkreis" has "kreis" but not "reis".
"""

import re
from collections.abc import Iterator
from functools import lru_cache

BEGINNING, ENDING = 4, 3  # letters at least
LONGEST_WORD = 60  # beyond that it is no word
_KEPT = 50_000
_CONSONANTS = re.compile(r"(?<=[aeiouy])[^\W\d_aeiouy]+(?=[aeiouy])")
_ONSET = re.compile(
    "b[lr]?|c(?:hr?|l|r)?|dr?|f[lr]?|g[lnr]?|h|j|k[lnr]?|l|m|n|p(?:f[lr]?|h|l|r)?|q|rh?|s(?:ch[lmnrw]?|k|p[lr]?|tr?)?"
    "|t[hr]?|v|wr?|x|zw?"
)
_LINKING_S = frozenset(("st", "sp", "sk", "str", "spl", "spr"))
_VOWELS = re.compile(
    "ab|akadem|akti|allt|alt|ambul|amt|an[^gdk]|arbeit|art|arzt|asyl|atelier|auf|ausb|ausf|ausk|auss|aust|ausw|auto"
    "|eck|ehr|ein|eltern|energ|engl|entw|erzieh|essen|event|info|initi|insel|insti|inter|oper|orch|ordn|ort|uber|ufer"
    "|ubung|uhr|um|unte|unter"
)
# What only bends a word or makes a noun of it.
_INFLECTION = re.compile(
    r".[ei].[en]?|[^aeiou]{1,3}ung(en)?|[hk]eit(en)?|schaft(en)?|lich(e|en|er|es)?|tion(en)?"
)


@lru_cache(_KEPT)
def parts(word: str) -> tuple[str, ...]:
    """Every beginning and ending of a long word that may be a word of its own."""
    pairs = list(cuts(word))
    endings = (ending for _, ending in pairs if not _INFLECTION.fullmatch(ending))
    return tuple(dict.fromkeys([*(beginning for beginning, _ in pairs), *endings]))


def cuts(word: str) -> Iterator[tuple[str, str]]:
    """Each way to take a word into two, left to right."""
    if not BEGINNING + ENDING <= len(word) <= LONGEST_WORD:
        return
    for cluster in _CONSONANTS.finditer(word):
        for at in _boundaries(cluster[0], cluster.start()):
            if BEGINNING <= at <= len(word) - ENDING:
                yield word[:at], word[at:]
        end = cluster.end()
        if end >= BEGINNING and _VOWELS.match(word, end):
            yield word[:end], word[end:]


def _boundaries(consonants: str, start: int) -> Iterator[int]:
    """Where the second part may begin: at the longest onset, and behind a linking s."""
    onset = next(
        n for n in range(len(consonants)) if _ONSET.fullmatch(consonants, n) or n == len(consonants) - 1
    )
    yield start + onset
    if consonants[onset:] in _LINKING_S:
        yield start + onset + 1
