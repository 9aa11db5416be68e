"""A town's days: its time, its public holidays and its school holidays; `city.toml` enters, answers by day leave.

Public holidays come from the library `holidays` by the town's `[holidays]`, school holidays from a file of its own.
"""

import os
import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from libs.contracts.card import Text

# The library computes no further.
LAST_YEAR = 2100
PUBLIC, SCHOOL = "PH", "SH"  # as opening hours call them


class _Section(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class HolidayRules(_Section):
    """`[holidays]` of city.toml, in the library's own words; `school` names the file of the school holidays."""

    country: str
    subdivision: str | None = None
    categories: list[str] = ["public"]
    school: str | None = None


class SchoolHoliday(_Section):
    """A run of days without school, first and last."""

    start: date
    end: date
    name: Text


class SchoolHolidays(_Section):
    """The file of the school holidays, and the last day for which it speaks."""

    known_until: date
    school: list[SchoolHoliday] = Field(default=[])


@dataclass(frozen=True, eq=False)
class Calendar:
    """The days of a town; there is one of each town. `centre` is where the sun rises and sets."""

    zone: ZoneInfo
    languages: tuple[str, ...] = ("de",)
    rules: HolidayRules | None = None
    school: SchoolHolidays | None = None
    centre: tuple[float, float] | None = None

    def public(self, year: int) -> dict[date, Text]:
        """The public holidays of a year and their names; empty when the town has no `[holidays]`."""
        rules = self.rules
        if rules is None or year > LAST_YEAR:
            return {}
        return _public(rules.country, rules.subdivision, tuple(rules.categories), self.languages, year)

    @cached_property
    def school_days(self) -> frozenset[date]:
        """The days without school, as far as they are known."""
        runs = self.school.school if self.school else []
        return frozenset(
            run.start + timedelta(n) for run in runs for n in range((run.end - run.start).days + 1)
        )

    def off(self, day: date) -> frozenset[str]:
        """What a day is in the words of opening hours: a public holiday, a school holiday, both or none."""
        kinds = {PUBLIC: day in self.public(day.year), SCHOOL: day in self.school_days}
        return frozenset(kind for kind, holds in kinds.items() if holds)


def shifted(moment: datetime, days: int, zone: tzinfo) -> datetime:
    """The same time of day so many days later or earlier, also where the clocks change in between; UTC."""
    local = moment.astimezone(zone).replace(tzinfo=None) + timedelta(days=days)
    return local.replace(tzinfo=zone).astimezone(UTC)


def lasts(start: datetime, end: datetime, zone: tzinfo) -> timedelta:
    """How long something lasts: whole days as the calendar counts them, anything else by the clock."""
    civil = end.astimezone(zone).replace(tzinfo=None) - start.astimezone(zone).replace(tzinfo=None)
    return civil if civil and civil % timedelta(days=1) == timedelta() else end - start


def begins(day: date, zone: tzinfo) -> datetime:
    """The instant at which a day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def ends(day: date, zone: tzinfo) -> datetime:
    """The instant at which a day ends, and the next begins."""
    return begins(day + timedelta(days=1), zone)


def here() -> Calendar:
    """The calendar of the town that `COBURG_CITY` names, for what is told far below the edges that know settings."""
    return _named(os.environ.get("COBURG_CITY", "city"))


@lru_cache
def _named(folder: str) -> Calendar:
    return read(Path(folder))


@lru_cache
def read(city: Path) -> Calendar:
    """The calendar of a town's folder; raises ValueError when its files do not fit."""
    content: dict[str, Any] = tomllib.loads((city / "city.toml").read_text(encoding="utf-8"))
    rules = HolidayRules.model_validate(content["holidays"]) if "holidays" in content else None
    school = None
    if rules and rules.school:
        facts = tomllib.loads((city / rules.school).read_text(encoding="utf-8"))
        school = SchoolHolidays.model_validate(facts)
    centre = content.get("centre")
    return Calendar(
        ZoneInfo(content["timezone"]),
        tuple(content["languages"]),
        rules,
        school,
        (centre["lat"], centre["lon"]) if centre else None,
    )


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
