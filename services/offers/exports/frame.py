"""What all rows of an export share: the boards, the languages, the town, and where things have their address."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.offers.boards.domain import Declaration
from services.offers.exports.domain import Shown, Standards

STANDARD = Standards()


@dataclass(frozen=True)
class Frame:
    """`board` is the one that was asked for; `languages` are the columns' languages, `spoken` those of single texts,
    most wanted first. `zone` names the town's time, `country` and `state` where it lies."""

    boards: Mapping[str, Declaration]
    languages: list[str]
    spoken: list[str]
    town: str
    base: str
    board: Declaration | None = None
    zone: str = "UTC"
    country: str = ""
    state: str = ""

    def standards(self, board: str) -> Standards:
        """What a board says of itself to standards."""
        known = self.boards.get(board)
        return known.standards if known and known.standards else STANDARD

    def address(self, shown: Shown) -> str:
        """Where an offer is shown: its own page, else the API's answer."""
        return shown.content.get("url") or f"{self.base}/v1/offers/{shown.id}"
