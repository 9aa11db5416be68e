"""What a town says that concerns its sessions: its time, its days off, and what can be said of a venue."""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from libs.contracts.card import Name, Text
from libs.town import calendar
from libs.town.calendar import LAST_YEAR, Calendar
from services.offers.sessions.domain import DaysOff, Skip


@dataclass(frozen=True)
class Town:
    """A town as its sessions see it."""

    calendar: Calendar
    accessibility: dict[Name, Text]

    @property
    def zone(self) -> ZoneInfo:
        """Its time."""
        return self.calendar.zone

    def days_off(self, years: range) -> dict[Skip, DaysOff]:
        """What a series of these years may leave out."""
        off, own = dict[Skip, DaysOff](), self.calendar
        if own.rules:
            days = frozenset(day for year in years for day in own.public(year))
            off["public_holidays"] = DaysOff(days, date(LAST_YEAR, 12, 31))
        if own.school:
            off["school_holidays"] = DaysOff(own.school_days, own.school.known_until)
        return off


@lru_cache
def read(city: Path) -> Town:
    """The town of a folder; raises ValueError when its files do not fit."""
    said = tomllib.loads((city / "city.toml").read_text(encoding="utf-8"))
    return Town(calendar.read(city), said.get("accessibility", {}))
