"""What becomes of an offer's own fields when its board changes: values enter, values that fit and flags leave. Pure.

Nothing is lost: a value that no rule can convert is kept aside in a flag, and comes back when the board admits it again.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from libs.contracts.offers import BoardField, FieldType
from services.offers.boards.domain import Declaration
from services.offers.boards.values import fits
from services.offers.offers.domain import Flag

EMPTY: tuple[Any, ...] = (None, "", [])
GONE = "the board no longer has this field"
UNFIT = "the board no longer admits this value"
REQUIRED = "the board requires this field by now"


@dataclass
class Fitted:
    """An offer's own fields as the board admits them, and what a person has to look at."""

    values: dict[str, Any] = field(default_factory=dict)
    flags: list[Flag] = field(default_factory=list)


def fit(board: Declaration, values: dict[str, Any], flags: Iterable[Flag], *, complete: bool) -> Fitted:
    """Settle values, and those kept aside earlier, under a board's present declaration."""
    fitted = Fitted()
    names = board.by_name | {
        old: each for each in board.fields for old in each.was if old not in board.by_name
    }
    for name, value in sorted(values.items(), key=lambda pair: pair[0] not in board.by_name):
        _settle(fitted, names.get(name), name, value)
    for flag in flags:
        if flag.value is not None:
            _settle(fitted, names.get(flag.field), flag.field, flag.value)
    for each in board.fields if complete else []:
        _require(fitted, each)
    return fitted


def _settle(fitted: Fitted, declared: BoardField | None, name: str, value: Any) -> None:
    if declared is None:
        fitted.flags += [] if value in EMPTY else [Flag(field=name, reason=GONE, value=value)]
        return
    good, rest = convert(declared, value)
    held = fitted.values.get(declared.name)
    if declared.type is FieldType.CHOICES and held and good:
        good = [*held, *(item for item in good if item not in held)]
    elif held not in EMPTY and good not in EMPTY and held != good:
        good, rest = held, value  # two values for one field, after a renaming: the one it has stays
    if good not in EMPTY or declared.name not in fitted.values:
        fitted.values[declared.name] = good
    if rest not in EMPTY:
        fitted.flags.append(Flag(field=name, reason=UNFIT, value=rest))


def _require(fitted: Fitted, declared: BoardField) -> None:
    if not declared.required or fitted.values.get(declared.name) not in EMPTY:
        return
    if declared.default is not None:
        fitted.values[declared.name] = declared.default
    elif all(flag.field != declared.name for flag in fitted.flags):
        fitted.flags.append(Flag(field=declared.name, reason=REQUIRED))


def convert(declared: BoardField, value: Any) -> tuple[Any, Any]:
    """What of a value the field admits, converted if need be, and what it does not."""
    if value is None or fits(declared, value):
        return value, None
    if declared.type is FieldType.CHOICES:
        return _choices(declared, value if isinstance(value, list) else [value])
    for guess in _guesses(declared, value):
        if guess is not None and fits(declared, guess):
            return guess, None
    return None, value


def _choices(declared: BoardField, items: list[Any]) -> tuple[list[str], list[Any]]:
    found = {str(item): _option(declared, item) for item in items}
    good = dict.fromkeys(option for option in found.values() if option is not None)
    return list(good), [item for item in items if found[str(item)] is None]


def _guesses(declared: BoardField, value: Any) -> Iterable[Any]:
    """A wider type holds the same in another form; a narrower one may."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
        yield value
    if declared.type is FieldType.CHOICE:
        yield _option(declared, value)
    elif declared.type is FieldType.TEXT and not isinstance(value, bool):
        yield ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    elif declared.type is FieldType.INTEGER and isinstance(value, float) and value.is_integer():
        yield int(value)


def _option(declared: BoardField, value: Any) -> str | None:
    """The option that has, had or is called by this value."""
    word = str(value).casefold()
    for option in declared.options:
        if value == option.value or value in option.was:
            return option.value
    named = [
        each.value for each in declared.options if word in [name.casefold() for name in each.label.values()]
    ]
    return named[0] if len(named) == 1 else None
