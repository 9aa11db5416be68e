"""What a delivery says, before it is put into words: typed values that lie sealed in the database."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from libs.contracts.messages import Value
from libs.contracts.notify import Occasion, Subject


class Item(BaseModel):
    """One piece of news in an alert or a digest: which thing, what happened, by which fact."""

    key: str
    change: str
    fact_id: str
    at: datetime


class Content(BaseModel):
    """A message that was asked for, or news for somebody who follows something."""

    kind: Literal["message", "news"] = "message"
    about: Subject | None = None
    facts: dict[str, Value] = {}
    dates: list[Occasion] = []
    items: list[Item] = []
    why: str = ""
