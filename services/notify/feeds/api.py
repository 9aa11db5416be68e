"""HTTP edge of feeds: Atom, iCalendar and an open stream, for every question that search understands."""

import hashlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from fastapi.responses import Response, StreamingResponse

from libs.cardquery.params import documented, query
from libs.cardquery.query import Query as Asked
from libs.httpkit import edge
from libs.servicekit.errors import FieldError, Invalid, TooMany, Unavailable
from services.notify.feeds import atom, calendar
from services.notify.feeds.stream import lines
from services.notify.feeds.tail import Tail
from services.notify.things.models import Thing

router = APIRouter(prefix="/v1", tags=["feeds"])
NEWEST = 50
IN_A_CALENDAR = 2000
PAST = timedelta(days=30)
MEANINGLESS = ("open_now", "sort", "limit", "offset", "facets")
IfNoneMatch = Annotated[str | None, Header(max_length=200)]
LastEventId = Annotated[str | None, Header(alias="Last-Event-ID", pattern=r"^\d{1,18}$", max_length=18)]
PARAMETERS: dict[str, Any] = {"parameters": [p for p in documented() if p["name"] not in MEANINGLESS]}


def _asked(request: Request) -> Asked:
    for name in MEANINGLESS:
        if name in request.query_params:
            raise Invalid(FieldError(field=name, reason="has no meaning for a feed", code="no-meaning"))
    return query(request.query_params)


@router.get("/feeds/atom", response_class=Response, openapi_extra=PARAMETERS)
def atom_feed(request: Request, session: edge.Reading, if_none_match: IfNoneMatch = None) -> Response:
    """The newest things that answer the question, as an Atom feed."""
    asked, town = _asked(request), request.app.state.notify.town
    things = request.app.state.notify.reading.found(session, asked, NEWEST)
    page = _page(request)
    body = atom.feed(town.name, _address(request), things, asked.lang, page)
    return _conditional(request, body, things, atom.MEDIA_TYPE, if_none_match)


@router.get("/feeds/calendar.ics", response_class=Response, openapi_extra=PARAMETERS)
def calendar_feed(request: Request, session: edge.Reading, if_none_match: IfNoneMatch = None) -> Response:
    """The dates of the things that answer the question, as a calendar to subscribe to."""
    asked, town = _asked(request), request.app.state.notify.town
    things = request.app.state.notify.reading.found(session, asked, IN_A_CALENDAR)
    since = datetime.now(UTC) - PAST
    body = calendar.calendar(town.name, things, asked.lang, _page(request), since)
    return _conditional(request, body, things, calendar.MEDIA_TYPE, if_none_match)


def _address(request: Request) -> str:
    query_string = f"?{request.url.query}" if request.url.query else ""
    return f"{request.app.state.kit.settings.public_url}{request.url.path}{query_string}"


def _page(request: Request) -> str:
    return str(request.app.state.notify.town.page)


def _conditional(
    request: Request, body: bytes, things: list[Thing], media_type: str, if_none_match: str | None
) -> Response:
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    newest = max((thing.at for thing in things), default=atom.EPOCH)
    headers = {
        "ETag": tag,
        "Last-Modified": format_datetime(newest, usegmt=True),
        "Cache-Control": "max-age=60",
    }
    given = [each.strip().removeprefix("W/") for each in (if_none_match or "").split(",")]
    if tag in given or "*" in given:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


@router.get("/stream", response_class=StreamingResponse, openapi_extra=PARAMETERS)
async def stream(request: Request, last_event_id: LastEventId = None) -> StreamingResponse:
    """Facts as they happen (Server-Sent Events, CloudEvents as data), for a question or all of them.

    `Last-Event-ID` goes on behind a place: nothing is missed and nothing doubled between two connections.
    """
    asked, notify = _asked(request), request.app.state.notify
    open_streams = notify.streams
    if open_streams.full:
        raise TooMany("Too many open streams.", retry_after=30, code="too-many-streams")
    tail: Tail | None = notify.tail
    if tail is None or not tail.ready or not request.app.state.kit.bus.connected:
        raise Unavailable("The bus")
    after = min(int(last_event_id), tail.newest) if last_event_id else tail.newest
    question = notify.matching.asked(asked) if asked != EVERYTHING else None
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    content = open_streams.counted(lines(tail, after, question))
    return StreamingResponse(content, media_type="text/event-stream", headers=headers)


EVERYTHING = Asked()
