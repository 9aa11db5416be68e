"""HTTP edge of boards: reading only; they are declared in the town's folder or derived (see blueprints)."""

from fastapi import APIRouter
from fastapi.responses import Response

from libs.httpkit.pagination import Items
from libs.httpkit.params import Slug
from libs.httpkit.preconditions import etag
from libs.httpkit.transactions import Reading
from services.offers.boards import queries
from services.offers.boards.domain import Declaration
from services.offers.boards.models import Board, Origin

router = APIRouter(prefix="/v1/boards", tags=["boards"])


class BoardView(Declaration):
    """A board (Börse) as it is declared, and whether that stands in a file of the town or is kept here."""

    version: int
    origin: Origin


def view(board: Board) -> BoardView:
    """The board as the API shows it."""
    said = {name: getattr(board.declared, name) for name in Declaration.model_fields}
    return BoardView(version=board.version, origin=Origin(board.origin), **said)


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
