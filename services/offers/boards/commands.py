"""What is done with boards: they follow the files in `city/boards/`."""

import tomllib
from pathlib import Path
from typing import Any

import structlog
from pydantic_core import to_json
from sqlmodel import Session, select

from libs.contracts import offers as events
from libs.servicekit import outbox
from libs.servicekit.db import now
from services.offers.boards.domain import Declaration, card
from services.offers.boards.models import Board

log = structlog.get_logger(__name__)


def read_declarations(folder: Path) -> list[Declaration]:
    """The boards of a town; raises ValueError naming the file that is wrong."""
    return [_read(file) for file in sorted(folder.glob("*.toml"))]


def _read(file: Path) -> Declaration:
    try:
        raw: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        return Declaration.model_validate_json(to_json({"slug": file.stem, **raw}))
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error


def follow(session: Session, declarations: list[Declaration]) -> None:
    """Open new boards, change changed ones, close those whose file is gone; each a fact."""
    known = {board.slug: board for board in session.exec(select(Board))}
    for declaration in declarations:
        _follow_one(session, known.pop(declaration.slug, None), declaration)
    for board in known.values():
        if board.open:
            _settle(session, board, board.declared, events.BoardWithdrawn, opened=False)


def _follow_one(session: Session, board: Board | None, declaration: Declaration) -> None:
    if board is None:
        board = Board(slug=declaration.slug, declaration={}, version=0)
        _settle(session, board, declaration, events.BoardPublished)
    elif not board.open:
        _settle(session, board, declaration, events.BoardPublished)
    elif board.declaration != declaration.model_dump(mode="json"):
        _settle(session, board, declaration, events.BoardChanged)


def _settle(
    session: Session,
    board: Board,
    declaration: Declaration,
    fact: type[events.BoardFact],
    *,
    opened: bool = True,
) -> None:
    board.declaration = declaration.model_dump(mode="json")
    board.open, board.version, board.changed_at = opened, board.version + 1, now()
    session.add(board)
    content = declaration.model_dump(include={"slug", "title", "summary", "languages"})
    event = fact(card=card(declaration, listed=opened), fields=declaration.fields, **content)
    outbox.add(session, event, thing_id=board.slug, version=board.version)
    log.info("board", slug=board.slug, fact=fact.part("fact"), version=board.version)
