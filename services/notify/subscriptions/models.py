"""The tables of subscriptions. Filters are personal data: they leave this database in their recipient's export only."""

from datetime import datetime

from sqlmodel import JSON, Column, Field, SQLModel
from uuid_utils import uuid7

from libs.servicekit.db import UtcDateTime, now
from services.notify.subscriptions.domain import NoticeStatus


class Follower(SQLModel, table=True):
    """One subscription of one recipient. `filter` is JSON text; facts from before `since` are not told."""

    __tablename__ = "subscription"

    id: str = Field(default_factory=lambda: str(uuid7()), primary_key=True)
    recipient_id: str = Field(foreign_key="recipient.id")
    filter: str
    changes: list[str] = Field(sa_column=Column(JSON, nullable=False))
    cadence: str
    name: str | None = None
    version: int = 1
    since: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
    created_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))


class Anchor(SQLModel, table=True):
    """A name under which a subscription is filed."""

    __tablename__ = "subscription_anchor"

    name: str = Field(primary_key=True)
    subscription_id: str = Field(primary_key=True, foreign_key="subscription.id")


class FollowedWord(SQLModel, table=True):
    """A word that some subscription is or was filed under."""

    __tablename__ = "subscription_word"

    id: int | None = Field(default=None, primary_key=True)
    word: str


class Notice(SQLModel, table=True):
    """One fact that one recipient is to be told because of one subscription; there is one of each fact and recipient."""

    __tablename__ = "notice"

    id: str = Field(default_factory=lambda: str(uuid7()), primary_key=True)
    subscription_id: str = Field(foreign_key="subscription.id")
    recipient_id: str = Field(foreign_key="recipient.id")
    thing_key: str
    fact_id: str
    change: str
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    due_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    status: str = NoticeStatus.WAITING
    delivery_id: str | None = None
    told_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    traceparent: str | None = None


class Deadline(SQLModel, table=True):
    """The next instant until which something of a thing can be had, told once."""

    __tablename__ = "deadline"

    thing_key: str = Field(primary_key=True)
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    told: bool = False
