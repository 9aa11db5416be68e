"""The tables of conversations: personal, and deleted after the board's time."""

from datetime import datetime

from sqlmodel import Column, Field, SQLModel
from uuid_utils import uuid7

from libs.servicekit.db import UtcDateTime, now


class Conversation(SQLModel, table=True):
    """Somebody, known by a recipient id only, and an organisation about one of its offers; `version`
    grows with each text."""

    __tablename__ = "conversation"

    id: str = Field(default_factory=lambda: str(uuid7()), primary_key=True)
    provider_id: str = Field(foreign_key="provider.id")
    offer_id: str = Field(foreign_key="offer.id")
    recipient_id: str
    version: int = 1
    created_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
    kept_until: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class Message(SQLModel, table=True):
    """One text of a conversation."""

    __tablename__ = "conversation_message"

    id: str = Field(default_factory=lambda: str(uuid7()), primary_key=True)
    conversation_id: str = Field(foreign_key="conversation.id")
    provider_id: str = Field(foreign_key="provider.id")
    sender: str
    text: str
    sent_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
