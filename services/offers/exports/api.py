"""HTTP edge of exports: everything public as files, one offer as JSON-LD, and what changed since."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from itertools import chain
from typing import Annotated, Any, Literal
from zlib import crc32

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel

from libs.httpkit.auth import Anyone
from libs.httpkit.params import Id, UtcInstant
from libs.httpkit.transactions import Reading
from libs.servicekit.errors import FieldError, Forbidden, Invalid, NotFound
from libs.servicekit.kit import Kit
from libs.servicekit.values import CleanStr
from services.offers.boards import queries as boards
from services.offers.exports import calendar, changes, cursor, files, jsonld, lists, queries, views
from services.offers.exports.domain import EXCEL, PLAIN, TEXTS, Filter, say
from services.offers.exports.views import Changes
from services.offers.offers import queries as offers
from services.offers.offers.models import Offer
from services.offers.sessions import queries as sessions

router = APIRouter(tags=["exports"])
DIALECTS = {None: PLAIN, "excel": EXCEL}


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


Program = Annotated[
    Literal["excel"] | None,
    Query(
        alias="for",
        description="CSV that a German Excel opens at a double click; it can be imported again, too.",
    ),
]


class Wanted(BaseModel):
    """Which offers; any other parameter is a field of the board that can be filtered by, such as `cost=free`."""

    board: Annotated[CleanStr | None, Query(max_length=40)] = None
    provider_id: Annotated[CleanStr | None, Query(max_length=64)] = None
    updated_since: UtcInstant | None = None
    source: Annotated[
        CleanStr | None,
        Query(max_length=80, description="Only what was imported from it, with its own keys; for editors."),
    ] = None
    lang: Language = "de"
    program: Program = None


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
        raise Forbidden("The keys of a source are shown to editors only.", code="role-needed", roles="editor")
    kit: Kit = request.app.state.kit
    wanted = _filter(session, asked, request)
    etag = _etag(queries.fingerprint(session, wanted), request)
    if _is_known(etag, request):
        return Response(status_code=304, headers={"ETag": etag})
    frame = queries.frame(session, kit.settings, asked.lang, asked.board)
    if form in (OfferFile.CSV, OfferFile.GEOJSON):
        frame = replace(frame, languages=_languages(session, wanted, frame.languages))
    frame = replace(frame, dialect=DIALECTS[asked.program])
    kind = files.KINDS[form]
    pieces = kind.write(frame, queries.chunks(kit.database, wanted))
    return _stream(pieces, kind.media, f"{asked.board or 'offers'}.{form}", etag)


def _filter(session: Reading, asked: Wanted, request: Request) -> Filter:
    names = request.query_params.keys() - Wanted.model_fields.keys() - {"for"}
    fields = boards.one(session, asked.board).declared.by_name if asked.board else {}
    if wrong := [name for name in names if name not in fields or not fields[name].facet]:
        reason = f"no filter of board {asked.board}" if asked.board else "a filter needs a board"
        raise Invalid(*(FieldError(field=name[:100], reason=reason) for name in wrong[:20]))
    facets = {name: frozenset(request.query_params.getlist(name)) for name in names}
    return Filter(asked.board, asked.provider_id, asked.source, asked.updated_since, facets)


def _languages(session: Reading, wanted: Filter, usual: list[str]) -> list[str]:
    """What some offer says in another language has a column too: a file that lacks it would take it away again."""
    found = [queries.languages(session, wanted, path) for path in (*TEXTS, "image.alt")]
    found.append(queries.provider_languages(session, wanted))
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
def export_providers(form: ListFile, request: Request, session: Reading, program: Program = None) -> Response:
    """All providers as one file."""
    chunks = queries.provider_chunks(request.app.state.kit.database)
    return _list(
        "providers",
        form,
        request,
        session,
        lambda said: lists.providers(form, said, DIALECTS[program], chunks),
    )


@router.get("/v1/exports/boards.{form}", response_class=Response, responses=_documented(ListFile))
def export_boards(form: ListFile, request: Request, session: Reading, program: Program = None) -> Response:
    """All open boards as one file."""
    found = boards.all_open(session)
    return _list(
        "boards", form, request, session, lambda said: lists.boards(form, said, DIALECTS[program], found)
    )


def _list(
    name: str,
    form: ListFile,
    request: Request,
    session: Reading,
    write: Callable[[list[str]], Iterator[bytes]],
) -> Response:
    etag = _etag(queries.fingerprint(session, Filter()), request)
    if _is_known(etag, request):
        return Response(status_code=304, headers={"ETag": etag})
    pieces = write(request.app.state.kit.settings.town["languages"])
    return _stream(pieces, files.KINDS[form].media, f"{name}.{form}", etag)


@router.get(
    "/v1/offers/{offer_id}/jsonld",
    response_class=Response,
    responses={200: {"content": {"application/ld+json": {"schema": {"type": "object"}}}}},
)
def get_offer_as_linked_data(offer_id: Id, request: Request, session: Reading) -> Response:
    """One published offer in the words of schema.org, as JSON-LD."""
    (shown,) = queries.shown(session, [offers.one(session, None, offer_id)])
    frame = queries.frame(session, request.app.state.kit.settings, "de", shown.board)
    return Response(files.embeddable(jsonld.document(frame, shown)), media_type="application/ld+json")


ICS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": {"text/calendar": {"schema": {"type": "string"}}}}
}


@router.get("/v1/offers/{offer_id}/calendar.ics", response_class=Response, responses=ICS)
def get_offer_as_calendar(
    offer_id: Id,
    request: Request,
    session: Reading,
    caller: Anyone,
    lang: Language = "de",
    begins: Annotated[
        UtcInstant | None, Query(description="Only the date that begins then, which need not be a session.")
    ] = None,
) -> Response:
    """One offer's dates as a calendar file."""
    return _calendar(request, session, offers.one(session, caller, offer_id), lang, begins=begins)


@router.get("/v1/sessions/{session_id}/calendar.ics", response_class=Response, responses=ICS)
def get_session_as_calendar(
    session_id: Id, request: Request, session: Reading, caller: Anyone, lang: Language = "de"
) -> Response:
    """One date of an offer as a calendar file; also one that was cancelled, which takes it out of calendars."""
    found = sessions.one(session, caller, session_id)
    return _calendar(request, session, offers.any_one(session, found.offer_id), lang, session_id)


def _calendar(
    request: Request,
    session: Reading,
    offer: Offer,
    lang: str,
    only: str | None = None,
    begins: datetime | None = None,
) -> Response:
    (shown,) = queries.shown(session, [offer])
    if only is not None:
        shown = replace(shown, sessions=(queries.occasion(session, only),))
    frame = queries.frame(session, request.app.state.kit.settings, lang, shown.board)
    headers = {"Content-Disposition": f'attachment; filename="{only or shown.id}.ics"'}
    content = calendar.document(frame, shown, say(shown.content["title"], frame.spoken), begins)
    if content is None:
        raise NotFound("date of this offer")
    return Response(content, media_type=files.KINDS["ics"].media, headers=headers)


Since = Annotated[CleanStr, Query(max_length=200, description="An instant, or `next` of the answer before.")]
Limit = Annotated[int, Query(ge=1, le=1000)]


@router.get("/v1/exports/offers/changes")
def offer_changes(
    session: Reading,
    since: Since = "1970-01-01T00:00:00Z",
    limit: Limit = 200,
    board: Annotated[CleanStr | None, Query(max_length=40)] = None,
) -> Changes:
    """Offers that came, changed or went since; nothing is missed, though transactions end out of order."""
    moment, after = cursor.parse(since)
    found, more = changes.of_offers(session, Filter(board), moment, after, limit)
    return views.changes([views.offer(shown) for shown in found], (moment, after), more)


@router.get("/v1/exports/providers/changes")
def provider_changes(session: Reading, since: Since = "1970-01-01T00:00:00Z", limit: Limit = 200) -> Changes:
    """Providers that came, changed or left since."""
    moment, after = cursor.parse(since)
    found, more = changes.of_providers(session, moment, after, limit)
    return views.changes([views.provider(provider) for provider in found], (moment, after), more)
