"""What is done with blueprints: derive, change and withdraw boards, offer improvements along the line, answer them."""

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json
from sqlmodel import Session, col, select

from libs.contracts import offers as events
from libs.contracts.offers import BoardChange
from libs.servicekit.batches import each_apart
from libs.servicekit.db import now
from libs.servicekit.errors import Conflict, FieldError, Invalid, NotFound, check_version, field_errors
from libs.servicekit.principal import Principal
from services.offers.blueprints import queries
from services.offers.blueprints.changes import apply, diff
from services.offers.blueprints.domain import Derivation, Effect, Taken, derive, missing, standing
from services.offers.blueprints.fitting import fit
from services.offers.blueprints.models import BoardMigration, Improvement, ReplyStatus
from services.offers.blueprints.spreading import Family, answered, ask, begin_line, by_path, spread
from services.offers.boards import commands as boards
from services.offers.boards.commands import Changed, settle
from services.offers.boards.domain import MAX_BYTES, Declaration, facets, is_too_long, keywords
from services.offers.boards.models import Board, Origin, parsed
from services.offers.offers import commands as offers
from services.offers.offers.domain import RELEASED, OfferContent, OfferStatus
from services.offers.offers.models import Offer

FIT_AT_ONCE = 200


def follow(session: Session, declarations: list[Declaration]) -> None:
    """Bring the boards to what the town's folder declares; what changed is offered to derived boards."""
    changed = boards.follow(session, declarations)
    session.flush()
    family = queries.held(session)
    for each in changed:
        begin_line(session, family, each)
    for each in changed:
        spread(session, family, each)


def derive_board(session: Session, slug: str, wish: Derivation) -> Board:
    """Open a board that follows another's blueprint."""
    family = queries.held(session)
    parent = _open(family, slug)
    if wish.slug in family:
        raise Conflict(f"There is a board {wish.slug} already.", code="board-exists", slug=wish.slug)
    if errors := [FieldError(field=field, reason=why) for field, why in missing(parent.declared, wish)]:
        raise Invalid(*errors)
    declaration = _sound(lambda: derive(parent.declared, wish))
    board = Board(slug=wish.slug, declaration={}, version=0, origin=Origin.DERIVED)
    settle(session, board, declaration, events.BoardPublished)
    spread(session, family | {board.slug: board}, Changed(board, None))
    return board


def change_board(session: Session, slug: str, expected: int, declaration: Declaration) -> Board:
    """Replace a derived board's declaration; one that was withdrawn opens again."""
    family = queries.held(session)
    board = _derived(family, slug)
    check_version(expected, board.version)
    for name in ("slug", "derived_from"):
        if getattr(declaration, name) != getattr(board.declared, name):
            raise Invalid(FieldError(field=name, reason=f"stays {getattr(board.declared, name)}"))
    if declaration != board.declared or not board.open:
        _sound(lambda: declaration)
        _replace(session, family, board, declaration)
    return board


def withdraw_board(session: Session, slug: str, expected: int) -> Board:
    """Close a derived board; Conflict while it has public offers."""
    family = queries.held(session)
    board = _derived(family, slug)
    check_version(expected, board.version)
    if not board.open:
        raise NotFound("board")
    if queries.has_published(session, slug):
        raise Conflict("The board still has published offers; withdraw them first.", code="still-in-use")
    settle(session, board, board.declared, events.BoardWithdrawn, opened=False)
    spread(session, family, Changed(board, board.declared))
    return board


def suggest(session: Session, slug: str, source: str, paths: Sequence[Sequence[str]]) -> list[Improvement]:
    """Offer a board what one of its children does differently, so that the blueprint learns from its use."""
    family = queries.held(session)
    board, child = _open(family, slug), family.get(source)
    if child is None or not child.open or child.derived_from != slug:
        raise Invalid(FieldError(field="source", reason=f"is no board derived from {slug}"))
    found = {tuple(each.path): each for each in diff(board.declared, child.declared)}
    wanted = dict.fromkeys(tuple(path) for path in paths)
    errors = [
        FieldError(field="paths", reason=f"{'.'.join(path)} is no difference between the boards")
        for path in wanted
        if path not in found
    ]
    if errors:
        raise Invalid(*errors)
    known = by_path(queries.open_of(session, slug), source)
    return [ask(session, board, child, known.get(path), found[path]) for path in wanted]


def accept(session: Session, slug: str, wanted: Sequence[Taken], reason: str | None) -> list[Improvement]:
    """Take improvements over, together: what they make of the board must be sound only when all of them are made.

    Conflict when one would undo the board's own change and the wish does not say that it may.
    """
    family = queries.held(session)
    asked = {each.id: (_asked(session, family, slug, each.id, each.version), each) for each in wanted}
    board = _open(family, slug)
    _must_be_kept_here(board)
    edited = [_edited(board, improvement, each) for _, (improvement, each) in sorted(asked.items())]
    after = _sound(lambda: apply(edited, board.declared))
    made = {tuple(change.path): change for change in diff(board.declared, after)}
    for improvement, each in asked.values():
        offered = improvement.said
        if each.instead is not None:
            improvement.adapted = True
            improvement.change = made.get(tuple(offered.path), offered).model_dump(mode="json")
        answered(session, board, improvement, offered, ReplyStatus.ACCEPTED, reason)
    if after != board.declared:
        _replace(session, family, board, after)
    return [improvement for improvement, _ in asked.values()]


def _edited(board: Board, improvement: Improvement, wish: Taken) -> BoardChange:
    """The change as it is to be made."""
    if wish.instead is not None:
        return improvement.said.model_copy(update={"after": wish.instead})
    stands = standing(improvement.said, board.declared)
    if stands.effect is Effect.CONFLICT and not wish.overwrite:
        raise Conflict(
            f"Taking it over would undo something: {stands.reason}. Send overwrite, or an edited form.",
            code="would-undo",
            why=stands.reason,
        )
    return improvement.said


def decline(session: Session, slug: str, improvement_id: str, expected: int, reason: str) -> Improvement:
    """Do without an improvement, and say why."""
    family = queries.held(session)
    improvement = _asked(session, family, slug, improvement_id, expected)
    answered(session, family[slug], improvement, improvement.said, ReplyStatus.DECLINED, reason)
    return improvement


def fit_some(session: Session, migration_id: str) -> bool:
    """Fit a board's next offers to what it declares now; False when none were left and the work is done."""
    work = session.get_one(BoardMigration, migration_id)
    before, board = parsed(to_json(work.before)), session.get_one(Board, work.board).declared
    query = select(Offer).where(Offer.board == work.board, col(Offer.id) > work.behind).order_by(Offer.id)
    found = session.exec(query.limit(FIT_AT_ONCE).with_for_update()).all()

    def fit_one(each: Offer) -> None:
        changed = _fit(each, board)
        if changed or _shown(before, each.said) != _shown(board, each.said):
            offers.retell(session, each)
        work.migrated, work.flagged = work.migrated + changed, work.flagged + bool(each.flags)

    each_apart(session, "offers.fit", found, fit_one)
    work.seen += len(found)
    if found:
        work.behind = found[-1].id
    else:
        work.finished_at = now()
    return bool(found)


def _fit(each: Offer, board: Declaration) -> bool:
    """Settle an offer's own fields; whether they, or its flags, are others now."""
    said, complete = each.said, each.status in (OfferStatus.SUBMITTED, *RELEASED)
    flags = each.flagged
    fitted = fit(board, said.fields, flags, complete=complete)
    if (fitted.values, fitted.flags) == (said.fields, flags):
        return False
    each.say(said.model_copy(update={"fields": fitted.values}))
    each.flag(fitted.flags)
    return True


def _shown(board: Declaration, said: OfferContent) -> tuple[Any, ...]:
    """How people find an offer by the board's fields."""
    return *facets(board, said.fields), keywords(board, said.fields)


def dismiss(session: Session, actor: Principal, offer_id: str, expected: int, field: str) -> Offer:
    """Somebody has looked at a flag of an offer; what was kept aside is no longer needed."""
    found = offers.held_for(session, actor, offer_id)
    check_version(expected, found.version)
    left = [flag for flag in found.flagged if flag.field != field]
    if len(left) == len(found.flagged):
        raise NotFound("flag")
    found.flag(left)
    offers.retell(session, found)
    return found


def _asked(session: Session, family: Family, slug: str, improvement_id: str, expected: int) -> Improvement:
    _open(family, slug)
    improvement = queries.one(session, slug, improvement_id)
    check_version(expected, improvement.version)
    if improvement.status != ReplyStatus.OFFERED:
        raise Conflict(
            f"The improvement is {improvement.status} already.",
            code="improvement-decided",
            status=improvement.status,
        )
    return improvement


def _open(family: Family, slug: str) -> Board:
    board = family.get(slug)
    if board is None or not board.open:
        raise NotFound("board")
    return board


def _derived(family: Family, slug: str) -> Board:
    board = family.get(slug)
    if board is None:
        raise NotFound("board")
    _must_be_kept_here(board)
    return board


def _must_be_kept_here(board: Board) -> None:
    if board.origin == Origin.FILE:
        raise Conflict(
            f"Board {board.slug} is declared in the town's folder; change it there.",
            code="board-of-the-folder",
        )


def _sound(make: Callable[[], Declaration]) -> Declaration:
    """A declaration that makes sense and fits on the bus; Invalid otherwise."""
    try:
        declaration = make()
    except ValidationError as error:
        raise Invalid(*field_errors(error)) from error
    except ValueError as error:
        raise Invalid(FieldError(field="", reason=f"It cannot be taken over: {error}.")) from error
    if is_too_long(declaration):
        raise Invalid(FieldError(field="", reason=f"a board's declaration has at most {MAX_BYTES} bytes"))
    return declaration


def _replace(session: Session, family: Family, board: Board, declaration: Declaration) -> None:
    before = board.declared
    settle(session, board, declaration, events.BoardChanged if board.open else events.BoardPublished)
    spread(session, family, Changed(board, before))
