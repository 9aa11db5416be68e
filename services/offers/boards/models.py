"""The table of boards."""

from datetime import datetime
from typing import Any

from pydantic_core import to_json
from sqlmodel import JSON, Column, Field, SQLModel

from libs.servicekit.db import UtcDateTime, now
from services.offers.boards.domain import Declaration


class Board(SQLModel, table=True):
    """A board as it was last declared; `version` grows with each change of the declaration."""

    __tablename__ = "board"

    slug: str = Field(primary_key=True)
    declaration: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    open: bool = True
    version: int = 1
    changed_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))

    @property
    def declared(self) -> Declaration:
        """The declaration, as a value."""
        # Strict models take enumerations from JSON only.
        return Declaration.model_validate_json(to_json(self.declaration))
