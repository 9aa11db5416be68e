"""The table of providers."""

from datetime import datetime
from typing import Any

from pydantic_core import to_json
from sqlmodel import JSON, Column, Field, SQLModel
from uuid_utils import uuid7

from libs.servicekit.db import UtcDateTime, now
from services.offers.providers.domain import ProviderContent


class Provider(SQLModel, table=True):
    """An organisation. `source` and `external_id` name it in the file it was imported from."""

    __tablename__ = "provider"

    id: str = Field(default_factory=lambda: str(uuid7()), primary_key=True)
    content: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    active: bool = True
    version: int = 1
    source: str | None = None
    external_id: str | None = None
    changed_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))

    @property
    def said(self) -> ProviderContent:
        """The content, as a value."""
        return ProviderContent.model_validate_json(to_json(self.content))
