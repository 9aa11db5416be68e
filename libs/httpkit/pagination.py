"""Pagination by cursor: `limit` and `after` enter, `items` and `next` leave."""

import re
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel

from libs.servicekit.errors import FieldError, Invalid
from libs.servicekit.values import CleanStr

_NUMBER = re.compile(r"^[0-9]{1,15}\Z")


@dataclass(frozen=True)
class Page:
    """How much to list, and after which item (`next` of the page before)."""

    limit: Annotated[int, Query(ge=1, le=200)] = 50
    after: Annotated[CleanStr, Query(max_length=100)] = ""

    @property
    def after_number(self) -> int:
        """The cursor of a list in the order of numbers; Invalid for what no database counts to."""
        if self.after and not _NUMBER.match(self.after):
            raise Invalid(FieldError(field="after", reason="is no cursor of this list"))
        return int(self.after or 0)


Paging = Annotated[Page, Depends()]
T = TypeVar("T")


class Items(BaseModel, Generic[T]):
    """One page; `next` is null on the last."""

    items: list[T]
    next: str | None = None


def page_of(rows: list[T], limit: int, key: str = "id") -> tuple[list[T], str | None]:
    """Cut `limit + 1` selected rows into a page and the cursor of the next."""
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], str(getattr(rows[limit - 1], key))
