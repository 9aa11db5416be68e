"""Drafts: a row as a thing to be. What a service makes of its rows is a draft with more in it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from sqlmodel import Session

from libs.imports.findings import Finding
from libs.imports.headings import Resolve
from libs.imports.mapping import Mapping
from libs.imports.models import Import
from libs.imports.reader import Row


@dataclass
class Draft:
    """A row with what is to be said about it; `key` names it in its source."""

    key: str | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def broken(self) -> bool:
        """Whether the row has an error."""
        return any(finding.severity == "error" for finding in self.findings)


D = TypeVar("D", bound=Draft)
Made_co = TypeVar("Made_co", bound=Draft, covariant=True)


@dataclass
class Line(Generic[D]):
    """A row of the file as a draft, and where it stands."""

    number: int
    draft: D


class Importer(Protocol[Made_co]):
    """What a service makes of one import; made anew for each."""

    @property
    def mapping(self) -> Mapping | None:
        """The town's mapping of the source, or None when the file has the service's own columns."""

    def resolve(self) -> Resolve:
        """Finds one of the service's own columns by what stands above it."""

    def begin(self, columns: list[str]) -> list[str]:
        """Make ready for these columns; returns those that the file must have."""

    def draft(self, row: Row) -> Made_co:
        """A row as a draft, with everything that is to be said about it."""

    def write(self, session: Session, order: Import, lines: list[Line[Any]]) -> None:
        """Take a chunk of rows in, and count what became of them; the caller's transaction makes it whole."""

    def prune(self) -> Iterator[None]:
        """Withdraw what the file no longer names, a transaction at a time."""

    def finish(self, session: Session) -> None:
        """What is to be done when all rows are in."""
