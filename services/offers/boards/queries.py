"""Reads of boards."""

from sqlmodel import Session, col, select

from libs.httpkit.problems import not_found
from services.offers.boards.domain import Declaration
from services.offers.boards.models import Board


def all_open(session: Session) -> list[Board]:
    """The open boards, by name."""
    return list(session.exec(select(Board).where(col(Board.open)).order_by(Board.slug)))


def one(session: Session, slug: str) -> Board:
    """An open board; Problem 404 when there is none."""
    board = session.get(Board, slug)
    if board is None or not board.open:
        raise not_found("board")
    return board


def declaration(session: Session, slug: str) -> Declaration:
    """What a board declares, open or closed; Problem 404 when there never was one."""
    board = session.get(Board, slug)
    if board is None:
        raise not_found("board")
    return board.declared
