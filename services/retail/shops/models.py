"""The table of shops."""

from datetime import date, datetime
from typing import Any

from pydantic_core import to_json
from sqlmodel import JSON, Column, Field, SQLModel
from uuid_utils import uuid7

from libs.contracts.retail import Notice
from libs.servicekit.db import UtcDateTime, now
from services.retail.shops.domain import ShopContent, ShopStatus, Standing


class Shop(SQLModel, table=True):
    """A shop. `source` and `external_id` name it where it was imported from, `imported` is what that said last, so that
    a later import changes only what nobody changed here since; `import_id` is the import that last saw it; `pruned`
    says that it was withdrawn because its source no longer named it. `lat` and `lon` repeat its place, to find it by;
    `notices` are what other projects do near it, each with its cause."""

    __tablename__ = "shop"

    id: str = Field(default_factory=lambda: str(uuid7()), primary_key=True)
    status: str = ShopStatus.SUBMITTED
    version: int = 1
    content: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    lat: float | None = None
    lon: float | None = None
    notices: list[dict[str, Any]] = Field(default=[], sa_column=Column(JSON, nullable=False))
    hours_confirmed_on: date | None = None
    source: str | None = None
    external_id: str | None = None
    imported: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    import_id: str | None = None
    pruned: bool = False
    created_by: str | None = None
    created_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
    changed_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
    published_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))

    @property
    def said(self) -> ShopContent:
        """The content, as a value."""
        return ShopContent.model_validate_json(to_json(self.content))

    @property
    def standing(self) -> Standing:
        """Where it stands, as a value."""
        notices = [Notice.model_validate_json(to_json(each)) for each in self.notices]
        return Standing(
            self.id, self.status, self.published_at, self.changed_at, self.hours_confirmed_on, notices
        )

    def say(self, content: dict[str, Any]) -> None:
        """Replace the content, as the table keeps it."""
        place = content.get("place") or {}
        self.content, self.lat, self.lon = content, place.get("lat"), place.get("lon")


def stored(content: ShopContent) -> dict[str, Any]:
    """The content as the table keeps it."""
    return content.model_dump(mode="json", exclude_defaults=True)
