"""The table of sessions."""

from datetime import datetime
from typing import Any

from sqlmodel import JSON, Column, Field, SQLModel
from uuid_utils import uuid7

from libs.contracts.card import Place
from libs.contracts.offers import SessionStatus
from libs.servicekit.db import UtcDateTime, now
from services.offers.sessions import domain


class OfferSession(SQLModel, table=True):
    """A session of an offer. `told` is the version that is on the bus, 0 while nobody outside knows of it;
    `over` says that its offer was retold without it after it had ended."""

    __tablename__ = "offer_session"

    id: str = Field(default_factory=lambda: str(uuid7()), primary_key=True)
    offer_id: str = Field(foreign_key="offer.id")
    series_id: str | None = None
    starts_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    ends_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    status: str = SessionStatus.SCHEDULED
    venue: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    places_max: int | None = None
    reason: str | None = None
    version: int = 1
    told: int = 0
    over: bool = False
    changed_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))

    @property
    def place(self) -> Place | None:
        """The venue, as a value."""
        return None if self.venue is None else Place.model_validate(self.venue)

    @property
    def cursor(self) -> str:
        """Where a page that ends with this session ended."""
        return domain.cursor(self.starts_at, self.id)
