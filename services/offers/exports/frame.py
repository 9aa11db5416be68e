"""What all rows of an export share: the boards, the languages, the town, and where things have their address."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from libs.servicekit.portal import NO_PORTAL, Portal
from services.offers.boards.domain import Declaration
from services.offers.exports.domain import PLAIN, Dialect, Shown, Standards, say

STANDARD = Standards()


@dataclass(frozen=True)
class Frame:
    """`board` is the one that was asked for; `languages` are the columns' languages, `spoken` those of single texts,
    most wanted first. `zone` names the town's time, `today` is its day, `country` and `state` say where it lies;
    `accessibility` says what its words for that mean, `dialect` how tables are written."""

    boards: Mapping[str, Declaration]
    languages: list[str]
    spoken: list[str]
    town: str
    base: str
    today: date = field(kw_only=True)
    board: Declaration | None = None
    zone: str = "UTC"
    portal: Portal = NO_PORTAL
    country: str = ""
    state: str = ""
    accessibility: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    dialect: Dialect = PLAIN

    def standards(self, board: str) -> Standards:
        """What a board says of itself to standards."""
        known = self.boards.get(board)
        return known.standards if known and known.standards else STANDARD

    def accessible(self, code: str) -> str:
        """What a place's word for its accessibility means."""
        return say(self.accessibility.get(code, {}), self.spoken) or code

    def address(self, shown: Shown) -> str:
        """Where an offer is shown: its own page, else the portal's, else the API's answer."""
        page = shown.content.get("url") or self.portal.page("offer", shown.id)
        return page or f"{self.base}/v1/offers/{shown.id}"
