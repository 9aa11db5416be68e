"""The tables of webhooks."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger
from sqlmodel import JSON, Column, Field, LargeBinary, SQLModel
from uuid_utils import uuid7

from libs.servicekit.db import UtcDateTime, now
from services.notify.webhooks.domain import HookStatus, Status


class Webhook(SQLModel, table=True):
    """An endpoint of a partner. `secret` and `old_secret` are sealed; the old one signs as well until `old_until`.

    `failures` counts rounds of attempts that failed in a row, `open_until` is when an endpoint that fails is asked again.
    """

    __tablename__ = "webhook"

    id: str = Field(default_factory=lambda: str(uuid7()), primary_key=True)
    owner: str
    url: str
    types: list[str] = Field(sa_column=Column(JSON, nullable=False))
    filter: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    description: str = ""
    secret: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    old_secret: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    old_until: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    key_id: str
    status: str = HookStatus.ACTIVE
    reason: str | None = None
    failures: int = 0
    open_until: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    # A replay that is under way: its name, and the place in the stream that it has come to.
    replay: str | None = None
    replay_at: int | None = Field(default=None, sa_type=BigInteger)
    version: int = 1
    created_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))


class HookDelivery(SQLModel, table=True):
    """One event for one endpoint. `event_id` is its `webhook-id`; `round` tells a redelivery from the first one.

    `thing` and `sequence`, the event's place in the stream, give the order: of one thing the next waits for the one
    before. What is no fact of the stream has place 0.
    """

    __tablename__ = "webhook_delivery"

    id: str = Field(default_factory=lambda: str(uuid7()), primary_key=True)
    webhook_id: str = Field(foreign_key="webhook.id")
    event_id: str
    round: str = ""
    type: str
    thing: str
    sequence: int = Field(default=0, sa_type=BigInteger)
    body: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    traceparent: str | None = None
    status: str = Status.DUE
    attempts: int = 0
    next_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
    answer: int | None = None
    detail: str | None = None
    created_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
    ended_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
