"""Mappings: how the columns of a source file become things. One TOML file a source, in `imports/` of the town's folder."""

import string
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field
from pydantic_core import to_json

from libs.contracts.card import Name
from libs.servicekit.values import Body

M = TypeVar("M", bound="Mapping")


class Rule(Body):
    """Where one target's value comes from: columns, a template over columns, or a constant."""

    columns: list[str] = Field(default=[], alias="from")
    template: list[str] = []
    constant: Any = None
    values: dict[str, str] = Field(default={}, description="Words of the source and what they are here.")
    days: dict[str, str] = Field(default={}, description="Names of weekdays, for opening hours.")
    lenient: bool = Field(default=False, description="A value that does not fit is left out with a notice.")


class Mapping(Body):
    """One source's layout, and the target of each of its columns. What the file itself says of its layout (a byte order
    mark, a line `sep=;`, where its headings are cut) stands above `encoding` and `delimiter`."""

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
    rules: dict[str, Rule]

    @property
    def more_columns(self) -> set[str]:
        """Columns that a kind of thing needs beside those of the rules."""
        return set()

    @cached_property
    def columns(self) -> set[str]:
        """Every column the source must have."""
        named = {self.key, *(name for rule in self.rules.values() for name in rule.columns)}
        named |= {name for rule in self.rules.values() for text in rule.template for name in names_in(text)}
        return named | self.more_columns


def read(file: Path, kind: type[M]) -> M:
    """A mapping from its file; raises ValueError naming the file and what is wrong."""
    try:
        return kind.model_validate_json(to_json(tomllib.loads(file.read_text(encoding="utf-8"))))
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error


def names_in(template: str) -> list[str]:
    """The columns that a template names."""
    return [name for _, name, _, _ in string.Formatter().parse(template) if name]
