"""HTTP edge of imports, whatever is imported: stream a file in, follow its progress, read the report."""

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from libs.contracts.card import Text
from libs.httpkit.auth import require
from libs.httpkit.idempotency import IdempotentRequest, owner_of
from libs.httpkit.pagination import Items, Paging, page_of
from libs.httpkit.params import Id
from libs.httpkit.problems import Problem
from libs.httpkit.transactions import Reading
from libs.imports import commands, queries
from libs.imports.findings import message
from libs.imports.models import Import, ImportFinding, ImportStatus
from libs.servicekit.principal import Principal
from libs.servicekit.values import CleanStr

MAX_UPLOAD_BYTES = 50 * 1024 * 1024
NATIVE = "native"
Words = Annotated[
    Text | None, Field(description="The same for people, by language; null where there is nothing to say.")
]

router = APIRouter(tags=["imports"])


class ImportState(BaseModel):
    """An import and how far it is; `rows_total` is null until the file has been read once."""

    id: str
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


class Upload(BaseModel):
    """What to do with an uploaded file."""

    source: Annotated[
        CleanStr,
        Query(
            pattern=r"^[a-z][a-z0-9_-]{0,39}$",
            description="Without a mapping: whose file it is; `prune` and keys stay within a source.",
        ),
    ] = NATIVE
    dry_run: bool = False
    prune: bool = False


def body_of(kinds: Mapping[str, str]) -> dict[str, Any]:
    """What an API document says of an upload in one of these media types."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    return {"requestBody": {"required": True, "content": dict.fromkeys(kinds, binary)}}


def format_of(request: Request, kinds: Mapping[str, str]) -> str:
    """The format of an upload by its media type; Problem 415 for none of these."""
    form = kinds.get(request.headers.get("Content-Type", "").split(";")[0].strip().lower())
    if form is None:
        raise Problem(415, "Unsupported media type", f"Send one of {', '.join(kinds)}.")
    return form


async def accept(
    request: Request,
    caller: Principal,
    key: str | None,
    order: Callable[[Session], Import],
    view: Callable[[Import], BaseModel],
) -> Response:
    """Keep an upload, which is never in memory as a whole, and what to do with it; the answer says where to follow it."""
    digest = hashlib.sha256(str(request.url).encode())
    with tempfile.TemporaryFile() as upload:
        async for piece in request.stream():
            digest.update(piece)
            await run_in_threadpool(upload.write, piece)
        upload.seek(0)

        def keep() -> Response:
            with request.app.state.kit.database.transaction() as session:
                idempotency = IdempotentRequest(session, owner_of(caller), key, digest.hexdigest())
                kept = commands.accept(session, order(session), upload)
                return idempotency.answer(view(kept), 202, {"Location": f"/v1/imports/{kept.id}"})

        return await run_in_threadpool(keep)


def stated(city: Path, order: Import) -> dict[str, Any]:
    """An import as the fields of its view."""
    said = order.error_code and message(city, order.error_code, order.error_params or {})
    return {"message": said or None, **order.model_dump(exclude={"into"})}


def city_of(request: Request) -> Path:
    """The town's folder."""
    folder: Path = request.app.state.kit.settings.city
    return folder


@router.get("/v1/imports/{import_id}/report", dependencies=[require("editor")])
def get_report(import_id: Id, request: Request, session: Reading, paging: Paging) -> Items[FindingView]:
    """What was found in the rows of an import, in the order of the file."""
    queries.one(session, import_id)
    found = queries.findings(session, import_id, paging.limit, paging.after_number)
    rows, following = page_of(found, paging.limit)
    return Items(items=[_finding(city_of(request), row) for row in rows], next=following)


def _finding(city: Path, row: ImportFinding) -> FindingView:
    said = row.code and message(city, row.code, row.params or {}, row.value)
    return FindingView(message=said or None, **row.model_dump(include=set(FindingView.model_fields)))
