"""When a typed word means a word of a text: equal, begun, or misspelt within Meilisearch's limits. Folded words enter."""

from functools import lru_cache

from rapidfuzz.distance import OSA

ONE_TYPO, TWO_TYPOS = 5, 9  # letters from which so many are forgiven
_KEPT = 200_000


def typos(word: str, together: int = 1) -> int:
    """How many typos a word may have; one that was put together of several has fewer."""
    forgiven = 2 if len(word) >= TWO_TYPOS else 1 if len(word) >= ONE_TYPO else 0
    return max(forgiven - (together - 1), 0)


@lru_cache(_KEPT)
def near(asked: str, word: str, most: int) -> bool:
    """Whether a word is at most so many typos away; one at the first letter counts double."""
    if abs(len(asked) - len(word)) > most:
        return False
    distance = OSA.distance(asked, word, score_cutoff=most)
    return distance <= (most if asked[:1] == word[:1] else most - 1)


def begins(asked: str, word: str, most: int) -> bool:
    """Whether a word begins like what is asked, at most so many typos away."""
    if word.startswith(asked):
        return True
    if not most or len(word) < len(asked) - most:
        return False
    ends = range(len(asked) - most, min(len(asked) + most, len(word)) + 1)
    return any(near(asked, word[:end], most) for end in ends)
