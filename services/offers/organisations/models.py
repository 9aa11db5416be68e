"""The tables of organisations. Nothing in them leaves this service but ids."""

from datetime import datetime

from sqlmodel import JSON, Column, Field, SQLModel
from uuid_utils import uuid7

from libs.servicekit.db import UtcDateTime, now
from services.offers.organisations.domain import Topic


class Recipient(SQLModel, table=True):
    """Somebody who asked to be told of what concerns an organisation; `recipient_id` is known to notify alone."""

    __tablename__ = "organisation_recipient"

    id: str = Field(default_factory=lambda: str(uuid7()), primary_key=True)
    provider_id: str = Field(foreign_key="provider.id")
    recipient_id: str
    topics: list[Topic] = Field(sa_column=Column(JSON, nullable=False))
    created_by: str
    created_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
