"""The form of a request as a board declares it, and whether answers keep to it. Values in, values out."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, model_validator

from libs.contracts.card import Age, Name, Text
from libs.contracts.offers import Option
from libs.servicekit.values import Body, is_clean
from services.offers.boards.values import check_day


class FormKind(StrEnum):
    """What a field of the form holds."""

    TEXT = "text"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    CHOICES = "choices"
    DATE = "date"


class Meaning(StrEnum):
    """What an answer says, so that it is compared with the offer and with today: somebody's birthday, an age in years,
    a day to come from which something is wanted."""

    BIRTHDAY = "birthday"
    AGE = "age"
    DAY = "day"


MEANT = {Meaning.BIRTHDAY: FormKind.DATE, Meaning.AGE: FormKind.INTEGER, Meaning.DAY: FormKind.DATE}
OLDEST = 120 * 12
YEARS_AHEAD = 20


@dataclass(frozen=True)
class Facts:
    """What answers are compared with: for whom the offer is, its last day, today, and the day on which it is booked."""

    age: Age | None
    ends_on: date | None
    today: date
    day: date


class FormField(Body):
    """One question of a board's form."""

    name: Name
    type: FormKind
    label: Text
    required: bool = False
    min: int | None = None
    max: int | None = None
    max_length: Annotated[int, Field(ge=1, le=2000)] = 500
    options: list[Option] = Field(default=[], max_length=100)
    means: Meaning | None = None

    @model_validator(mode="after")
    def _means_what_it_holds(self) -> "FormField":
        if self.means and MEANT[self.means] != self.type:
            raise ValueError(f"{self.name}: {self.means} is a field of type {MEANT[self.means]}")
        return self


def check_meaning(
    fields: list[FormField], values: Mapping[str, Any], facts: Facts
) -> Iterator[tuple[str, str]]:
    """Yield (name, reason) for answers, each right in itself, that go neither with the offer nor with today."""
    said = [(field, values[field.name]) for field in fields if values.get(field.name) is not None]
    days = [date.fromisoformat(value) for field, value in said if field.means is Meaning.DAY]
    wanted = max([facts.day, *days])
    for field, value in said:
        if field.means is Meaning.DAY and (reason := _day(date.fromisoformat(value), facts)):
            yield field.name, reason
        if field.means is Meaning.AGE and not _overlap(facts.age, value * 12, value * 12 + 11):
            yield field.name, f"the offer is for {_ages(facts.age)}"
        if field.means is Meaning.BIRTHDAY and (
            reason := _birthday(date.fromisoformat(value), wanted, facts)
        ):
            yield field.name, reason


def _day(day: date, facts: Facts) -> str | None:
    if day < facts.today:
        return "lies in the past"
    if facts.ends_on and day > facts.ends_on:
        return f"the offer ends on {facts.ends_on}"
    return None if day.year <= facts.today.year + YEARS_AHEAD else "lies too far ahead"


def _birthday(born: date, wanted: date, facts: Facts) -> str | None:
    if born > wanted:
        return "lies in the future"
    months = (wanted.year - born.year) * 12 + wanted.month - born.month - (wanted.day < born.day)
    if months > OLDEST:
        return "lies too far back"
    return None if _overlap(facts.age, months, months) else f"the offer is for {_ages(facts.age)}"


def _overlap(age: Age | None, low: int, high: int) -> bool:
    least = (age and age.from_months) or 0
    most = OLDEST if age is None or age.to_months is None else age.to_months
    return least <= high and low <= most


def _ages(age: Age | None) -> str:
    low, high = (age.from_months, age.to_months) if age else (None, None)
    return f"{low or 0} to {'any number of' if high is None else high} months of age"


def check_form(fields: list[FormField], values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (name, reason) for every value that the form does not admit; reasons never repeat what was written."""
    declared = {field.name: field for field in fields}
    for name, value in values.items():
        if name not in declared:
            yield name, "the form has no such field"
        elif value is not None and (reason := _CHECKS[declared[name].type](declared[name], value)):
            yield name, reason
    yield from ((f.name, "required") for f in fields if f.required and values.get(f.name) in (None, "", []))


def _text(field: FormField, value: Any) -> str | None:
    fits = isinstance(value, str) and len(value) <= field.max_length and is_clean(value)
    return None if fits else f"a text of at most {field.max_length} characters, without control characters"


def _integer(field: FormField, value: Any) -> str | None:
    low, high = field.min if field.min is not None else 0, field.max if field.max is not None else 10_000
    fits = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    return None if fits else f"a whole number from {low} to {high}"


def _boolean(_field: FormField, value: Any) -> str | None:
    return None if isinstance(value, bool) else "true or false"


def _choice(field: FormField, value: Any) -> str | None:
    options = [option.value for option in field.options]
    return None if value in options else f"one of {', '.join(options)}"


def _choices(field: FormField, value: Any) -> str | None:
    options = [option.value for option in field.options]
    fits = isinstance(value, list) and len(value) <= len(options) and all(item in options for item in value)
    return None if fits else f"a list of {', '.join(options)}"


def _date(_field: FormField, value: Any) -> str | None:
    return check_day(value)


_CHECKS: dict[FormKind, Callable[[FormField, Any], str | None]] = {
    FormKind.TEXT: _text,
    FormKind.INTEGER: _integer,
    FormKind.BOOLEAN: _boolean,
    FormKind.CHOICE: _choice,
    FormKind.CHOICES: _choices,
    FormKind.DATE: _date,
}
