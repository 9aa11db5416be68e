"""The form of a request as a board declares it, and whether answers keep to it. Values in, values out."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from libs.contracts.card import Name, Text
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
