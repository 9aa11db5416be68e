"""The table of quarters of an hour that are taken."""

from sqlmodel import Field, SQLModel


class SlotUse(SQLModel, table=True):
    """How many places of a resource are taken in one quarter of an hour; a row that nobody uses is deleted."""

    __tablename__ = "slot_use"

    resource_id: str = Field(primary_key=True, foreign_key="offer.id")
    quarter: int = Field(primary_key=True)
    taken: int
