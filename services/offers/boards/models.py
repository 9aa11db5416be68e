"""The table of boards."""

from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

from pydantic_core import to_json
from sqlmodel import JSON, Column, Field, SQLModel

from libs.servicekit.db import UtcDateTime, now
from services.offers.boards.domain import Declaration


class Origin(StrEnum):
    """Where a board's declaration is kept: in a file of the town's folder, or, of a derived one, here."""

    FILE = "file"
    DERIVED = "derived"


class Board(SQLModel, table=True):
    """A board as it was last declared; `version` grows with each change of the declaration.

    `parent_seen` is the parent's declaration as far as this board has answered its improvements.
    """

    __tablename__ = "board"

    slug: str = Field(primary_key=True)
    declaration: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    open: bool = True
    version: int = 1
    changed_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
    origin: str = Origin.FILE
    derived_from: str | None = None
    parent_seen: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))

    @property
    def declared(self) -> Declaration:
        """The declaration, as a value; not to be changed."""
        return parsed(to_json(self.declaration))


@lru_cache(maxsize=100)
def parsed(text: bytes) -> Declaration:
    """A declaration from JSON; strict models take enumerations from nothing else. Kept: every write to an offer asks."""
    return Declaration.model_validate_json(text)
