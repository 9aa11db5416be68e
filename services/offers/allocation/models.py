"""The tables of allocation. What families wrote stands in wish lists and children only, and goes with them."""

from datetime import date, datetime
from typing import Any

from pydantic_core import to_json
from sqlmodel import JSON, Column, Field, SQLModel
from uuid_utils import uuid7

from libs.servicekit.db import UtcDateTime, now
from services.offers.allocation.domain import Choice, PeriodSlot, PeriodStatus, Rules
from services.offers.allocation.outcome import Answer, commitment


def _id() -> str:
    return str(uuid7())


class Period(SQLModel, table=True):
    """A period with the board's rules as they stood when it was made. `seed` is told when places are given out."""

    __tablename__ = "allocation_period"

    id: str = Field(default_factory=_id, primary_key=True)
    board: str = Field(foreign_key="board.slug")
    title: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    rules: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    slots: list[dict[str, Any]] = Field(sa_column=Column(JSON, nullable=False))
    wishes_from: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    wishes_until: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    seed: str
    status: str = PeriodStatus.ANNOUNCED
    version: int = 1
    figures: dict[str, int] = Field(default={}, sa_column=Column(JSON, nullable=False))
    error: str | None = None
    erase_on: date
    erased: bool = False
    changed_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))

    @property
    def ruled(self) -> Rules:
        """The rules, as a value."""
        return Rules.model_validate_json(to_json(self.rules))

    @property
    def slotted(self) -> list[PeriodSlot]:
        """The slots, as values."""
        return [PeriodSlot.model_validate_json(to_json(slot)) for slot in self.slots]

    @property
    def commitment(self) -> str:
        """What was said of the seed before any wish was read."""
        return commitment(self.seed)

    @property
    def revealed(self) -> str | None:
        """The seed, once places are given out."""
        return self.seed if self.status == PeriodStatus.ALLOCATED else None


class Activity(SQLModel, table=True):
    """What there is to wish for, as its offer stood when the period was made; behind `places` what came of it."""

    __tablename__ = "allocation_activity"

    id: str = Field(default_factory=_id, primary_key=True)
    period_id: str = Field(foreign_key="allocation_period.id")
    slot: str
    offer_id: str = Field(foreign_key="offer.id")
    session_id: str | None = None
    provider_id: str | None = None
    title: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    from_months: int | None = None
    to_months: int | None = None
    places: int
    wished: int = 0
    first: int = 0
    placed: int = 0

    def choice(self, starts: date) -> Choice:
        """The activity as the rules for wishes see it."""
        return Choice(self.slot, starts, self.from_months, self.to_months)


class Wishlist(SQLModel, table=True):
    """A family's wish list; `recipient_id` is all that is known of who sent it."""

    __tablename__ = "allocation_wishlist"

    id: str = Field(default_factory=_id, primary_key=True)
    period_id: str = Field(foreign_key="allocation_period.id")
    recipient_id: str
    group: str | None = None
    version: int = 1
    changed_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))


class WishingChild(SQLModel, table=True):
    """A child of a wish list. `claims` and `confirmed` hold keys of claims; `placed` and `missed` count slots and are
    null until places are given out."""

    __tablename__ = "allocation_child"

    id: str = Field(default_factory=_id, primary_key=True)
    wishlist_id: str = Field(foreign_key="allocation_wishlist.id")
    period_id: str = Field(foreign_key="allocation_period.id")
    label: str
    born: str
    claims: list[str] = Field(sa_column=Column(JSON, nullable=False))
    confirmed: list[str] = Field(default=[], sa_column=Column(JSON, nullable=False))
    wishes: dict[str, list[str]] = Field(sa_column=Column(JSON, nullable=False))
    answers: list[dict[str, Any]] = Field(default=[], sa_column=Column(JSON, nullable=False))
    placed: int | None = None
    missed: int | None = None
    booked: bool = False
    version: int = 1

    @classmethod
    def of(cls, wishlist: Wishlist, label: str) -> "WishingChild":
        """A child of whom nothing is known yet but its label."""
        period_id = wishlist.period_id
        return cls(
            wishlist_id=wishlist.id,
            period_id=period_id,
            label=label,
            born="",
            claims=[],
            wishes={},
            version=0,
        )

    @property
    def answered(self) -> list[Answer]:
        """What it got slot by slot, as values; empty until places are given out."""
        return [Answer.kept(answer) for answer in self.answers]
