"""The tables of blueprints: improvements and the replies to them; the work of fitting offers to a changed board."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic_core import to_json
from sqlmodel import JSON, Column, Field, SQLModel
from uuid_utils import uuid7

from libs.contracts.offers import BoardChange
from libs.servicekit.db import UtcDateTime, now


class ReplyStatus(StrEnum):
    """Where an improvement stands."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    LAPSED = "lapsed"


class Improvement(SQLModel, table=True):
    """A change of one board (`source`) that another may take over, and what that one answered."""

    __tablename__ = "improvement"

    id: str = Field(default_factory=lambda: str(uuid7()), primary_key=True)
    board: str = Field(foreign_key="board.slug")
    source: str = Field(foreign_key="board.slug")
    source_version: int
    change: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    status: str = ReplyStatus.OFFERED
    adapted: bool = False
    reason: str | None = None
    version: int = 1
    offered_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
    answered_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))

    @property
    def said(self) -> BoardChange:
        """The change, as a value."""
        return BoardChange.model_validate_json(to_json(self.change))


class BoardMigration(SQLModel, table=True):
    """The fitting of a board's offers after it changed; `behind` is the last offer that was looked at."""

    __tablename__ = "board_migration"

    id: str = Field(default_factory=lambda: str(uuid7()), primary_key=True)
    board: str = Field(foreign_key="board.slug")
    before: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    behind: str = ""
    seen: int = 0
    migrated: int = 0
    flagged: int = 0
    created_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
    finished_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
