"""What the API shows of blueprints: improvements with their replies, lines of boards, how offers followed."""

from datetime import datetime

from pydantic import BaseModel

from libs.contracts.card import Text
from libs.contracts.offers import BoardChange
from libs.httpkit.transactions import Reading
from services.offers.blueprints import queries
from services.offers.blueprints.domain import standing
from services.offers.blueprints.models import Improvement, ReplyStatus
from services.offers.boards import queries as boards
from services.offers.boards.models import Board


class ImprovementView(BaseModel):
    """An improvement and its reply; `effect` says what taking it over would do now, `conflict` why not simply."""

    id: str
    version: int
    board: str
    source: str
    source_version: int
    change: BoardChange
    status: ReplyStatus
    adapted: bool
    reason: str | None
    effect: str | None = None
    conflict: str | None = None
    offered_at: datetime
    answered_at: datetime | None


class Relative(BaseModel):
    """A board in a line, and how many improvements it was offered, by what became of them."""

    slug: str
    title: Text
    open: bool
    derived_from: str | None
    replies: dict[ReplyStatus, int]


class Lineage(BaseModel):
    """Where a board comes from, nearest first, and what was derived from it, children before grandchildren."""

    board: Relative
    ancestors: list[Relative]
    descendants: list[Relative]


class MigrationView(BaseModel):
    """How a board's offers followed one change of it: looked at, changed, and left for a person."""

    id: str
    seen: int
    migrated: int
    flagged: int
    created_at: datetime
    finished_at: datetime | None


def improvement(session: Reading, row: Improvement) -> ImprovementView:
    """An improvement as it is now, with what taking it over would do while it is unanswered."""
    shown = ImprovementView(change=row.said, **row.model_dump(exclude={"change"}))
    if row.status == ReplyStatus.OFFERED:
        stands = standing(row.said, boards.declaration(session, row.board))
        shown.effect, shown.conflict = stands.effect, stands.reason
    return shown


def lineage(session: Reading, slug: str) -> Lineage:
    """The line of a board, and how everybody in it answered."""
    family, replies = queries.everything(session), queries.replies(session)

    def shown(board: Board) -> Relative:
        counts = {ReplyStatus(status): times for status, times in replies.get(board.slug, {}).items()}
        named = board.model_dump(include={"slug", "open", "derived_from"})
        return Relative(title=board.declared.title, replies=counts, **named)

    return Lineage(
        board=shown(family[slug]),
        ancestors=[shown(each) for each in queries.ancestors(family, slug)],
        descendants=[shown(each) for each in queries.descendants(family, slug)],
    )
