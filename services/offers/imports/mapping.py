"""Mappings: how the columns of a source file become offers. One TOML file a source, in `city/imports/`.

A `Mapping` is read and checked once; `Mapper` turns rows into drafts. Values in, values out.
"""

import re
import string
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError
from pydantic_core import to_json

from libs.contracts.card import Name
from libs.contracts.offers import FieldType
from libs.servicekit.http import Body, clean
from services.offers.boards.domain import URL, Declaration, check_fields
from services.offers.hours import by_day
from services.offers.offers.domain import OfferContent
from services.offers.providers.domain import ProviderContent

MAX_KEY = 200
WHOLE = {"age.from_months", "age.to_months", "price_cents", "free_places"}
DECIMAL = {"place.lat", "place.lon"}
LISTS = {"tags", "fields_of_action", "place.accessibility", "dates"}
_HOURS = re.compile(r"^(\S+) (\d\d:\d\d-\d\d:\d\d)$")


class Rule(Body):
    """Where one target's value comes from: columns, a template over columns, or a constant."""

    columns: list[str] = Field(default=[], alias="from")
    template: list[str] = []
    constant: Any = None
    values: dict[str, str] = Field(default={}, description="Words of the source and what they are here.")
    days: dict[str, str] = Field(default={}, description="Names of weekdays, for opening hours.")
    lenient: bool = Field(default=False, description="A value that does not fit is left out with a notice.")


class ProviderRule(Body):
    """The columns that name the organisation."""

    title: str
    kind: str | None = None


class Mapping(Body):
    """One source's layout, and the target of each of its columns."""

    board: Name
    title: str
    source: Name
    key: str
    language: str = "de"
    encoding: Literal["utf-8-sig", "utf-8", "cp1252", "iso-8859-15"] = "utf-8-sig"
    delimiter: Literal[",", ";", "\t", "|"] = ","
    decimal: Literal[".", ","] = "."
    separator: str = "|"
    missing: list[str] = []
    provider: ProviderRule | None = None
    rules: dict[str, Rule]

    @cached_property
    def columns(self) -> set[str]:
        """Every column the source must have."""
        named = {self.key, *(name for rule in self.rules.values() for name in rule.columns)}
        named |= {name for rule in self.rules.values() for text in rule.template for name in _names(text)}
        if self.provider:
            named |= {name for name in (self.provider.title, self.provider.kind) if name}
        return named


def read(file: Path) -> Mapping:
    """A mapping from its file; raises ValueError naming the file and what is wrong."""
    try:
        return Mapping.model_validate_json(to_json(tomllib.loads(file.read_text(encoding="utf-8"))))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise ValueError(f"{file}: {error}") from error


def native(board: str, columns: list[str]) -> Mapping:
    """The mapping of a CSV file whose headings are an offer's own field names, such as `title.de`."""
    rules = {
        name: Rule.model_validate({"from": [name]}) for name in columns if name not in ("key", "provider")
    }
    provider = ProviderRule(title="provider") if "provider" in columns else None
    return Mapping(board=board, title="native", source="native", key="key", provider=provider, rules=rules)


@dataclass(frozen=True)
class Finding:
    """Something about a row: an error keeps it out, a notice does not."""

    column: str | None
    reason: str
    value: str | None = None
    severity: Literal["error", "notice"] = "error"


@dataclass
class Draft:
    """A row as an offer to be; `content` is missing when there are errors."""

    key: str | None = None
    provider: ProviderContent | None = None
    content: OfferContent | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def broken(self) -> bool:
        """Whether the row has an error."""
        return any(finding.severity == "error" for finding in self.findings)


class Unfit(ValueError):  # noqa: N818 - says what the cell is
    """A cell that is not what its target asks for; carries the reason."""


class Mapper:
    """Applies one mapping to the rows of one file."""

    def __init__(self, mapping: Mapping, board: Declaration) -> None:
        self._mapping, self._board = mapping, board
        self._missing = frozenset(mapping.missing)
        self._fields = board.by_name
        # Different rules may read the same column; together they must know every word in it.
        self._words: dict[str, set[str]] = {}
        for rule in mapping.rules.values():
            for column in rule.columns:
                self._words.setdefault(column, set()).update(rule.values)

    def draft(self, cells: dict[str, str]) -> Draft:
        """One row as a draft, with everything that is to be said about it."""
        draft = Draft(key=self._cell(cells, self._mapping.key))
        if not draft.key or len(draft.key) > MAX_KEY:
            draft.findings.append(
                Finding(self._mapping.key, f"needs a key of at most {MAX_KEY} characters", draft.key)
            )
        content: dict[str, Any] = {}
        for target, rule in self._mapping.rules.items():
            self._apply(target, rule, cells, content, draft.findings)
        if not draft.broken:
            finish(draft, content, self._provider(cells), self._board, self._column)
        return draft

    def _apply(
        self, target: str, rule: Rule, cells: dict[str, str], content: dict[str, Any], findings: list[Finding]
    ) -> None:
        try:
            value = self._value(target, rule, cells)
        except Unfit as unfit:
            column = rule.columns[0] if rule.columns else target
            severity: Literal["error", "notice"] = "notice" if rule.lenient else "error"
            findings.append(Finding(column, str(unfit), cells.get(column, "")[:200], severity))
        else:
            if value not in (None, "", []):
                _put(content, target, value)

    def _value(self, target: str, rule: Rule, cells: dict[str, str]) -> Any:
        if rule.constant is not None:
            return rule.constant
        if rule.template:
            return self._fill(rule.template, cells)
        texts = [text for column in rule.columns if (text := self._cell(cells, column))]
        if not texts:
            return None
        if rule.days:
            return self._hours(texts[0], rule.days)
        return self._typed(target, rule, texts)

    def _typed(self, target: str, rule: Rule, texts: list[str]) -> Any:
        kind = (
            self._fields[target[7:]].type
            if target.startswith("fields.") and target[7:] in self._fields
            else None
        )
        if target in LISTS or kind is FieldType.CHOICES:
            words = [word.strip() for text in texts for word in text.split(self._mapping.separator)]
            return list(dict.fromkeys(found for word in words if (found := self._word(rule, word))))
        text = self._word(rule, texts[0]) or ""
        if target in DECIMAL or kind is FieldType.NUMBER:
            return _number(text.replace(self._mapping.decimal, "."), float)
        if target in WHOLE or kind is FieldType.INTEGER:
            return _number(text, int)
        if kind is FieldType.BOOLEAN:
            return _boolean(text)
        if target == "url" or kind is FieldType.URL:
            return _web_address(text)
        return text

    def _word(self, rule: Rule, word: str) -> str | None:
        if not rule.values:
            return word
        if word in self._missing or word in rule.values:
            return rule.values.get(word)
        if any(word in self._words[column] for column in rule.columns):
            return None
        raise Unfit(f"the mapping does not know {word!r}")

    def _hours(self, text: str, days: dict[str, str]) -> str:
        spans: dict[str, str] = {}
        for part in text.split(self._mapping.separator):
            match = _HOURS.match(part.strip())
            if match is None or match[1] not in days:
                raise Unfit("needs hours such as Mo 07:00-18:00")
            spans[days[match[1]]] = match[2]
        return by_day(spans)

    def _fill(self, templates: list[str], cells: dict[str, str]) -> str | None:
        """The first template all of whose columns say something."""
        for template in templates:
            values = {name: self._cell(cells, name) for name in _names(template)}
            if all(values.values()):
                return template.format_map(values)
        return None

    def _cell(self, cells: dict[str, str], column: str) -> str:
        text = " ".join(cells.get(column, "").split())
        return "" if text in self._missing else text

    def _provider(self, cells: dict[str, str]) -> dict[str, Any] | None:
        rule = self._mapping.provider
        title = rule and self._cell(cells, rule.title)
        if not rule or not title:
            return None
        kind = rule.kind and self._cell(cells, rule.kind)
        return {"title": {self._mapping.language: title}, "kind": kind or None}

    def _column(self, path: str) -> str:
        """The column that a target's value came from."""
        for target, rule in self._mapping.rules.items():
            if path == target or path.startswith(f"{target}."):
                return rule.columns[0] if rule.columns else target
        return path


def native_draft(row: dict[str, Any], board: Declaration) -> Draft:
    """A JSON row as a draft: an offer's content beside a `key` and, if it has one, a `provider`."""
    key = row.pop("key", None)
    draft = Draft(key=str(key) if isinstance(key, str | int) and 0 < len(str(key)) <= MAX_KEY else None)
    if draft.key is None:
        draft.findings.append(Finding("key", f"needs a key of at most {MAX_KEY} characters", str(key)[:200]))
    provider = row.pop("provider", None)
    finish(draft, row, provider, board, lambda path: path)
    return draft


def finish(
    draft: Draft,
    content: dict[str, Any],
    provider: dict[str, Any] | None,
    board: Declaration,
    column: Callable[[str], str],
) -> None:
    """Check the row's values as the HTTP edge would; `column` names where a value came from."""
    try:
        clean([draft.key])
        if provider is not None:
            draft.provider = ProviderContent.model_validate_json(to_json(provider))
        draft.content = OfferContent.model_validate_json(to_json(content))
    except ValidationError as error:
        draft.findings += [_finding(found, column) for found in error.errors()]
    except ValueError as error:  # what is no text at all, such as bytes of another encoding
        draft.findings.append(Finding(None, str(error)[:500]))
    else:
        wrong = check_fields(board, draft.content.fields, complete=True)
        draft.findings += [Finding(column(f"fields.{name}"), reason) for name, reason in wrong]


def _finding(found: Any, column: Callable[[str], str]) -> Finding:
    path = ".".join(str(part) for part in found["loc"])
    return Finding(column(path), str(found["msg"])[:500], str(found["input"])[:200])


def _names(template: str) -> list[str]:
    return [name for _, name, _, _ in string.Formatter().parse(template) if name]


def _put(content: dict[str, Any], target: str, value: Any) -> None:
    *folders, name = target.split(".")
    for folder in folders:
        content = content.setdefault(folder, {})
    content[name] = value


def _number(text: str, kind: type[int] | type[float]) -> int | float:
    try:
        return kind(text)
    except ValueError:
        raise Unfit("needs a whole number" if kind is int else "needs a number") from None


def _boolean(text: str) -> bool:
    known = {"ja": True, "nein": False, "true": True, "false": False, "1": True, "0": False}
    if text.lower() not in known:
        raise Unfit("needs ja or nein")
    return known[text.lower()]


def _web_address(text: str) -> str:
    # A frequent slip of web forms that put http:// before whatever was pasted.
    address = re.sub(r"^http://(?=https?://)", "", text)
    if not URL.match(address):
        raise Unfit("is no web address")
    return address
