"""Reads of boards."""

from sqlmodel import Session, col, select

from libs.servicekit.errors import NotFound
from services.offers.boards.domain import Declaration
from services.offers.boards.models import Board


def all_open(session: Session) -> list[Board]:
    """The open boards, by name."""
    return list(session.exec(select(Board).where(col(Board.open)).order_by(Board.slug)))


def one(session: Session, slug: str, *, hold: bool = False) -> Board:
    """An open board; NotFound when there is none. `hold` keeps it from changing while an offer is checked by it."""
    board = _get(session, slug, hold=hold)
    if board is None or not board.open:
        raise NotFound("board")
    return board


def declaration(session: Session, slug: str, *, hold: bool = False) -> Declaration:
    """What a board declares, open or closed; NotFound when there never was one."""
    board = _get(session, slug, hold=hold)
    if board is None:
        raise NotFound("board")
    return board.declared


def _get(session: Session, slug: str, *, hold: bool) -> Board | None:
    # Shared by all who write offers; who changes the board waits for them, and they for that.
    board = session.get(Board, slug, with_for_update={"read": True} if hold else None)
    # The session itself holds on to nothing: so a board is read once, however often a transaction asks for it.
    session.info.setdefault("boards", {})[slug] = board
    return board
