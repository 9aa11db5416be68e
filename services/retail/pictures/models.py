"""The table of pictures; their bytes lie in the store."""

from datetime import datetime

from sqlmodel import JSON, Column, Field, SQLModel

from libs.servicekit.db import UtcDateTime, now


class Picture(SQLModel, table=True):
    """A picture by the hash of what was sent: whoever sends the same gets the same. `shapes` are the names of its files."""

    __tablename__ = "picture"

    id: str = Field(primary_key=True)
    width: int
    height: int
    shapes: list[str] = Field(sa_column=Column(JSON, nullable=False))
    created_by: str
    used_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
