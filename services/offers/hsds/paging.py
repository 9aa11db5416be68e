"""Lists as HSDS pages them: an envelope around a page by its number, or all at once, a line each."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Annotated, Any, Generic, Literal, Protocol, TypeVar

from fastapi import Query
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel
from pydantic_core import to_json
from sqlmodel import Session

from libs.servicekit.db import Database
from libs.servicekit.values import CleanStr
from services.offers.exports.files import each

USUAL, MOST = 50, 10_000
NDJSON = "application/x-ndjson"
AS_LINES: dict[int | str, dict[str, Any]] = {200: {"content": {NDJSON: {"schema": {"type": "string"}}}}}
T = TypeVar("T")
Teller = Callable[[T], dict[str, Any]]


class Found(Protocol[T]):
    """What a list holds, before it is told."""

    def page(self, session: Session, offset: int, limit: int) -> tuple[list[T], int]:
        """Some of it, and how much there is in all."""

    def chunks(self, db: Database) -> Iterator[list[T]]:
        """All of it, in looks of their own at the database."""


@dataclass(frozen=True)
class Held(Generic[T]):
    """A list that is held in memory."""

    items: list[T]

    def page(self, _session: Session, offset: int, limit: int) -> tuple[list[T], int]:
        """Some of it, and how much there is in all."""
        return self.items[offset : offset + limit], len(self.items)

    def chunks(self, _db: Database) -> Iterator[list[T]]:
        """All of it at once."""
        yield self.items


class Page(BaseModel):
    """One page of a list; `size` is what this page holds. Behind the last one pages are empty."""

    total_items: int
    total_pages: int
    page_number: int
    size: int
    first_page: bool
    last_page: bool
    empty: bool
    contents: list[dict[str, Any]]


@dataclass(frozen=True)
class Paging:
    """Which page, of which size, and whether as pages at all."""

    search: Annotated[CleanStr, Query(max_length=200, description="Words, all of which must be found.")] = ""
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1
    per_page: Annotated[
        int | None,
        Query(ge=1, le=MOST, description=f"{USUAL}, when nothing is said; large pages may come smaller."),
    ] = None
    format: Annotated[Literal["json", "ndjson"], Query(description="`ndjson` streams all, a line each.")] = (
        "json"
    )

    def or_size(self, size: int) -> "Paging":
        """With pages of a size, when none was asked for."""
        return replace(self, per_page=self.per_page or size)

    @property
    def words(self) -> tuple[str, ...]:
        """What is searched for."""
        return tuple(self.search.split()[:10])


def answer(
    paging: Paging, session: Session, db: Database, found: Found[T], tell: Teller[T], most: int
) -> Page | Response:
    """A list as it was asked for, at most so many on one page."""
    if paging.format == "ndjson":
        return _lines(found.chunks(db), tell)
    size = min(paging.per_page or USUAL, most)
    rows, total = found.page(session, (paging.page - 1) * size, size)
    return _page(each(rows, tell), total, paging.page, size)


def _page(contents: list[dict[str, Any]], total: int, number: int, size: int) -> Page:
    last = max(1, math.ceil(total / size))
    return Page(
        total_items=total,
        total_pages=last,
        page_number=number,
        size=len(contents),
        first_page=number == 1,
        last_page=number >= last,
        empty=not contents,
        contents=contents,
    )


def _lines(chunks: Iterator[list[T]], tell: Teller[T]) -> Response:
    pieces = (b"".join(each(chunk, lambda row: to_json(tell(row)) + b"\n")) for chunk in chunks)
    # A database that is away is a problem, not an empty list.
    return StreamingResponse(chain([next(pieces, b"")], pieces), media_type=NDJSON)
