"""The table of things: a read model of cards, rebuilt from the bus at any time."""

from datetime import datetime
from typing import Any

from sqlmodel import JSON, Column, Field, SQLModel

from libs.contracts.card import Card
from libs.servicekit.db import UtcDateTime


class Thing(SQLModel, table=True):
    """The newest card of one thing. `key` is `<service>-<aggregate>-<id>`, as search names it.

    `fact_id` and `fact` are the event that said so, `at` when; an unlisted one is a tombstone with its last card.
    """

    __tablename__ = "thing"

    key: str = Field(primary_key=True)
    thing_id: str
    version: int
    listed: bool
    kind: str
    board: str | None
    card: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    fact: str
    fact_id: str
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))

    @property
    def shown(self) -> Card:
        """The card, as a value."""
        return Card.model_validate(self.card, strict=False)
