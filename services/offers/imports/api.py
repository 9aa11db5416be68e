"""HTTP edge of imports: stream a file in, follow its progress, read the report."""

import hashlib
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import BaseModel, Field

from libs.contracts.card import Text
from libs.httpkit.auth import require
from libs.httpkit.idempotency import IdempotencyKey, IdempotentRequest, owner_of
from libs.httpkit.pagination import Items, Paging, page_of
from libs.httpkit.params import Id
from libs.httpkit.problems import Problem
from libs.httpkit.transactions import Reading
from libs.imports import commands, queries
from libs.imports.findings import message
from libs.imports.models import Import, ImportFinding, ImportStatus
from libs.servicekit.errors import FieldError, Invalid
from libs.servicekit.kit import Kit
from libs.servicekit.principal import Principal
from libs.servicekit.values import CleanStr
from services.offers.boards import queries as boards
from services.offers.imports import runner
from services.offers.imports.targets import NATIVE

MAX_UPLOAD_BYTES = 50 * 1024 * 1024
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Which kind of table a file is, it tells itself; browsers on Windows call CSV files Excel's.
FORMATS = {
    "text/csv": "csv",
    XLSX: "csv",
    "application/vnd.ms-excel": "csv",
    "application/x-ndjson": "jsonl",
    "application/jsonl": "jsonl",
}
Words = Annotated[
    Text | None, Field(description="The same for people, by language; null where there is nothing to say.")
]

router = APIRouter(tags=["imports"])
Editor = Annotated[Principal, require("editor")]


class ImportView(BaseModel):
    """An import and how far it is; `rows_total` is null until the file has been read once."""

    id: str
    board: str
    mapping: str | None
    source: str
    status: ImportStatus
    dry_run: bool
    prune: bool
    rows_total: int | None
    rows_done: int
    created: int
    changed: int
    unchanged: int
    withdrawn: int
    broken: int
    bytes: int
    error: str | None
    error_code: str | None
    message: Words
    created_at: datetime
    finished_at: datetime | None


class FindingView(BaseModel):
    """What is said about a row, or at line 1 about the file: an error kept it out, a notice did not."""

    line: int
    column: str | None
    severity: Literal["error", "notice"]
    code: str | None = Field(description="What kind of thing it is; it never changes its name.")
    reason: str
    message: Words
    value: str | None


class MappingView(BaseModel):
    """A source whose files can be imported as they are."""

    name: str
    board: str
    title: str


class Order(BaseModel):
    """What to do with an upload."""

    board: Annotated[CleanStr, Query(max_length=40)]
    mapping: Annotated[CleanStr | None, Query(max_length=80)] = None
    source: Annotated[
        CleanStr,
        Query(
            pattern=r"^[a-z][a-z0-9_-]{0,39}$",
            description="Without a mapping: whose file it is; `prune` and keys stay within a source.",
        ),
    ] = NATIVE
    dry_run: bool = False
    prune: bool = False


_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("text/csv", XLSX, "application/x-ndjson")
        },
    }
}


@router.post(
    "/v1/imports",
    status_code=202,
    response_model=ImportView,
    openapi_extra=_BODY,
    max_body_size=MAX_UPLOAD_BYTES,
)
async def create_import(
    request: Request, caller: Editor, order: Annotated[Order, Query()], key: IdempotencyKey = None
) -> Response:
    """Import a file of offers: CSV as spreadsheets write it, an Excel workbook (.xlsx), or JSON Lines; 50 MB at most.
    Answers at once; follow `Location`. What was exported goes back in as itself, unless a `source` is named."""
    form = FORMATS.get(request.headers.get("Content-Type", "").split(";")[0].strip().lower())
    if form is None:
        raise Problem(415, "Unsupported media type", f"Send one of {', '.join(FORMATS)}.")
    digest = hashlib.sha256(str(request.url).encode())
    with tempfile.TemporaryFile() as upload:
        async for piece in request.stream():
            digest.update(piece)
            await run_in_threadpool(upload.write, piece)
        upload.seek(0)
        known = order, form, caller, key, digest.hexdigest()
        return await run_in_threadpool(_accept, request.app.state.kit, upload, *known)


def _accept(
    kit: Kit, upload: Any, order: Order, form: str, caller: Principal, key: str | None, fingerprint: str
) -> Response:
    with kit.database.transaction() as session:
        idempotency = IdempotentRequest(session, owner_of(caller), key, fingerprint)
        boards.one(session, order.board)
        new = _order(order, form, runner.mappings(kit.settings.city))
        accepted = commands.accept(session, new, upload)
        return idempotency.answer(
            view(kit.settings.city, accepted), 202, {"Location": f"/v1/imports/{accepted.id}"}
        )


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


def view(city: Path, order: Import) -> ImportView:
    """The import as the API shows it."""
    said = order.error_code and message(city, order.error_code, order.error_params or {})
    return ImportView(board=order.into, message=said or None, **order.model_dump(exclude={"into"}))


def _finding(city: Path, row: ImportFinding) -> FindingView:
    said = row.code and message(city, row.code, row.params or {}, row.value)
    return FindingView(message=said or None, **row.model_dump(include=set(FindingView.model_fields)))


@router.get("/v1/imports/{import_id}", dependencies=[require("editor")])
def get_import(import_id: Id, request: Request, session: Reading) -> ImportView:
    """An import and how far it is."""
    return view(_city(request), queries.one(session, import_id))


@router.get("/v1/imports/{import_id}/report", dependencies=[require("editor")])
def get_report(import_id: Id, request: Request, session: Reading, paging: Paging) -> Items[FindingView]:
    """What was found in the rows of an import, in the order of the file."""
    queries.one(session, import_id)
    found = queries.findings(session, import_id, paging.limit, paging.after_number)
    rows, following = page_of(found, paging.limit)
    return Items(items=[_finding(_city(request), row) for row in rows], next=following)


@router.get("/v1/mappings")
def list_mappings(request: Request) -> Items[MappingView]:
    """The sources whose files can be imported as they are."""
    known = runner.mappings(_city(request))
    return Items(items=[MappingView(name=name, board=it.board, title=it.title) for name, it in known.items()])


def _city(request: Request) -> Path:
    folder: Path = request.app.state.kit.settings.city
    return folder
