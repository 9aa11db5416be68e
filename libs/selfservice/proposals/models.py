"""The table of proposals."""

from datetime import datetime
from typing import Any

from sqlmodel import JSON, Column, Field, SQLModel
from uuid_utils import uuid7

from libs.selfservice.proposals.domain import Decision
from libs.servicekit.db import UtcDateTime, now


class Proposal(SQLModel, table=True):
    """What an organisation wants to say (`content`) instead of what it saw (`base`, version `made_on`)."""

    __tablename__ = "proposal"

    id: str = Field(default_factory=lambda: str(uuid7()), primary_key=True)
    kind: str
    thing_id: str
    provider_id: str
    made_on: int
    base: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    content: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    status: str = Decision.OPEN
    reason: str | None = None
    version: int = 1
    recipient_id: str | None = None
    created_by: str
    created_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
    decided_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
