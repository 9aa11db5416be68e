"""The tables of the desk. Nothing in them leaves this service."""

from datetime import date, datetime
from typing import Any

from sqlmodel import JSON, Column, Field, SQLModel
from uuid_utils import uuid7

from libs.servicekit.db import UtcDateTime, now
from services.retail.desk.domain import TaskStatus


class Task(SQLModel, table=True):
    """Something to be done for a shop. `about` tells tasks of one kind apart; a fact makes a task once."""

    __tablename__ = "task"

    id: str = Field(default_factory=lambda: str(uuid7()), primary_key=True)
    shop_id: str = Field(foreign_key="shop.id")
    kind: str
    about: str
    text: str | None = None
    cause: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    status: str = TaskStatus.OPEN
    urgency: int
    due_on: date
    snoozed_until: date | None = None
    assigned_to: str | None = None
    version: int = 1
    created_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
    ended_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class Visit(SQLModel, table=True):
    """The caretaker visits a shop, or did."""

    __tablename__ = "visit"

    id: str = Field(default_factory=lambda: str(uuid7()), primary_key=True)
    shop_id: str = Field(foreign_key="shop.id")
    starts_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    minutes: int
    note: str | None = None
    by: str


class Assessment(SQLModel, table=True):
    """How far a shop had come on a day, by its own answers."""

    __tablename__ = "assessment"

    id: str = Field(default_factory=lambda: str(uuid7()), primary_key=True)
    shop_id: str = Field(foreign_key="shop.id")
    answers: dict[str, int] = Field(sa_column=Column(JSON, nullable=False))
    score: int
    level: str
    on: date
    by: str
