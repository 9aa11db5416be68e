"""HTTP edge of exports: everything public as files, one offer as JSON-LD, and what changed since."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from itertools import chain
from typing import Annotated, Any, Generic, Literal, TypeVar
from zlib import crc32

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, Field

from libs.httpkit.app import Kit
from libs.httpkit.auth import Anyone
from libs.httpkit.edge import CleanStr, Reading
from libs.httpkit.problems import FieldError, Problem, invalid
from services.offers.boards import queries as boards
from services.offers.exports import cursor, files, jsonld, lists, queries
from services.offers.exports.domain import TEXTS, Filter, Shown, line
from services.offers.offers import queries as offers
from services.offers.params import Id, Moment
from services.offers.providers.models import Provider

router = APIRouter(tags=["exports"])


class OfferFile(StrEnum):
    """In which format offers go out."""

    CSV = "csv"
    JSONL = "jsonl"
    GEOJSON = "geojson"
    JSONLD = "jsonld"
    ICS = "ics"


class ListFile(StrEnum):
    """In which format providers and boards go out."""

    CSV = "csv"
    JSONL = "jsonl"


Language = Annotated[
    str,
    Query(pattern="^[a-z]{2}(-[a-z]{2,10})?$", description="Of texts that can stand in one language only."),
]


class Wanted(BaseModel):
    """Which offers; any other parameter is a field of the board that can be filtered by, such as `cost=free`."""

    board: Annotated[CleanStr | None, Query(max_length=40)] = None
    provider_id: Annotated[CleanStr | None, Query(max_length=64)] = None
    updated_since: Moment | None = None
    source: Annotated[
        CleanStr | None,
        Query(max_length=80, description="Only what was imported from it, with its own keys; for editors."),
    ] = None
    lang: Language = "de"


def _documented(forms: type[StrEnum]) -> dict[int | str, dict[str, Any]]:
    media = {files.KINDS[form].media.split(";")[0] for form in forms}
    content = {name: {"schema": {} if name.endswith("+json") else {"type": "string"}} for name in media}
    return {
        200: {"description": "The file.", "content": content},
        304: {"description": "Nothing of it has changed."},
    }


@router.get("/v1/exports/offers.{form}", response_class=Response, responses=_documented(OfferFile))
def export_offers(
    form: OfferFile, asked: Annotated[Wanted, Query()], request: Request, session: Reading, caller: Anyone
) -> Response:
    """All published offers, or those of a board, a provider or a facet, as one file."""
    if asked.source is not None and not (caller and caller.is_any("editor")):
        raise Problem(403, "Forbidden", "The keys of a source are shown to editors only.")
    kit: Kit = request.app.state.kit
    wanted = _filter(session, asked, request)
    etag = _etag(queries.fingerprint(session, wanted), request)
    if _is_known(etag, request):
        return Response(status_code=304, headers={"ETag": etag})
    frame = queries.frame(session, kit.settings, asked.lang, asked.board)
    if form in (OfferFile.CSV, OfferFile.GEOJSON):
        frame = replace(frame, languages=_languages(session, wanted, frame.languages))
    kind = files.KINDS[form]
    pieces = kind.write(frame, queries.chunks(kit.database, wanted))
    return _stream(pieces, kind.media, f"{asked.board or 'offers'}.{form}", etag)


def _filter(session: Reading, asked: Wanted, request: Request) -> Filter:
    names = request.query_params.keys() - Wanted.model_fields.keys()
    fields = boards.one(session, asked.board).declared.by_name if asked.board else {}
    if wrong := [name for name in names if name not in fields or not fields[name].facet]:
        reason = f"no filter of board {asked.board}" if asked.board else "a filter needs a board"
        raise invalid(*(FieldError(field=name[:100], reason=reason) for name in wrong[:20]))
    facets = {name: frozenset(request.query_params.getlist(name)) for name in names}
    return Filter(asked.board, asked.provider_id, asked.source, asked.updated_since, facets)


def _languages(session: Reading, wanted: Filter, usual: list[str]) -> list[str]:
    """What some offer says in another language has a column too: a file that lacks it would take it away again."""
    found = (queries.languages(session, wanted, path) for path in (*TEXTS, "image.alt"))
    return [*usual, *sorted(set[str]().union(*found).difference(usual))]


def _etag(fingerprint: str, request: Request) -> str:
    return f'W/"{fingerprint}-{crc32(str(request.url).encode()):08x}"'


def _is_known(etag: str, request: Request) -> bool:
    return etag in (known.strip() for known in request.headers.get("If-None-Match", "").split(","))


def _stream(pieces: Iterator[bytes], media: str, name: str, etag: str) -> Response:
    # The first piece is made before the answer begins: a database that is away is a problem, not half a file.
    pieces = chain([next(pieces, b"")], pieces)
    headers = {"ETag": etag, "Cache-Control": "no-cache", "Content-Disposition": f'inline; filename="{name}"'}
    return StreamingResponse(pieces, headers=headers | {"Content-Type": media})


@router.get("/v1/exports/providers.{form}", response_class=Response, responses=_documented(ListFile))
def export_providers(form: ListFile, request: Request, session: Reading) -> Response:
    """All providers as one file."""
    kit: Kit = request.app.state.kit
    etag = _etag(queries.fingerprint(session, Filter()), request)
    if _is_known(etag, request):
        return Response(status_code=304, headers={"ETag": etag})
    pieces = lists.providers(form, kit.settings.town["languages"], queries.provider_chunks(kit.database))
    return _stream(pieces, files.KINDS[form].media, f"providers.{form}", etag)


@router.get("/v1/exports/boards.{form}", response_class=Response, responses=_documented(ListFile))
def export_boards(form: ListFile, request: Request, session: Reading) -> Response:
    """All open boards as one file."""
    kit: Kit = request.app.state.kit
    etag = _etag(queries.fingerprint(session, Filter()), request)
    if _is_known(etag, request):
        return Response(status_code=304, headers={"ETag": etag})
    pieces = lists.boards(form, kit.settings.town["languages"], boards.all_open(session))
    return _stream(pieces, files.KINDS[form].media, f"boards.{form}", etag)


@router.get(
    "/v1/offers/{offer_id}/jsonld",
    response_class=Response,
    responses={200: {"content": {"application/ld+json": {"schema": {"type": "object"}}}}},
)
def get_offer_as_linked_data(offer_id: Id, request: Request, session: Reading) -> Response:
    """One published offer in the words of schema.org, as JSON-LD."""
    (shown,) = queries.shown(session, [offers.one(session, None, offer_id)])
    frame = queries.frame(session, request.app.state.kit.settings, "de", shown.board)
    return JSONResponse(jsonld.document(frame, shown), media_type="application/ld+json")


T = TypeVar("T")


State = Annotated[
    Literal["published", "withdrawn", "expired", "hidden"],
    Field(
        description="Tombstones: `withdrawn` by somebody; `expired`, its period is over; `hidden`, nobody has checked it"
        " for long: a check brings it back, as `published`."
    ),
]


class Change(BaseModel, Generic[T]):
    """A thing as it stands now; null when it is no longer public (a tombstone)."""

    id: str
    status: State
    version: int
    changed_at: datetime
    now: T | None


class Changes(BaseModel, Generic[T]):
    """Changes, oldest first. Ask again with `next` as `since`, at once when there is `more`, later when not."""

    items: list[Change[T]]
    next: str
    more: bool


Since = Annotated[CleanStr, Query(max_length=200, description="An instant, or `next` of the answer before.")]
Limit = Annotated[int, Query(ge=1, le=1000)]


@router.get("/v1/exports/offers/changes")
def offer_changes(
    session: Reading,
    since: Since = "1970-01-01T00:00:00Z",
    limit: Limit = 200,
    board: Annotated[CleanStr | None, Query(max_length=40)] = None,
) -> Changes[dict[str, Any]]:
    """Offers that came, changed or went since; nothing is missed, though transactions end out of order."""
    moment, after = cursor.parse(since)
    found, more = queries.changes(session, Filter(board), moment, after, limit)
    return _changes([_offer_change(shown) for shown in found], (moment, after), more)


@router.get("/v1/exports/providers/changes")
def provider_changes(
    session: Reading, since: Since = "1970-01-01T00:00:00Z", limit: Limit = 200
) -> Changes[dict[str, Any]]:
    """Providers that came, changed or left since."""
    moment, after = cursor.parse(since)
    found, more = queries.provider_changes(session, moment, after, limit)
    return _changes([_provider_change(provider) for provider in found], (moment, after), more)


def _offer_change(shown: Shown) -> Change[dict[str, Any]]:
    public = shown.status == "published"
    return Change(
        id=shown.id,
        status=_state(shown.status),
        version=shown.version,
        changed_at=shown.changed_at,
        now=line(shown) if public else None,
    )


def _state(status: str) -> State:
    """An offer that is submitted again after it was withdrawn is still withdrawn to the public."""
    match status:
        case "published" | "expired" | "hidden":
            return status
    return "withdrawn"


def _provider_change(provider: Provider) -> Change[dict[str, Any]]:
    return Change(
        id=provider.id,
        status="published" if provider.active else "withdrawn",
        version=provider.version,
        changed_at=provider.changed_at,
        now=lists.provider_line(provider) if provider.active else None,
    )


def _changes(
    items: list[Change[dict[str, Any]]], seen: tuple[datetime, str], more: bool
) -> Changes[dict[str, Any]]:
    if items:
        seen = items[-1].changed_at, items[-1].id
    return Changes(items=items, next=cursor.write(*seen), more=more)
