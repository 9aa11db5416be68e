"""The table of deliveries."""

from datetime import datetime

from sqlmodel import Column, Field, LargeBinary, SQLModel
from uuid_utils import uuid7

from libs.servicekit.db import UtcDateTime, now
from services.notify.deliveries.domain import Status


class Delivery(SQLModel, table=True):
    """One message to one recipient because of one fact. `content` is sealed and goes when the delivery is over;
    the row stays for a while, to tell what became of the fact."""

    __tablename__ = "delivery"

    id: str = Field(default_factory=lambda: str(uuid7()), primary_key=True)
    recipient_id: str = Field(foreign_key="recipient.id")
    fact_id: str
    template: str
    subscription_id: str | None = None
    content: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    key_id: str | None = None
    traceparent: str | None = None
    status: str = Status.DUE
    reason: str | None = None
    attempts: int = 0
    due_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    send_before: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    created_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
    ended_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
