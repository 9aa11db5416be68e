"""HTTP edge of imports: stream a file in, follow its progress, read the report."""

import hashlib
import tempfile
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import BaseModel

from libs.httpkit.auth import require
from libs.httpkit.edge import IdempotencyKey, Items, Once, Paging, Reading, page_of
from libs.httpkit.problems import Problem
from libs.servicekit.errors import FieldError, Invalid
from libs.servicekit.kit import Kit
from libs.servicekit.principal import Principal
from libs.servicekit.values import CleanStr
from services.offers.boards import queries as boards
from services.offers.imports import commands, queries, runner
from services.offers.imports.models import Import, ImportStatus
from services.offers.params import Id

MAX_UPLOAD_BYTES = 50 * 1024 * 1024
FORMATS = {"text/csv": "csv", "application/x-ndjson": "jsonl", "application/jsonl": "jsonl"}
NATIVE = "native"

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
    created_at: datetime
    finished_at: datetime | None


class FindingView(BaseModel):
    """What is said about a row: an error kept it out, a notice did not."""

    line: int
    column: str | None
    severity: Literal["error", "notice"]
    reason: str
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
            for kind in ("text/csv", "application/x-ndjson")
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
    """Import a file of offers (CSV or JSON Lines, 50 MB at most). Answers at once; follow `Location`."""
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
        once = Once(session, caller, key, fingerprint)
        boards.one(session, order.board)
        new = _order(order, form, runner.mappings(kit.settings.city))
        accepted = commands.accept(session, new, upload)
        return once.answer(view(accepted), 202, {"Location": f"/v1/imports/{accepted.id}"})


def _order(order: Order, form: str, known: dict[str, Any]) -> Import:
    mapping = known.get(order.mapping or "")
    if order.mapping and mapping is None:
        raise Invalid(
            FieldError(field="mapping", reason=f"one of {', '.join(known)}, or none for offers' own names")
        )
    if mapping and mapping.board != order.board:
        raise Invalid(FieldError(field="mapping", reason=f"belongs to board {mapping.board}"))
    said = order.model_dump() | ({"source": mapping.source} if mapping else {})
    return Import(format=form, **said)


def view(order: Import) -> ImportView:
    """The import as the API shows it."""
    return ImportView.model_validate(order, from_attributes=True)


@router.get("/v1/imports/{import_id}", dependencies=[require("editor")])
def get_import(import_id: Id, session: Reading) -> ImportView:
    """An import and how far it is."""
    return view(queries.one(session, import_id))


@router.get("/v1/imports/{import_id}/report", dependencies=[require("editor")])
def get_report(import_id: Id, session: Reading, paging: Paging) -> Items[FindingView]:
    """What was found in the rows of an import, in the order of the file."""
    queries.one(session, import_id)
    if paging.after and not paging.after.isdecimal():
        raise Invalid(FieldError(field="after", reason="is no cursor of this list"))
    after = int(paging.after or 0)
    rows, following = page_of(queries.findings(session, import_id, paging.limit, after), paging.limit)
    return Items(
        items=[FindingView.model_validate(row, from_attributes=True) for row in rows], next=following
    )


@router.get("/v1/mappings")
def list_mappings(request: Request) -> Items[MappingView]:
    """The sources whose files can be imported as they are."""
    known = runner.mappings(request.app.state.kit.settings.city)
    return Items(items=[MappingView(name=name, board=it.board, title=it.title) for name, it in known.items()])
