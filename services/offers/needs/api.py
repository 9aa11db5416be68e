"""HTTP edge of unmet needs: read by providers, the agenda and anybody else."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from libs.contracts.offers import NeedKind
from libs.httpkit.pagination import Items, Paging, page_of
from libs.httpkit.transactions import Reading
from libs.servicekit.values import CleanStr
from services.offers.needs import queries
from services.offers.needs.models import Need

router = APIRouter(prefix="/v1/needs", tags=["needs"])


class NeedView(BaseModel):
    """What many look for: words on a board (or anywhere), or places at an offer."""

    id: str
    board: str | None
    kind: NeedKind
    words: list[str]
    offer_id: str | None
    asking: int
    since: date
    latest: date
    version: int


def view(need: Need) -> NeedView:
    """The need as the API shows it."""
    plain = need.model_dump(include={"id", "words", "offer_id", "since", "latest", "version"})
    return NeedView(board=need.board or None, kind=NeedKind(need.kind), asking=need.told, **plain)


@router.get("")
def list_needs(
    session: Reading,
    paging: Paging,
    board: Annotated[CleanStr | None, Query(max_length=40)] = None,
    kind: NeedKind | None = None,
) -> Items[NeedView]:
    """Needs that enough people have, oldest first; each as it was last told."""
    found = queries.page(session, paging.limit, paging.after, board, kind)
    rows, following = page_of(found, paging.limit)
    return Items(items=[view(row) for row in rows], next=following)
