"""Events of search: how helpful what it found was, and what it could not find. No word of what anybody typed."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from libs.contracts.card import Language, Name, Word
from libs.contracts.event import THING_ID, Fact


class Reason(StrEnum):
    """Why a result helped or did not; a closed list instead of free text."""

    FITS = "fits"
    NOT_WHAT_I_MEANT = "not_what_i_meant"
    OUTDATED = "outdated"
    NO_PLACES = "no_places"
    TOO_FAR = "too_far"
    TOO_EXPENSIVE = "too_expensive"
    NOT_ACCESSIBLE = "not_accessible"
    UNCLEAR = "unclear"
    LINK_BROKEN = "link_broken"


class ResultRated(Fact, name="search.result.rated.v1"):
    """Somebody said whether a thing that was found helped; each rating is a thing of its own."""

    thing_id: str = Field(pattern=THING_ID, description="The thing that was found.")
    kind: Name
    board: Name | None = None
    helpful: bool
    reason: Reason | None = None


Asker = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]


class QueryUnanswered(Fact, name="search.query.unanswered.v1", internal=True):
    """A search found nothing. Holds words of the town's own vocabulary only, in their main form, never what was typed."""

    words: list[Word] = Field(
        min_length=1, max_length=20, description="Synonyms, option labels and indexed words, sorted."
    )
    board: Name | None = Field(default=None, description="The one exchange that was searched.")
    lang: Language = "de"
    asker: Asker = Field(
        description="The same for the same asker on the same day, to tell one from many; hashed with a "
        "secret that never leaves search and with the day."
    )
