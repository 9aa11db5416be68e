"""Values: what people type into a cell enters, the value its target asks for leaves, or why it is none."""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum, auto
from typing import Any

from libs.contracts import address
from libs.imports.findings import InvalidCell, Params

_WHOLE = re.compile(r"[+-]?\d{1,18}\Z", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,18}(?:\.\d{1,18})?(?:[eE][+-]?\d{1,2})?\Z", re.ASCII)
_GERMAN_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})\Z", re.ASCII)
_YES, _NO = frozenset({"ja", "wahr", "true", "yes", "1"}), frozenset({"nein", "falsch", "false", "no", "0"})
_ADDRESSES = {
    address.NO_SCHEME: "address_scheme",
    address.NO_LOGIN: "address_login",
    address.NO_HOST: "address_host",
}
# How the first byte of a German letter looks when UTF-8 was taken for Windows-1252.
_TWICE = re.compile("[ÃÂâ][\u0080-\u00bf\u0152-\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]")


class Kind(Enum):
    """What a target asks for."""

    WORD = auto()
    FREE_TEXT = auto()
    WHOLE = auto()
    DECIMAL = auto()
    YES_NO = auto()
    DAY = auto()
    ADDRESS = auto()
    CHOICE = auto()
    CHOICES = auto()
    LIST = auto()
    OBJECT = auto()


@dataclass(frozen=True)
class Target:
    """A target's kind; where it is a choice, its values by every name that people know them by, and `labels` of all."""

    kind: Kind = Kind.WORD
    options: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


def folded(text: str) -> str:
    """A name as it is compared: whatever its case, its blanks and its form in Unicode."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def choice(labels: Mapping[str, Mapping[str, str]], kind: Kind = Kind.CHOICE) -> Target:
    """A target whose values have labels by language; a label that two values share names none of them."""
    names: dict[str, set[str]] = {}
    for value, titles in labels.items():
        for name in titles.values():
            names.setdefault(folded(name), set()).add(value)
    options = {name: values.pop() for name, values in names.items() if len(values) == 1}
    options |= {folded(value): value for value in labels}
    languages = dict.fromkeys(language for titles in labels.values() for language in titles)
    listed = {
        language: ", ".join(titles.get(language) or value for value, titles in labels.items())[:300]
        for language in languages
    }
    return Target(kind, options, listed)


def doubly_decoded(text: str) -> str | None:
    """What a text was before somebody took its UTF-8 for Windows-1252; None when it looks as it should."""
    if text.isascii() or not _TWICE.search(text):
        return None
    try:
        return text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return None


def whole(text: str) -> int:
    """A whole number."""
    if not _WHOLE.match(text):
        raise InvalidCell("whole_number")
    return int(text)


def number(text: str) -> float:
    """A number with a point."""
    if not _NUMBER.match(text):
        raise InvalidCell("number")
    return float(text)


def yes_no(text: str) -> bool:
    """Yes or no, as people and spreadsheets say it."""
    word = text.lower()
    if word not in _YES | _NO:
        raise InvalidCell("yes_no")
    return word in _YES


def day(text: str) -> str:
    """A day by ISO 8601; one that is written the German way is turned round."""
    match = _GERMAN_DAY.match(text)
    if match is None:
        return text
    try:
        return date(int(match[3]), int(match[2]), int(match[1])).isoformat()
    except ValueError:
        raise InvalidCell("day") from None


def web_address(text: str) -> str:
    """A web address by the standard."""
    # A frequent slip of web forms that put http:// before whatever was pasted.
    try:
        return address.web_address(re.sub(r"^http://(?=https?://)", "", text))
    except ValueError as wrong:
        raise InvalidCell(address_code(str(wrong))) from None


def address_code(reason: str) -> str:
    """The code of what is wrong with a web address."""
    return _ADDRESSES.get(reason, "address")


def object_of(text: str) -> Any:
    """A JSON object in one cell."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidCell("no_json") from None
    if not isinstance(found, dict):
        raise InvalidCell("no_object")
    return found


def option(target: Target, text: str) -> str:
    """The value that a choice's name stands for."""
    found = target.options.get(folded(text))
    if found is None:
        raise InvalidCell("choice", _choices(target))
    return found


def options(target: Target, words: list[str]) -> list[str]:
    """The values that names stand for; people part them by commas and semicolons too."""
    found: list[str] = []
    for word in words:
        if folded(word) in target.options:
            found.append(target.options[folded(word)])
        else:
            found += [option(target, part) for part in re.split("[,;]", word) if part.strip()]
    return list(dict.fromkeys(found))


def _choices(target: Target) -> Params:
    return {"options": target.labels}


PLAIN: dict[Kind, Callable[[str], Any]] = {
    Kind.WORD: str,
    Kind.FREE_TEXT: str,
    Kind.WHOLE: whole,
    Kind.YES_NO: yes_no,
    Kind.DAY: day,
    Kind.ADDRESS: web_address,
    Kind.OBJECT: object_of,
}
