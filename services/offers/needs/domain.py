"""Rules of unmet needs: how many must ask within which time before it is told, and when it is told again. Values in, values out."""

import hashlib
from datetime import date, timedelta

from pydantic import Field

from libs.servicekit.values import Body

AGAIN_AT = 1.5  # told anew when so many times as many ask
MAX_WORDS = 8
MAX_KEY = 200


class NeedRules(Body):
    """`[needs]` of city.toml. Fewer than three could be one family, which nobody may guess."""

    threshold: int = Field(default=5, ge=3, le=1000)
    window_days: int = Field(default=28, ge=1, le=365)

    def since(self, today: date) -> date:
        """The first day that counts."""
        return today - timedelta(days=self.window_days - 1)


def wording(words: list[str]) -> list[str] | None:
    """The words of a need in one form, whatever their order; None when there is nothing, or too much, to tell."""
    found = sorted({word.lower() for word in words})
    return found if 0 < len(found) <= MAX_WORDS and len(key_of(found)) <= MAX_KEY else None


def key_of(words: list[str]) -> str:
    """What makes two questions the same; a word may have several parts."""
    return " + ".join(words)


def stranger(recipient_id: str, thing_id: str) -> str:
    """A mark that is the same for one recipient at one thing and tells nothing beyond."""
    return hashlib.sha256(f"{thing_id}\n{recipient_id}".encode()).hexdigest()[:32]


def is_due(asking: int, told: int, rules: NeedRules) -> bool:
    """Whether a need is to be told, for the first time or because it has grown; `told` is 0 while it is not public."""
    return asking >= rules.threshold and (told == 0 or asking >= told * AGAIN_AT)


def is_settled(asking: int, told: int, rules: NeedRules) -> bool:
    """Whether a need that was told is none any more."""
    return told > 0 and asking < rules.threshold
