"""Mappings: how the columns of a source file become offers. One TOML file a source, in `city/imports/`."""

import string
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import Field
from pydantic_core import to_json

from libs.contracts.card import Name
from libs.servicekit.values import Body
from services.offers.cells import STANDING


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
    verbatim: bool = Field(default=False, description="Cells are as our own exports write them.")
    missing: list[str] = []
    provider: ProviderRule | None = None
    rules: dict[str, Rule]

    @cached_property
    def columns(self) -> set[str]:
        """Every column the source must have."""
        named = {self.key, *(name for rule in self.rules.values() for name in rule.columns)}
        named |= {name for rule in self.rules.values() for text in rule.template for name in names_in(text)}
        if self.provider:
            named |= {name for name in (self.provider.title, self.provider.kind) if name}
        return named


def read(file: Path) -> Mapping:
    """A mapping from its file; raises ValueError naming the file and what is wrong."""
    try:
        return Mapping.model_validate_json(to_json(tomllib.loads(file.read_text(encoding="utf-8"))))
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error


def native(board: str, columns: list[str]) -> Mapping:
    """The mapping of a CSV file whose headings are an offer's own field names, such as `title.de`."""
    passed_over = ("key", "provider", *STANDING)
    rules = {name: Rule.model_validate({"from": [name]}) for name in columns if name not in passed_over}
    provider = ProviderRule(title="provider") if "provider" in columns else None
    return Mapping(
        board=board,
        title="native",
        source="native",
        key="key",
        verbatim=True,
        provider=provider,
        rules=rules,
    )


def names_in(template: str) -> list[str]:
    """The columns that a template names."""
    return [name for _, name, _, _ in string.Formatter().parse(template) if name]
