"""Values of a board's fields: which of them a field admits. Values in, values out."""

import math
from collections.abc import Callable
from datetime import date
from typing import Any

from libs.contracts.address import web_address
from libs.contracts.offers import BoardField, FieldType
from libs.servicekit.values import is_clean
from libs.town import hours

MAX_TEXT = 2000
MAX_NUMBER = 2**53
LABEL_TYPES = (FieldType.CHOICE, FieldType.CHOICES)
NUMBER_TYPES = (FieldType.INTEGER, FieldType.NUMBER)


def fits(field: BoardField, value: Any) -> bool:
    """Whether a field admits a value."""
    return check(field, value) is None


def check(field: BoardField, value: Any) -> str | None:
    """Why a field does not admit a value; None when it does."""
    return None if value is None else _CHECKS[field.type](field, value)


def check_day(value: Any) -> str | None:
    """Why a value is no day as the contract writes it; Python itself also reads `20261224` and `2026-W52-4`."""
    try:
        fits = date.fromisoformat(value).isoformat() == value
    except (TypeError, ValueError):
        fits = False
    return None if fits else "a date such as 2026-12-24"


def _text(_field: BoardField, value: Any) -> str | None:
    fits = isinstance(value, str) and len(value) <= MAX_TEXT and is_clean(value)
    return None if fits else f"a text of at most {MAX_TEXT} characters, without control characters"


def _integer(_field: BoardField, value: Any) -> str | None:
    fits = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MAX_NUMBER
    return None if fits else "a whole number"


def _number(_field: BoardField, value: Any) -> str | None:
    fits = (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and abs(value) <= MAX_NUMBER
    )
    return None if fits else "a number"


def _boolean(_field: BoardField, value: Any) -> str | None:
    return None if isinstance(value, bool) else "true or false"


def _choice(field: BoardField, value: Any) -> str | None:
    if any(value == option.value for option in field.options):
        return None
    return f"one of {', '.join(option.value for option in field.options)}"


def _choices(field: BoardField, value: Any) -> str | None:
    options = {option.value for option in field.options}
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return "a list"
    if unknown := [item for item in value if item not in options]:
        return f"{', '.join(unknown)[:100]} is none of {', '.join(sorted(options))}"
    return None if len(set(value)) == len(value) else "each value once"


def _date(_field: BoardField, value: Any) -> str | None:
    return check_day(value)


def _url(_field: BoardField, value: Any) -> str | None:
    if not isinstance(value, str) or value != value.strip():
        return "a web address"
    try:
        web_address(value)
    except ValueError as wrong:
        return str(wrong)
    return None


def _hours(_field: BoardField, value: Any) -> str | None:
    """Any text: what cannot be evaluated, such as `nach Vereinbarung`, is shown as it is."""
    fits = isinstance(value, str) and value.strip() and len(value) <= hours.MAX_LENGTH and is_clean(value)
    return None if fits else "opening hours such as Mo-Fr 07:00-18:00; Sa 09:00-12:00"


_CHECKS: dict[FieldType, Callable[[BoardField, Any], str | None]] = {
    FieldType.TEXT: _text,
    FieldType.INTEGER: _integer,
    FieldType.NUMBER: _number,
    FieldType.BOOLEAN: _boolean,
    FieldType.CHOICE: _choice,
    FieldType.CHOICES: _choices,
    FieldType.DATE: _date,
    FieldType.URL: _url,
    FieldType.HOURS: _hours,
}
