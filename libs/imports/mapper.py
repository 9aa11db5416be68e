"""Applies a mapping: cells of a row become values by their targets' paths. Values in, values out."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, Literal

from libs.imports import values
from libs.imports.cells import parted, unguarded
from libs.imports.findings import Finding, InvalidCell
from libs.imports.mapping import Mapping, Rule, names_in
from libs.imports.values import Kind, Target

SHORT = 100
_HOURS = re.compile(r"^(\S+) (\d\d:\d\d-\d\d:\d\d)$")

Cells = dict[str, str]
Compute = Callable[[Cells], Any]
Convert = Callable[[tuple[str, ...]], Any]


@dataclass(frozen=True)
class Step:
    """One rule, made ready: the path of its target, the column to blame, and how its value is found."""

    path: tuple[str, ...]
    column: str
    lenient: bool
    compute: Compute


@dataclass
class Mapped:
    """A row whose cells found their targets; `content` is nested by the targets' paths."""

    cells: Cells
    content: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


class Mapper:
    """Applies one mapping to the rows of one file. Rules are made ready once; what recurs is worked out once.

    `targets` says what a target asks for, `hours` writes opening hours by day.
    """

    def __init__(
        self,
        mapping: Mapping,
        targets: Callable[[str], Target],
        hours: Callable[[dict[str, str]], str] = str,
    ) -> None:
        self._mapping, self._targets, self._by_day = mapping, targets, hours
        self._missing, self._columns = frozenset(mapping.missing), list(mapping.columns)
        # Different rules may read the same column; together they must know every word in it.
        self._words: dict[str, set[str]] = {}
        for rule in mapping.rules.values():
            for column in rule.columns:
                self._words.setdefault(column, set()).update(rule.values)
        self._free = {column for column in mapping.columns if self._is_free_text(column)}
        self._suspicious: set[str] = set()
        self._steps = [self._step(target, rule) for target, rule in mapping.rules.items()]

    def map(self, row: Cells) -> Mapped:
        """One row, with everything that is to be said about its cells."""
        mapped = Mapped(
            {
                column: self._cell(column, text) if (text := row.get(column)) else ""
                for column in self._columns
            }
        )
        for step in self._steps:
            _apply(step, mapped)
        if not self._suspicious.issuperset(self._columns):
            self._notice(mapped)
        return mapped

    def column(self, path: str) -> str:
        """The column that a target's value came from."""
        for target, rule in self._mapping.rules.items():
            if path == target or path.startswith(f"{target}."):
                return rule.columns[0] if rule.columns else target
        return path

    def _cell(self, column: str, text: str) -> str:
        if self._mapping.verbatim:
            text = unguarded(text)
            if column in self._free and text.strip():
                return text
        text = " ".join(text.split())
        return "" if text in self._missing else text

    def _is_free_text(self, column: str) -> bool:
        return self._targets(column).kind is Kind.FREE_TEXT

    def _notice(self, mapped: Mapped) -> None:
        """Letters that were decoded twice concern the whole file: they are said once a column."""
        for column, text in mapped.cells.items():
            if text.isascii() or column in self._suspicious:
                continue
            meant = values.doubly_decoded(text)
            if meant is not None:
                self._suspicious.add(column)
                mapped.findings.append(
                    Finding(column, "decoded_twice", text[:200], "notice", {"meant": meant[:200]})
                )

    def _step(self, target: str, rule: Rule) -> Step:
        column = rule.columns[0] if rule.columns else target
        return Step(tuple(target.split(".")), column, rule.lenient, self._compute(target, rule))

    def _compute(self, target: str, rule: Rule) -> Compute:
        if rule.constant is not None:
            return lambda _cells: rule.constant
        if rule.template:
            templates = [(text, names_in(text)) for text in rule.template]
            return lambda cells: _fill(templates, cells)
        convert = self._converter(self._targets(target), rule)
        return _one(rule.columns[0], convert) if len(rule.columns) == 1 else _several(rule.columns, convert)

    def _converter(self, target: Target, rule: Rule) -> Convert:
        """How the texts of the rule's columns become its target's kind."""
        if rule.days:
            return lambda texts: self._hours(texts[0], rule.days)
        if target.kind in (Kind.LIST, Kind.CHOICES):
            return lambda texts: self._list(target, rule, texts)
        if target.kind is Kind.DECIMAL:
            return lambda texts: values.number(texts[0].replace(self._decimal, "."))
        if target.kind is Kind.CHOICE and not rule.values:
            return lambda texts: values.option(target, texts[0])
        plain = values.PLAIN.get(target.kind, str)
        return lambda texts: plain(word) if (word := self._word(rule, texts[0])) else None

    @property
    def _decimal(self) -> str:
        # A German spreadsheet turns the point of our own files into a comma.
        return "," if self._mapping.verbatim else self._mapping.decimal

    def _list(self, target: Target, rule: Rule, texts: tuple[str, ...]) -> list[str]:
        apart = parted if self._mapping.verbatim else partial(str.split, sep=self._mapping.separator)
        words = [word.strip() for text in texts for word in apart(text)]
        if target.kind is Kind.CHOICES and not rule.values:
            return values.options(target, words)
        return list(dict.fromkeys(found for word in words if (found := self._word(rule, word))))

    def _word(self, rule: Rule, word: str) -> str | None:
        if not rule.values:
            return word
        if word in self._missing or word in rule.values:
            return rule.values.get(word)
        if any(word in self._words[column] for column in rule.columns):
            return None
        raise InvalidCell("unknown_word", {"word": word[:100]})

    def _hours(self, text: str, days: dict[str, str]) -> str:
        spans: dict[str, str] = {}
        for part in text.split(self._mapping.separator):
            match = _HOURS.match(part.strip())
            if match is None or match[1] not in days:
                raise InvalidCell("day_hours")
            spans[days[match[1]]] = match[2]
        return self._by_day(spans)


def _one(column: str, convert: Convert) -> Compute:
    remembered = lru_cache(8192)(convert)

    def compute(cells: Cells) -> Any:
        text = cells[column]
        # Long texts hardly come twice; remembering them would keep the file in memory.
        return (remembered if len(text) <= SHORT else convert)((text,)) if text else None

    return compute


def _several(columns: list[str], convert: Convert) -> Compute:
    remembered = lru_cache(8192)(convert)

    def compute(cells: Cells) -> Any:
        texts = tuple(text for name in columns if (text := cells[name]))
        return (remembered if sum(map(len, texts)) <= SHORT else convert)(texts) if texts else None

    return compute


def _apply(step: Step, mapped: Mapped) -> None:
    try:
        value = step.compute(mapped.cells)
    except InvalidCell as invalid:
        severity: Literal["error", "notice"] = "notice" if step.lenient else "error"
        text = mapped.cells.get(step.column, "")[:200]
        mapped.findings.append(Finding(step.column, invalid.code, text, severity, invalid.params))
        return
    if value is None or value in ("", []):
        return
    content = mapped.content
    for folder in step.path[:-1]:
        content = content.setdefault(folder, {})
    content[step.path[-1]] = value


def _fill(templates: list[tuple[str, list[str]]], cells: Cells) -> str | None:
    """The first template all of whose columns say something."""
    for template, names in templates:
        if all(cells[name] for name in names):
            return template.format_map(cells)
    return None
