"""HTTP edge of boards: reading only, boards are declared in the town's folder."""

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel

from libs.contracts.card import Text
from libs.contracts.offers import BoardField
from libs.httpkit.edge import Items, Reading, etag
from services.offers.boards import queries
from services.offers.boards.models import Board
from services.offers.funding.domain import Funding
from services.offers.params import Slug

router = APIRouter(prefix="/v1/boards", tags=["boards"])


class BoardView(BaseModel):
    """A board (Börse) and the fields its offers have."""

    slug: str
    version: int
    title: Text
    summary: Text
    languages: list[str]
    fields: list[BoardField]
    funding: Funding | None


def view(board: Board) -> BoardView:
    """The board as the API shows it."""
    declared = board.declared
    return BoardView(version=board.version, **dict(declared))


@router.get("")
def list_boards(session: Reading) -> Items[BoardView]:
    """All open boards."""
    return Items(items=[view(board) for board in queries.all_open(session)])


@router.get("/{slug}")
def get_board(slug: Slug, session: Reading, response: Response) -> BoardView:
    """One board."""
    board = queries.one(session, slug)
    response.headers.update(etag(board.version))
    return view(board)
