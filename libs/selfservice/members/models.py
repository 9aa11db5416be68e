"""The tables of members, invitations and recipients; each service has its own. Nothing in them leaves it but ids."""

from datetime import datetime

from sqlmodel import JSON, Column, Field, SQLModel
from uuid_utils import uuid7

from libs.selfservice.members.domain import Topic
from libs.servicekit.db import UtcDateTime, now


class Member(SQLModel, table=True):
    """Somebody who acts for an organisation: `subject` is what the identity provider calls them."""

    __tablename__ = "organisation_member"

    id: str = Field(default_factory=lambda: str(uuid7()), primary_key=True)
    provider_id: str
    subject: str
    role: str
    recipient_id: str | None = None
    version: int = 1
    joined_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))


class Invitation(SQLModel, table=True):
    """Whoever opens the link that was sent to `recipient_id` becomes a member; the row ends with that."""

    __tablename__ = "organisation_invitation"

    id: str = Field(default_factory=lambda: str(uuid7()), primary_key=True)
    provider_id: str
    recipient_id: str
    role: str
    created_by: str
    created_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
    expires_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class Recipient(SQLModel, table=True):
    """Somebody who asked to be told of what concerns an organisation; `recipient_id` is known to notify alone."""

    __tablename__ = "organisation_recipient"

    id: str = Field(default_factory=lambda: str(uuid7()), primary_key=True)
    provider_id: str
    recipient_id: str
    topics: list[Topic] = Field(sa_column=Column(JSON, nullable=False))
    created_by: str
    created_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
