"""Reads of blueprints: lines of boards, improvements and replies, the work of fitting offers."""

from collections import Counter
from collections.abc import Iterator
from typing import Literal

from sqlalchemy import func
from sqlmodel import Session, col, select

from libs.servicekit.errors import NotFound
from services.offers.blueprints.models import BoardMigration, Improvement, ReplyStatus
from services.offers.boards.models import Board
from services.offers.offers.domain import RELEASED
from services.offers.offers.models import Offer

Direction = Literal["received", "sent"]


def held(session: Session) -> dict[str, Board]:
    """All boards, open or closed, held until the transaction ends: whoever changes one looks at its relatives.

    Offers that are being written to a board are waited for, and wait.
    """
    query = select(Board).order_by(Board.slug).with_for_update(key_share=True)
    return {board.slug: board for board in session.exec(query.execution_options(populate_existing=True))}


def ancestors(boards: dict[str, Board], slug: str) -> list[Board]:
    """The parent, its parent, and so on."""
    line, parent = [], boards[slug].derived_from
    while parent is not None:
        line.append(boards[parent])
        parent = boards[parent].derived_from
    return line


def descendants(boards: dict[str, Board], slug: str) -> Iterator[Board]:
    """The children, each followed by its own."""
    for board in boards.values():
        if board.derived_from == slug:
            yield board
            yield from descendants(boards, board.slug)


def everything(session: Session) -> dict[str, Board]:
    """All boards by name."""
    return {board.slug: board for board in session.exec(select(Board).order_by(Board.slug))}


def replies(session: Session) -> dict[str, Counter[str]]:
    """How many improvements each board was offered, by what became of them."""
    count = func.count().label("count")
    query = select(Improvement.board, Improvement.status, count).group_by(
        Improvement.board, Improvement.status
    )
    found: dict[str, Counter[str]] = {}
    for board, status, times in session.exec(query):
        found.setdefault(board, Counter())[status] = times
    return found


def page(
    session: Session, slug: str, direction: Direction, status: ReplyStatus | None, limit: int, after: str
) -> list[Improvement]:
    """Improvements that a board was offered, or gave, oldest first; one more than `limit` when there are more."""
    whose = Improvement.board if direction == "received" else Improvement.source
    query = select(Improvement).where(whose == slug, col(Improvement.id) > after)
    if status is not None:
        query = query.where(Improvement.status == status)
    return list(session.exec(query.order_by(Improvement.id).limit(limit + 1)))


def one(session: Session, slug: str, improvement_id: str) -> Improvement:
    """An improvement that a board was offered; NotFound when there is none."""
    found = session.get(Improvement, improvement_id)
    if found is None or found.board != slug:
        raise NotFound("improvement")
    return found


def open_of(session: Session, slug: str) -> list[Improvement]:
    """What a board has not answered yet."""
    query = select(Improvement).where(Improvement.board == slug, Improvement.status == ReplyStatus.OFFERED)
    return list(session.exec(query.order_by(Improvement.id)))


def has_published(session: Session, slug: str) -> bool:
    """Whether a board has offers that are public, or will be again."""
    query = select(Offer.id).where(Offer.board == slug, col(Offer.status).in_(RELEASED))
    return session.exec(query.limit(1)).first() is not None


def next_migration(session: Session) -> BoardMigration | None:
    """The oldest work that is not done."""
    query = select(BoardMigration).where(col(BoardMigration.finished_at).is_(None))
    return session.exec(query.order_by(BoardMigration.id).limit(1)).first()


def migrations(session: Session, slug: str, limit: int, after: str) -> list[BoardMigration]:
    """How a board's offers followed its changes, oldest first; one more than `limit` when there are more."""
    query = select(BoardMigration).where(BoardMigration.board == slug, col(BoardMigration.id) > after)
    return list(session.exec(query.order_by(BoardMigration.id).limit(limit + 1)))
