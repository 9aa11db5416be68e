"""The table of offers."""

from datetime import date, datetime
from typing import Any

from pydantic_core import to_json
from sqlmodel import JSON, Column, Field, SQLModel
from uuid_utils import uuid7

from libs.contracts.offers import CheckedAs
from libs.servicekit.db import UtcDateTime, now
from services.offers.freshness.domain import STALE, Stage
from services.offers.offers.domain import Flag, OfferContent, OfferStatus, Stand


class Offer(SQLModel, table=True):
    """An offer. `source` and `external_id` name it in the file it came from, `import_id` the import
    that last saw it; `pruned` says that it was withdrawn because its source no longer named it. `fresh_since` is what
    its age counts from: the check that the public knows of, or an import since that found it unchanged. `flags` say what no longer suits a board that changed."""

    __tablename__ = "offer"

    id: str = Field(default_factory=lambda: str(uuid7()), primary_key=True)
    board: str = Field(foreign_key="board.slug")
    provider_id: str | None = Field(default=None, foreign_key="provider.id")
    status: str = OfferStatus.DRAFT
    version: int = 1
    content: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    ends_on: date | None = None
    source: str | None = None
    external_id: str | None = None
    import_id: str | None = None
    pruned: bool = False
    flags: list[dict[str, Any]] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    created_by: str | None = None
    stage: str = Stage.FRESH
    checked_on: date | None = None
    checked_as: str | None = None
    fresh_since: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    created_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
    changed_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
    published_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))

    @property
    def said(self) -> OfferContent:
        """The content, as a value."""
        return OfferContent.model_validate_json(to_json(self.content))

    @property
    def stand(self) -> Stand:
        """Where it stands, as a value."""
        return Stand(**{name: getattr(self, name) for name in Stand.__dataclass_fields__})

    @property
    def overdue(self) -> bool:
        """Whether the public is told that nobody checked it for long."""
        return self.stage in STALE

    def vouch(self, by: CheckedAs, on: date) -> None:
        """Somebody found it right: its age is counted anew."""
        self.checked_as, self.checked_on = by, on
        self.stage, self.fresh_since = Stage.FRESH, now()

    @property
    def flagged(self) -> list[Flag]:
        """What no longer suits the board, as values."""
        return [Flag(**flag) for flag in self.flags or []]

    def flag(self, flags: list[Flag]) -> None:
        """Replace the flags."""
        self.flags = [flag.model_dump(mode="json") for flag in flags] or None

    def say(self, content: OfferContent) -> None:
        """Replace the content, and the day on which it ends; a field that has a value again needs no flag."""
        self.content, self.ends_on = stored(content), ends_on(content)
        self.flag([flag for flag in self.flagged if content.fields.get(flag.field) in (None, "", [])])


def stored(content: OfferContent) -> dict[str, Any]:
    """The content as the table keeps it."""
    return content.model_dump(mode="json", exclude_defaults=True)


def ends_on(content: OfferContent) -> date | None:
    """The last day of the content's period, by which due offers are found."""
    return content.period.end if content.period else None
