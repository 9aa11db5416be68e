"""The tables of recipients. Nobody else keeps an address."""

from datetime import datetime
from typing import Any

from sqlmodel import JSON, Column, Field, LargeBinary, SQLModel
from uuid_utils import uuid7

from libs.servicekit.db import UtcDateTime, now
from services.notify.addresses.domain import QuietHours, Status


class Recipient(SQLModel, table=True):
    """One person at one address. `address` is sealed, `mark` recognises it; `proof` says when and to which text it was
    confirmed. The same address may stand in several rows: whoever registers never learns of the others."""

    __tablename__ = "recipient"

    id: str = Field(default_factory=lambda: str(uuid7()), primary_key=True)
    channel: str
    address: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    key_id: str
    mark: str
    language: str
    timezone: str
    quiet: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    status: str = Status.UNCONFIRMED
    code: str | None = None
    attempts: int = 0
    ask_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    asked_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    confirmed_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    proof: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    version: int = 1
    created_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))

    @property
    def quiet_hours(self) -> QuietHours | None:
        """The quiet hours, as a value."""
        return QuietHours.model_validate(self.quiet) if self.quiet else None


class AskedAddress(SQLModel, table=True):
    """When the owner of an address was asked for a confirmation, by its mark; stays when a recipient is erased, so that
    registering and erasing again and again is no way to flood somebody."""

    __tablename__ = "asked_address"

    id: str = Field(default_factory=lambda: str(uuid7()), primary_key=True)
    mark: str
    at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))


class Suppression(SQLModel, table=True):
    """An address to which nothing is sent any more, by its mark: it bounced, or its owner complained."""

    __tablename__ = "suppression"

    mark: str = Field(primary_key=True)
    reason: str
    at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
