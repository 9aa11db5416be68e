"""What is done with boards: they follow the files in `city/boards/`, or, when derived, what an editor declares."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from pydantic_core import to_json
from sqlmodel import Session, select

from libs.contracts import offers as events
from libs.servicekit import outbox
from libs.servicekit.db import now
from services.offers.boards.domain import Declaration, card, is_too_long
from services.offers.boards.models import Board, Origin

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Changed:
    """A board that is new, different, open again or closed; `before` is None for a new one."""

    board: Board
    before: Declaration | None


def read_declarations(folder: Path) -> list[Declaration]:
    """The boards of a town; raises ValueError naming the file that is wrong."""
    return [_read(file) for file in sorted(folder.glob("*.toml"))]


def _read(file: Path) -> Declaration:
    try:
        raw: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        declaration = Declaration.model_validate_json(to_json({"slug": file.stem, **raw}))
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error
    if is_too_long(declaration):
        raise ValueError(f"{file}: holds more than a board's fact can carry")
    return declaration


def follow(session: Session, declarations: list[Declaration]) -> list[Changed]:
    """Open new boards, change changed ones, close those whose file is gone; each a fact. Returns what changed.

    Derived boards without a file are left alone; one that gets a file follows it from then on.
    """
    known = {board.slug: board for board in session.exec(select(Board))}
    _check_lineage({slug: board.derived_from for slug, board in known.items()}, declarations)
    found = [_follow_one(session, known.pop(each.slug, None), each) for each in declarations]
    gone = [board for board in known.values() if board.open and board.origin == Origin.FILE]
    for board in gone:
        settle(session, board, board.declared, events.BoardWithdrawn, opened=False)
    return [each for each in found if each] + [Changed(board, board.declared) for board in gone]


def _check_lineage(parents: dict[str, str | None], declarations: list[Declaration]) -> None:
    parents = parents | {each.slug: each.derived_from for each in declarations}
    for slug in parents:
        line, ancestor = [slug], parents[slug]
        while ancestor is not None:
            if ancestor not in parents:
                raise ValueError(f"board {line[-1]}: derived from {ancestor}, which is no board")
            if ancestor in line:
                raise ValueError(f"board {slug}: derived from itself, by way of {', '.join(line)}")
            line.append(ancestor)
            ancestor = parents[ancestor]


def _follow_one(session: Session, board: Board | None, said: Declaration) -> Changed | None:
    if board is None:
        board = Board(slug=said.slug, declaration={}, version=0)
        settle(session, board, said, events.BoardPublished)
        return Changed(board, None)
    before, was_open, board.origin = board.declared, board.open, Origin.FILE
    if was_open and before == said:
        return None
    settle(session, board, said, events.BoardChanged if was_open else events.BoardPublished)
    return Changed(board, before)


def settle(
    session: Session,
    board: Board,
    declaration: Declaration,
    fact: type[events.BoardFact],
    *,
    opened: bool = True,
) -> None:
    """Give a board its new state and say so on the bus."""
    board.declaration = declaration.model_dump(mode="json")
    board.open, board.version, board.changed_at = opened, board.version + 1, now()
    board.derived_from = declaration.derived_from
    session.add(board)
    said = ("slug", "title", "summary", "languages", "fields", "steps", "texts", "derived_from")
    content = {name: getattr(declaration, name) for name in said}
    event = fact(card=card(declaration, listed=opened), **content)
    outbox.add(session, event, thing_id=board.slug, version=board.version)
    log.info("board", slug=board.slug, fact=fact.part("fact"), version=board.version)
