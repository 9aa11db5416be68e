"""The tables of funding: budgets, the grants that draw on them, and the ledger of every movement."""

from datetime import date, datetime
from typing import Any

from sqlmodel import JSON, BigInteger, Column, Field, SQLModel

from libs.contracts.offers import BudgetSituation
from libs.servicekit.db import UtcDateTime, now
from services.offers.funding.domain import HELD, GrantState, Move, Period


def budget_id(board: str, period: str) -> str:
    """How a board's budget of a period is called, in the table and on the bus."""
    return f"{board}_{period}"


class Budget(SQLModel, table=True):
    """What a board may spend in a period. `version` counts the settings of the amount, `sequence` the facts told,
    `told` is what the last one said; `changed_at` moves with every movement of money."""

    __tablename__ = "budget"

    id: str = Field(primary_key=True)
    board: str = Field(foreign_key="board.slug")
    period: str
    starts_on: date
    ends_on: date
    opened_on: date
    amount_cents: int = Field(default=0, sa_type=BigInteger)
    reserved_cents: int = Field(default=0, sa_type=BigInteger)
    granted_cents: int = Field(default=0, sa_type=BigInteger)
    version: int = 0
    situation: str = BudgetSituation.AMPLE
    sequence: int = 0
    told: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    told_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    changed_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))

    @property
    def left_cents(self) -> int:
        """What nobody has been promised yet."""
        return self.amount_cents - self.reserved_cents - self.granted_cents

    @property
    def year(self) -> Period:
        """The period, as a value."""
        return Period(self.period, self.starts_on, self.ends_on)


class Grant(SQLModel, table=True):
    """What one booking was promised. `group_key` is a digest: it tells equal groups apart from others, and no more."""

    __tablename__ = "budget_grant"

    booking_id: str = Field(primary_key=True)
    budget_id: str = Field(foreign_key="budget.id")
    group_key: str | None = None
    state: str = GrantState.REFUSED
    wanted_cents: int = Field(default=0, sa_type=BigInteger)
    cents: int = Field(default=0, sa_type=BigInteger)
    made_on: date
    changed_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))

    @property
    def held(self) -> bool:
        """Whether the budget still keeps its cents for it."""
        return self.state in HELD

    @property
    def held_cents(self) -> int:
        """What the budget keeps for it."""
        return self.cents if self.held else 0


class Entry(SQLModel, table=True):
    """A line of the ledger: written once, never changed. The three amounts are those after it."""

    __tablename__ = "budget_entry"

    id: int | None = Field(default=None, primary_key=True)
    budget_id: str = Field(foreign_key="budget.id")
    at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
    kind: str
    booking_id: str | None = None
    cents: int = Field(sa_type=BigInteger)
    amount_cents: int = Field(sa_type=BigInteger)
    reserved_cents: int = Field(sa_type=BigInteger)
    granted_cents: int = Field(sa_type=BigInteger)
    actor: str | None = None
    reason: str | None = None


def entry(budget: str, move: Move, amount: int, reserved: int, granted: int) -> Entry:
    """The ledger's line of a movement after which the budget stood so."""
    return Entry(
        budget_id=budget,
        kind=move.kind,
        booking_id=move.booking_id,
        cents=move.cents,
        amount_cents=amount,
        reserved_cents=reserved,
        granted_cents=granted,
        actor=move.actor,
        reason=move.reason,
    )
