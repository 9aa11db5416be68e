"""What a benchmark says: rows with a ratio and a goal, as a table and as JSON."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Row:
    """One comparison. `ours` and `limit` are in `unit`; `goal` bounds the ratio from below or above."""

    name: str
    ours: float
    limit: float
    ratio: float
    goal: float
    at_least: bool
    unit: str
    rest: tuple[str, ...] = ()  # what is missing to the limit, by name

    @property
    def passed(self) -> bool:
        """Whether the ratio keeps to the goal."""
        return self.ratio >= self.goal if self.at_least else self.ratio <= self.goal

    def as_json(self) -> dict[str, Any]:
        """The row for machines."""
        plain = {
            key: round(value, 4) if isinstance(value, float) else value for key, value in asdict(self).items()
        }
        return plain | {"goal": f"{'>=' if self.at_least else '<='} {self.goal}", "pass": self.passed}


@dataclass(frozen=True)
class Figure:
    """An absolute figure beside the ratios, with a ceiling or without."""

    name: str
    value: float
    unit: str
    ceiling: float | None = None

    def as_json(self) -> dict[str, Any]:
        """The figure for machines, in the shape of a row."""
        goal = None if self.ceiling is None else f"<= {self.ceiling}"
        passed = None if self.ceiling is None else self.value <= self.ceiling
        ours = round(self.value, 2)
        return {
            "name": self.name,
            "ours": ours,
            "limit": self.ceiling,
            "ratio": None,
            "unit": self.unit,
            "goal": goal,
            "pass": passed,
        }


def rate(name: str, ours: list[float], limit: list[float], goal: float, unit: str = "per second") -> Row:
    """Compare rates round by round: the more the better. The median round speaks."""
    ratio = median(a / b for a, b in zip(ours, limit, strict=True))
    return Row(name, median(ours), median(limit), ratio, goal, at_least=True, unit=unit)


def latency(name: str, ours: list[float], limit: list[float], goal: float, at: float = 0.5) -> Row:
    """Compare times in seconds at a quantile: the less the better."""
    a, b = quantile(ours, at) * 1000, quantile(limit, at) * 1000
    return Row(name, a, b, a / b, goal, at_least=False, unit="ms")


def quantile(values: Iterable[float], at: float) -> float:
    """The value below which the share `at` of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(at * len(ordered)))]


def show(rows: list[Row], figures: list[Figure], console: Console) -> None:
    """Print everything as a table."""
    table = Table(
        "", "ours", "limit", "unit", "ratio", "goal", "", box=None, header_style="dim", pad_edge=False
    )
    for row in rows:
        sign = "≥" if row.at_least else "≤"
        mark = "[green]✓[/]" if row.passed else "[red]✗[/]"
        table.add_row(
            row.name,
            f"{row.ours:,.1f}",
            f"{row.limit:,.1f}",
            row.unit,
            f"{row.ratio:.2f}",
            f"{sign} {row.goal}",
            mark,
        )
    for figure in figures:
        goal = "" if figure.ceiling is None else f"≤ {figure.ceiling:g}"
        mark = (
            "" if figure.ceiling is None else "[green]✓[/]" if figure.value <= figure.ceiling else "[red]✗[/]"
        )
        table.add_row(figure.name, f"{figure.value:,.1f}", "", figure.unit, "", goal, mark)
    console.print(table)
    for row in rows:
        if row.rest:
            console.print(f"[dim]{row.name}, the rest:[/] {', '.join(row.rest)}")


def write(file: Path, rows: list[Row], figures: list[Figure]) -> None:
    """Keep everything as one JSON list."""
    everything = [row.as_json() for row in rows] + [figure.as_json() for figure in figures]
    file.write_text(json.dumps(everything, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
