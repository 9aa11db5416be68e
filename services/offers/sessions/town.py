"""What a town says that concerns its sessions: its time, its days off, and what can be said of a venue.

Public holidays come from the library `holidays` by the town's `[holidays]`, school holidays from a file of its own.
"""

import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import Field

from libs.contracts.card import Name, Text
from libs.httpkit.edge import Body
from services.offers.sessions.domain import DaysOff, Skip

# The library computes no further.
LAST_YEAR = 2100


class HolidayRules(Body):
    """`[holidays]` of city.toml, in the library's own words; `school` names the file of the school holidays."""

    country: str
    subdivision: str | None = None
    categories: list[str] = ["public"]
    school: str | None = None


class SchoolHoliday(Body):
    """A run of days without school, first and last."""

    start: date
    end: date
    name: Text


class SchoolHolidays(Body):
    """The file of the school holidays, and the last day for which it speaks."""

    known_until: date
    school: list[SchoolHoliday] = Field(default=[])


@dataclass(frozen=True)
class Town:
    """A town as its sessions see it."""

    zone: ZoneInfo
    languages: tuple[str, ...]
    accessibility: dict[Name, Text]
    rules: HolidayRules | None
    school: SchoolHolidays | None

    def public(self, year: int) -> dict[date, Text]:
        """The public holidays of a year and their names; empty when the town has no `[holidays]`."""
        rules = self.rules
        if rules is None or year > LAST_YEAR:
            return {}
        return _public(rules.country, rules.subdivision, tuple(rules.categories), self.languages, year)

    def days_off(self, years: range) -> dict[Skip, DaysOff]:
        """What a series of these years may leave out."""
        off = dict[Skip, DaysOff]()
        if self.rules:
            days = frozenset(day for year in years for day in self.public(year))
            off["public_holidays"] = DaysOff(days, date(LAST_YEAR, 12, 31))
        if self.school:
            off["school_holidays"] = DaysOff(frozenset(self._school_days()), self.school.known_until)
        return off

    def _school_days(self) -> list[date]:
        runs = self.school.school if self.school else []
        return [run.start + timedelta(n) for run in runs for n in range((run.end - run.start).days + 1)]


@lru_cache
def read(city: Path) -> Town:
    """The town of a folder; raises ValueError when its files do not fit."""
    said: dict[str, Any] = tomllib.loads((city / "city.toml").read_text(encoding="utf-8"))
    rules = HolidayRules.model_validate(said["holidays"]) if "holidays" in said else None
    school = None
    if rules and rules.school:
        facts = tomllib.loads((city / rules.school).read_text(encoding="utf-8"))
        school = SchoolHolidays.model_validate(facts)
    zone, languages = ZoneInfo(said["timezone"]), tuple(said["languages"])
    return Town(zone, languages, said.get("accessibility", {}), rules, school)


@lru_cache
def _public(
    country: str, subdivision: str | None, categories: tuple[str, ...], languages: tuple[str, ...], year: int
) -> dict[date, Text]:
    import holidays  # noqa: PLC0415 -- loads the calendars of all religions: not at every start

    names = dict[date, Text]()
    known = holidays.country_holidays(country, subdiv=subdivision).supported_languages
    for language in known or (None,):
        short = language.split("_")[0] if language else languages[0]
        if short in languages:
            found = holidays.country_holidays(
                country, subdiv=subdivision, categories=categories, years=year, language=language
            )
            for day, name in found.items():
                names.setdefault(day, {})[short] = name
    return dict(sorted(names.items()))
