"""The tables of unmet needs."""

from datetime import date

from sqlmodel import JSON, Column, Field, SQLModel
from uuid_utils import uuid7


class Need(SQLModel, table=True):
    """What is looked for: words on a board, or places at an offer. `board` is empty when the whole town was searched.

    `told` is the number of askers in the last fact, 0 while the need is not public; `stirred` says that somebody asked
    since the need was last looked at.
    """

    __tablename__ = "need"

    id: str = Field(default_factory=lambda: str(uuid7()), primary_key=True)
    board: str = ""
    kind: str
    key: str
    words: list[str] = Field(default=[], sa_column=Column(JSON, nullable=False))
    offer_id: str | None = None
    told: int = 0
    version: int = 0
    stirred: bool = True
    since: date
    latest: date
    looked_on: date | None = None


class NeedMark(SQLModel, table=True):
    """That somebody had a need, and when last; `who` tells askers apart and leads to nobody."""

    __tablename__ = "need_mark"

    need_id: str = Field(foreign_key="need.id", primary_key=True)
    who: str = Field(primary_key=True)
    on: date
