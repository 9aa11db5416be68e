"""HTTP edge of blueprints: derive, change and withdraw boards; improvements and replies; offers that need a look."""

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, BeforeValidator, Field
from pydantic_core import to_json

from libs.contracts.card import Name, Paragraphs, Word
from libs.httpkit.auth import require
from libs.httpkit.idempotency import Idempotency
from libs.httpkit.pagination import Items, Paging, page_of
from libs.httpkit.params import Id, Slug
from libs.httpkit.preconditions import IfMatch, etag
from libs.httpkit.transactions import Reading, Transaction
from libs.servicekit.principal import Principal
from libs.servicekit.values import Body
from services.offers.blueprints import commands, queries, views
from services.offers.blueprints.domain import Derivation, Taken, Wish
from services.offers.blueprints.models import Improvement, ReplyStatus
from services.offers.blueprints.views import ImprovementView, Lineage, MigrationView
from services.offers.boards import api as boards
from services.offers.boards import queries as board_queries
from services.offers.boards.api import BoardView
from services.offers.boards.domain import Declaration
from services.offers.boards.models import Board
from services.offers.offers import api as offers
from services.offers.offers.api import OfferView

router = APIRouter(tags=["blueprints"])
Editor = Annotated[Principal, require("editor")]
Writer = Annotated[Principal, require("editor", "provider")]
Reason = Annotated[Paragraphs, Field(min_length=1, max_length=500)]


def _from_json(kind: type[BaseModel]) -> BeforeValidator:
    # Strict models take enumerations from JSON only; FastAPI hands over Python's values.
    return BeforeValidator(lambda value: kind.model_validate_json(to_json(value)))


class Suggestion(Body):
    """What a child board does differently and offers to its parent, by the paths of the differences."""

    source: Name
    paths: list[Annotated[list[Word], Field(min_length=1, max_length=6)]] = Field(
        min_length=1, max_length=100
    )


class Acceptance(Wish):
    """How one improvement is taken over, and why; public."""

    reason: Reason | None = None


class Acceptances(Body):
    """Improvements that belong together, such as a field that goes and the rule that named it."""

    improvements: list[Taken] = Field(min_length=1, max_length=100)
    reason: Reason | None = None


class ImprovementRefusal(Body):
    """Why an improvement is not taken over; public."""

    reason: Reason


@router.post(
    "/v1/boards/{slug}/derive", status_code=201, response_model=BoardView, dependencies=[require("editor")]
)
def derive_board(
    slug: Slug,
    body: Annotated[Derivation, _from_json(Derivation)],
    session: Transaction,
    idempotency: Idempotency,
) -> Response:
    """Open a board that follows this one's blueprint; later changes of this one are offered to it."""
    board = commands.derive_board(session, slug, body)
    return idempotency.answer(
        boards.view(board), 201, {"Location": f"/v1/boards/{board.slug}", **etag(board.version)}
    )


@router.put("/v1/boards/{slug}", dependencies=[require("editor")])
def change_board(
    slug: Slug,
    body: Annotated[Declaration, _from_json(Declaration)],
    expected: IfMatch,
    session: Transaction,
    response: Response,
) -> BoardView:
    """Replace what a derived board declares; its offers are fitted, its children asked. Opens a withdrawn one again."""
    return _board(commands.change_board(session, slug, expected, body), response)


@router.post("/v1/boards/{slug}/withdraw", dependencies=[require("editor")])
def withdraw_board(slug: Slug, expected: IfMatch, session: Transaction, response: Response) -> BoardView:
    """Close a derived board; it must have no published offers."""
    return _board(commands.withdraw_board(session, slug, expected), response)


def _board(board: Board, response: Response) -> BoardView:
    response.headers.update(etag(board.version))
    return boards.view(board)


@router.get("/v1/boards/{slug}/lineage")
def get_lineage(slug: Slug, session: Reading) -> Lineage:
    """A board's ancestors and descendants, and how they answered."""
    board_queries.one(session, slug)
    return views.lineage(session, slug)


@router.get("/v1/boards/{slug}/migrations", dependencies=[require("editor", "operator")])
def list_migrations(slug: Slug, session: Reading, paging: Paging) -> Items[MigrationView]:
    """How the board's offers followed its changes."""
    found = queries.migrations(session, slug, paging.limit, paging.after)
    rows, following = page_of(found, paging.limit)
    items = [MigrationView.model_validate(row, from_attributes=True) for row in rows]
    return Items(items=items, next=following)


@router.get("/v1/boards/{slug}/improvements")
def list_improvements(
    slug: Slug,
    session: Reading,
    paging: Paging,
    status: ReplyStatus | None = None,
    direction: queries.Direction = "received",
) -> Items[ImprovementView]:
    """What a board is, or was, offered by its relatives, or has offered them, with the replies."""
    board_queries.one(session, slug)
    found = queries.page(session, slug, direction, status, paging.limit, paging.after)
    rows, following = page_of(found, paging.limit)
    return Items(items=[views.improvement(session, row) for row in rows], next=following)


@router.post(
    "/v1/boards/{slug}/improvements",
    status_code=201,
    response_model=Items[ImprovementView],
    dependencies=[require("editor")],
)
def suggest_improvements(
    slug: Slug, body: Suggestion, session: Transaction, idempotency: Idempotency
) -> Response:
    """Offer a board what one derived from it does differently."""
    found = commands.suggest(session, slug, body.source, body.paths)
    return idempotency.answer(Items(items=[views.improvement(session, each) for each in found]), 201, {})


@router.get("/v1/boards/{slug}/improvements/{improvement_id}")
def get_improvement(slug: Slug, improvement_id: Id, session: Reading, response: Response) -> ImprovementView:
    """One improvement."""
    return _improvement(session, queries.one(session, slug, improvement_id), response)


@router.post("/v1/boards/{slug}/improvements/{improvement_id}/accept", dependencies=[require("editor")])
def accept_improvement(
    slug: Slug,
    improvement_id: Id,
    body: Acceptance,
    expected: IfMatch,
    session: Transaction,
    response: Response,
) -> ImprovementView:
    """Take an improvement over into a derived board."""
    wish = body.model_dump(include={"overwrite", "instead"})
    taken = Taken(id=improvement_id, version=expected, **wish)
    return _improvement(session, commands.accept(session, slug, [taken], body.reason)[0], response)


@router.post("/v1/boards/{slug}/improvements/accept", dependencies=[require("editor")])
def accept_improvements(slug: Slug, body: Acceptances, session: Transaction) -> Items[ImprovementView]:
    """Take several improvements over at once: all of them, or none."""
    accepted = commands.accept(session, slug, body.improvements, body.reason)
    return Items(items=[views.improvement(session, each) for each in accepted])


@router.post("/v1/boards/{slug}/improvements/{improvement_id}/decline", dependencies=[require("editor")])
def decline_improvement(
    slug: Slug,
    improvement_id: Id,
    body: ImprovementRefusal,
    expected: IfMatch,
    session: Transaction,
    response: Response,
) -> ImprovementView:
    """Do without an improvement, with a reason that its source can read."""
    return _improvement(
        session, commands.decline(session, slug, improvement_id, expected, body.reason), response
    )


def _improvement(session: Reading, improvement: Improvement, response: Response) -> ImprovementView:
    response.headers.update(etag(improvement.version))
    return views.improvement(session, improvement)


@router.delete("/v1/offers/{offer_id}/flags/{field}")
def dismiss_flag(
    offer_id: Id, field: Slug, caller: Writer, expected: IfMatch, session: Transaction, response: Response
) -> OfferView:
    """Take a flag off an offer: what was kept aside for that field is no longer needed."""
    offer = commands.dismiss(session, caller, offer_id, expected, field)
    response.headers.update(etag(offer.version))
    return offers.view(offer, mends=True)
