"""HTTP edge of imports of shops."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from libs.httpkit.auth import require
from libs.httpkit.idempotency import IdempotencyKey
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
from libs.servicekit.principal import Principal

# What a document holds, GeoJSON or Overpass's own JSON, it tells itself.
FORMATS = {
    "application/geo+json": "geojson",
    "application/json": "geojson",
    "application/x-ndjson": "jsonl",
    "application/jsonl": "jsonl",
}

router = APIRouter(tags=["imports"])
Editor = Annotated[Principal, require("editor")]


class ImportView(ImportState):
    """An import of shops, and how far it is; `rows_total` is null until the file has been read once."""


@router.post(
    "/v1/imports",
    status_code=202,
    response_model=ImportView,
    openapi_extra=body_of(FORMATS),
    max_body_size=MAX_UPLOAD_BYTES,
)
async def create_import(
    request: Request, caller: Editor, order: Annotated[Upload, Query()], key: IdempotencyKey = None
) -> Response:
    """Import shops: GeoJSON or Overpass JSON with the tags of OpenStreetMap, or JSON Lines of shops with a `key`; 50 MB at most.
    Answers at once; follow `Location`. What somebody changed here since the last import stays, and is reported."""
    form = format_of(request, FORMATS)

    def new(_session: Reading) -> Import:
        return Import(format=form, into="shops", **order.model_dump())

    return await accept(request, caller, key, new, lambda kept: view(request, kept))


def view(request: Request, order: Import) -> ImportView:
    """The import as the API shows it."""
    return ImportView(**stated(city_of(request), order))


@router.get("/v1/imports/{import_id}", dependencies=[require("editor")])
def get_import(import_id: Id, request: Request, session: Reading) -> ImportView:
    """An import and how far it is."""
    return view(request, queries.one(session, import_id))
