"""The tables of bookings."""

from datetime import datetime
from typing import Any

from sqlmodel import JSON, Column, Field, SQLModel
from uuid_utils import uuid7

from libs.servicekit.db import UtcDateTime, now
from services.offers.bookings.domain import ACTIVE, BookingStatus, Terms
from services.offers.slots.domain import Slot


class BookingTerms(SQLModel, table=True):
    """What an offer has otherwise than its board."""

    __tablename__ = "booking_terms"

    offer_id: str = Field(primary_key=True, foreign_key="offer.id")
    terms: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    version: int = 1

    @property
    def said(self) -> Terms:
        """The terms, as a value."""
        return Terms.model_validate(self.terms)


class Booking(SQLModel, table=True):
    """A request and what became of it. `form`, `recipient_id` and `person`, who
    is the same for all ids of one address, are personal: nothing of them leaves this row.

    `starts_at` and `ends_at` span its dates, or are its slot. A waiting one stands in line by `queued_at`, `overtaken`
    counts how often a later one went before. `forget_at` is when what is personal goes.
    """

    __tablename__ = "booking"

    id: str = Field(default_factory=lambda: str(uuid7()), primary_key=True)
    board: str
    offer_id: str = Field(foreign_key="offer.id")
    recipient_id: str | None
    person: str | None = None
    status: str = BookingStatus.PENDING
    reason: str | None = None
    places: int
    form: dict[str, Any] | None = Field(sa_column=Column(JSON(none_as_null=True)))
    slotted: bool = False
    held: bool = False
    starts_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    ends_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    deadline_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    queued_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    overtaken: int = 0
    forget_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    version: int = 1
    created_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
    changed_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))

    @property
    def slot(self) -> Slot | None:
        """The interval on a resource that is booked."""
        if not self.slotted or self.starts_at is None or self.ends_at is None:
            return None
        return Slot(starts_at=self.starts_at, ends_at=self.ends_at)

    @property
    def active(self) -> bool:
        """Whether anything can still come of it, or has."""
        return self.status in ACTIVE


class BookingDate(SQLModel, table=True):
    """One stock that a booking is about: a session's, or the offer's own."""

    __tablename__ = "booking_date"

    booking_id: str = Field(primary_key=True, foreign_key="booking.id")
    stock_id: str = Field(primary_key=True)
