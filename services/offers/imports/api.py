"""HTTP edge of imports of offers."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from libs.httpkit.auth import require
from libs.httpkit.idempotency import IdempotencyKey
from libs.httpkit.pagination import Items
from libs.httpkit.params import Id
from libs.httpkit.transactions import Reading
from libs.imports import queries
from libs.imports.api import (
    MAX_UPLOAD_BYTES,
    ImportState,
    Upload,
    accept,
    body_of,
    city_of,
    format_of,
    stated,
)
from libs.imports.models import Import
from libs.servicekit.errors import FieldError, Invalid
from libs.servicekit.principal import Principal
from libs.servicekit.values import CleanStr
from services.offers.boards import queries as boards
from services.offers.imports import runner

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Which kind of table a file is, it tells itself; browsers on Windows call CSV files Excel's.
FORMATS = {
    "text/csv": "csv",
    XLSX: "csv",
    "application/vnd.ms-excel": "csv",
    "application/x-ndjson": "jsonl",
    "application/jsonl": "jsonl",
}
LISTED = ("text/csv", XLSX, "application/x-ndjson")

router = APIRouter(tags=["imports"])
Editor = Annotated[Principal, require("editor")]


class ImportView(ImportState):
    """An import into a board, and how far it is; `rows_total` is null until the file has been read once."""

    board: str


class MappingView(BaseModel):
    """A source whose files can be imported as they are."""

    name: str
    board: str
    title: str


class Order(Upload):
    """What to do with an upload."""

    board: Annotated[CleanStr, Query(max_length=40)]
    mapping: Annotated[CleanStr | None, Query(max_length=80)] = None


@router.post(
    "/v1/imports",
    status_code=202,
    response_model=ImportView,
    openapi_extra=body_of({kind: FORMATS[kind] for kind in LISTED}),
    max_body_size=MAX_UPLOAD_BYTES,
)
async def create_import(
    request: Request, caller: Editor, order: Annotated[Order, Query()], key: IdempotencyKey = None
) -> Response:
    """Import a file of offers: CSV as spreadsheets write it, an Excel workbook (.xlsx), or JSON Lines; 50 MB at most.
    Answers at once; follow `Location`. What was exported goes back in as itself, unless a `source` is named."""
    form = format_of(request, FORMATS)

    def new(session: Reading) -> Import:
        boards.one(session, order.board)
        return _order(order, form, runner.mappings(city_of(request)))

    return await accept(request, caller, key, new, lambda kept: view(request, kept))


def _order(order: Order, form: str, known: dict[str, Any]) -> Import:
    mapping = known.get(order.mapping or "")
    if order.mapping and mapping is None:
        raise Invalid(
            FieldError(field="mapping", reason=f"one of {', '.join(known)}, or none for offers' own names")
        )
    if mapping and mapping.board != order.board:
        raise Invalid(FieldError(field="mapping", reason=f"belongs to board {mapping.board}"))
    said = order.model_dump(exclude={"board"}) | ({"source": mapping.source} if mapping else {})
    return Import(format=form, into=order.board, **said)


def view(request: Request, order: Import) -> ImportView:
    """The import as the API shows it."""
    return ImportView(board=order.into, **stated(city_of(request), order))


@router.get("/v1/imports/{import_id}", dependencies=[require("editor")])
def get_import(import_id: Id, request: Request, session: Reading) -> ImportView:
    """An import and how far it is."""
    return view(request, queries.one(session, import_id))


@router.get("/v1/mappings")
def list_mappings(request: Request) -> Items[MappingView]:
    """The sources whose files can be imported as they are."""
    known = runner.mappings(city_of(request))
    return Items(items=[MappingView(name=name, board=it.board, title=it.title) for name, it in known.items()])
