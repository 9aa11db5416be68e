"""What follows from a changed board: its offers are fitted, its open questions looked at again, its children asked.

A board and what it was enter; improvements, work for the runner and facts leave, with the caller's transaction.
"""

from collections.abc import Iterable

from sqlmodel import Session

from libs.contracts import offers as events
from libs.contracts.offers import BoardChange
from libs.servicekit import outbox
from libs.servicekit.db import now
from services.offers.blueprints import queries
from services.offers.blueprints.changes import advanced, differences, tree
from services.offers.blueprints.domain import Effect, standing
from services.offers.blueprints.models import BoardMigration, Improvement, ReplyStatus
from services.offers.boards.commands import Changed
from services.offers.boards.domain import Declaration
from services.offers.boards.models import Board

Family = dict[str, Board]
FACTS: dict[ReplyStatus, type[events.ImprovementFact]] = {
    ReplyStatus.OFFERED: events.ImprovementOffered,
    ReplyStatus.ACCEPTED: events.ImprovementAccepted,
    ReplyStatus.DECLINED: events.ImprovementDeclined,
    ReplyStatus.LAPSED: events.ImprovementLapsed,
}


def spread(session: Session, family: Family, changed: Changed) -> None:
    """Tell a changed board's offers and relatives."""
    board = changed.board
    if changed.before is not None and changed.before.fields != board.declared.fields:
        fit_offers(session, changed.before)
    begin_line(session, family, changed)
    if not board.open:
        _lapse(session, queries.open_of(session, board.slug))
        return
    if board.derived_from:
        _renew(session, board, family[board.derived_from])
    for improvement in queries.open_of(session, board.slug):
        if improvement.source != board.derived_from:
            _review(session, board, improvement)
    for child in family.values():
        if child.derived_from == board.slug and child.open:
            _renew(session, child, board)


def fit_offers(session: Session, before: Declaration) -> None:
    """Ask for a board's offers to be fitted to its present declaration, in the background."""
    session.add(BoardMigration(board=before.slug, before=before.model_dump(mode="json")))


def begin_line(session: Session, family: Family, changed: Changed) -> None:
    """From here on a board with a new parent hears what changes there; what was before, it took over or left."""
    board, before = changed.board, changed.before
    former = before.derived_from if before else None
    if former != board.derived_from or board.parent_seen is None:
        board.parent_seen = tree(family[board.derived_from].declared) if board.derived_from else None
    if former and former != board.derived_from:
        _lapse(session, by_path(queries.open_of(session, board.slug), former).values())


def _renew(session: Session, child: Board, parent: Board) -> None:
    """Bring what a child is asked to the difference between its parent now and as far as it has answered."""
    seen, settled = child.parent_seen or {}, []
    known = by_path(queries.open_of(session, child.slug), parent.slug)
    for change in differences(seen, tree(parent.declared)):
        effect = standing(change, child.declared).effect
        if effect in (Effect.CLEAN, Effect.CONFLICT):
            ask(session, child, parent, known.pop(tuple(change.path), None), change)
            continue
        settled.append(change)
        improvement = known.pop(tuple(change.path), None)
        if improvement is not None:
            _close(
                session, improvement, ReplyStatus.ACCEPTED if effect is Effect.NONE else ReplyStatus.LAPSED
            )
    _lapse(session, known.values())
    if settled:
        child.parent_seen = advanced(seen, settled)


def by_path(improvements: Iterable[Improvement], source: str) -> dict[tuple[str, ...], Improvement]:
    """A source\'s improvements by what they speak of."""
    return {tuple(each.said.path): each for each in improvements if each.source == source}


def _review(session: Session, board: Board, improvement: Improvement) -> None:
    """A suggestion that the board has followed by itself is answered."""
    if standing(improvement.said, board.declared).effect is Effect.NONE:
        _close(session, improvement, ReplyStatus.ACCEPTED)


def _lapse(session: Session, improvements: Iterable[Improvement]) -> None:
    for improvement in improvements:
        _close(session, improvement, ReplyStatus.LAPSED)


def ask(
    session: Session, board: Board, source: Board, known: Improvement | None, change: BoardChange
) -> Improvement:
    """Ask a board; the same question in a newer form keeps its id."""
    said = change.model_dump(mode="json")
    if known is None:
        known = Improvement(board=board.slug, source=source.slug, source_version=source.version, change=said)
        session.add(known)
    elif known.change == said:
        return known
    else:
        known.change, known.source_version = said, source.version
        known.version, known.offered_at = known.version + 1, now()
    _tell(session, known)
    return known


def answered(
    session: Session,
    board: Board,
    improvement: Improvement,
    offered: BoardChange,
    reply: ReplyStatus,
    reason: str | None,
) -> None:
    """Keep the reply; the board has now seen this much of its parent."""
    improvement.reason = reason
    _close(session, improvement, reply)
    if improvement.source == board.derived_from and board.parent_seen is not None:
        board.parent_seen = advanced(board.parent_seen, [offered])


def _close(session: Session, improvement: Improvement, reply: ReplyStatus) -> None:
    improvement.status, improvement.answered_at = reply, now()
    improvement.version += 1
    _tell(session, improvement)


def _tell(session: Session, improvement: Improvement) -> None:
    names = ("board", "source", "source_version", "offered_at", "answered_at", "adapted", "reason")
    said = {name: getattr(improvement, name) for name in names}
    fact = FACTS[ReplyStatus(improvement.status)](change=improvement.said, **said)
    session.add(improvement)
    outbox.add(session, fact, thing_id=improvement.id, version=improvement.version)
