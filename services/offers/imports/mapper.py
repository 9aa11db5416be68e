"""Applies a mapping: cells of a row become the values of a draft. Values in, values out."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Literal

from libs.contracts.offers import FieldType
from libs.town.hours import by_day
from services.offers.boards.domain import Declaration
from services.offers.boards.values import URL
from services.offers.cells import parted, unguarded
from services.offers.imports.drafts import Draft, Finding, bad_key, checked_key, finish
from services.offers.imports.mapping import Mapping, Rule, names_in

SHORT = 100
WHOLE = {"age.from_months", "age.to_months", "price_cents", "free_places"}
DECIMAL = {"place.lat", "place.lon"}
LISTS = {"tags", "fields_of_action", "place.accessibility", "dates"}
FREE_TEXTS = ("title.", "summary.", "text.", "image.alt.")
_HOURS = re.compile(r"^(\S+) (\d\d:\d\d-\d\d:\d\d)$")


class Unfit(ValueError):  # noqa: N818 - says what the cell is
    """A cell that is not what its target asks for; carries the reason."""


Compute = Callable[[dict[str, str]], Any]


@dataclass(frozen=True)
class Step:
    """One rule, made ready: the path of its target, the column to blame, and how its value is found."""

    path: tuple[str, ...]
    column: str
    lenient: bool
    compute: Compute


class Mapper:
    """Applies one mapping to the rows of one file. Rules are made ready once; what recurs is worked out once."""

    def __init__(self, mapping: Mapping, board: Declaration, facts: Collection[str] = ()) -> None:
        self._mapping, self._board, self._facts = mapping, board, facts
        self._missing = frozenset(mapping.missing)
        self._fields = board.by_name
        # Different rules may read the same column; together they must know every word in it.
        self._words: dict[str, set[str]] = {}
        for rule in mapping.rules.values():
            for column in rule.columns:
                self._words.setdefault(column, set()).update(rule.values)
        self._steps = [self._step(target, rule) for target, rule in mapping.rules.items()]

    def draft(self, row: dict[str, str]) -> Draft:
        """One row as a draft, with everything that is to be said about it."""
        cells = {column: self._cell(column, row.get(column, "")) for column in self._mapping.columns}
        draft = Draft(key=checked_key(cells[self._mapping.key]))
        if draft.key is None:
            draft.findings.append(bad_key(self._mapping.key, cells[self._mapping.key]))
        content: dict[str, Any] = {}
        for step in self._steps:
            self._apply(step, cells, content, draft.findings)
        if not draft.broken:
            finish(draft, content, self._provider(cells), self._board, self._column, self._facts)
        return draft

    def _cell(self, column: str, text: str) -> str:
        if self._mapping.verbatim:
            text = unguarded(text)
            if self._is_free_text(column) and text.strip():
                return text
        text = " ".join(text.split())
        return "" if text in self._missing else text

    def _is_free_text(self, column: str) -> bool:
        field = self._fields.get(column.removeprefix("fields."))
        return column.startswith(FREE_TEXTS) or (field is not None and field.type is FieldType.TEXT)

    @staticmethod
    def _apply(step: Step, cells: dict[str, str], content: dict[str, Any], findings: list[Finding]) -> None:
        try:
            value = step.compute(cells)
        except Unfit as unfit:
            severity: Literal["error", "notice"] = "notice" if step.lenient else "error"
            findings.append(Finding(step.column, str(unfit), cells.get(step.column, "")[:200], severity))
            return
        if value is None or value in ("", []):
            return
        for folder in step.path[:-1]:
            content = content.setdefault(folder, {})
        content[step.path[-1]] = value

    def _step(self, target: str, rule: Rule) -> Step:
        column = rule.columns[0] if rule.columns else target
        return Step(tuple(target.split(".")), column, rule.lenient, self._compute(target, rule))

    def _compute(self, target: str, rule: Rule) -> Compute:
        if rule.constant is not None:
            return lambda _cells: rule.constant
        if rule.template:
            templates = [(text, names_in(text)) for text in rule.template]
            return lambda cells: _fill(templates, cells)
        convert = self._converter(target, rule)
        remembered = lru_cache(8192)(convert)

        def compute(cells: dict[str, str]) -> Any:
            texts = tuple(text for name in rule.columns if (text := cells[name]))
            # Long texts hardly come twice; remembering them would keep the file in memory.
            return (remembered if sum(map(len, texts)) <= SHORT else convert)(texts)

        return compute

    def _converter(self, target: str, rule: Rule) -> Callable[[tuple[str, ...]], Any]:
        """How the texts of the rule's columns become its target's type."""
        field = self._fields.get(target.removeprefix("fields.")) if target.startswith("fields.") else None
        kind = field.type if field else None
        if rule.days:
            return lambda texts: self._hours(texts[0], rule.days) if texts else None
        if target in LISTS or kind is FieldType.CHOICES:
            return lambda texts: self._list(rule, texts)
        scalar = self._scalar(target, kind)
        return lambda texts: scalar(self._word(rule, texts[0]) or "") if texts else None

    def _scalar(self, target: str, kind: FieldType | None) -> Callable[[str], Any]:
        if target in DECIMAL or kind is FieldType.NUMBER:
            return lambda text: _number(text.replace(self._mapping.decimal, "."), float)
        if target in WHOLE or kind is FieldType.INTEGER:
            return lambda text: _number(text, int)
        if kind is FieldType.BOOLEAN:
            return _boolean
        return _web_address if target == "url" or kind is FieldType.URL else str

    def _list(self, rule: Rule, texts: tuple[str, ...]) -> list[str]:
        apart = parted if self._mapping.verbatim else partial(str.split, sep=self._mapping.separator)
        words = [word.strip() for text in texts for word in apart(text)]
        return list(dict.fromkeys(found for word in words if (found := self._word(rule, word))))

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

    def _provider(self, cells: dict[str, str]) -> dict[str, Any] | None:
        rule = self._mapping.provider
        if rule is None or not cells[rule.title]:
            return None
        kind = cells[rule.kind] if rule.kind else ""
        return {"title": {self._mapping.language: cells[rule.title]}, "kind": kind or None}

    def _column(self, path: str) -> str:
        """The column that a target's value came from."""
        for target, rule in self._mapping.rules.items():
            if path == target or path.startswith(f"{target}."):
                return rule.columns[0] if rule.columns else target
        return path


def _fill(templates: list[tuple[str, list[str]]], cells: dict[str, str]) -> str | None:
    """The first template all of whose columns say something."""
    for template, names in templates:
        if all(cells[name] for name in names):
            return template.format_map(cells)
    return None


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
