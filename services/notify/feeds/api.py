"""HTTP edge of feeds: Atom, iCalendar and an open stream, for every question that search understands."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import Response, StreamingResponse

from libs.cardquery.params import documented, query
from libs.cardquery.query import Query as Asked
from libs.httpkit.rate_limit import client_of
from libs.httpkit.transactions import Reading
from libs.servicekit.errors import FieldError, Invalid, TooMany
from services.notify.feeds import atom, calendar
from services.notify.feeds.queries import marker
from services.notify.feeds.ring import Question
from services.notify.feeds.stream import lines

router = APIRouter(prefix="/v1", tags=["feeds"])
NEWEST = 50
IN_A_CALENDAR = 2000
PAST = timedelta(days=30)
MEANINGLESS = ("open_now", "sort", "limit", "offset", "facets")
IfNoneMatch = Annotated[str | None, Header(max_length=200)]
IfModifiedSince = Annotated[str | None, Header(max_length=50)]
LastEventId = Annotated[str | None, Header(alias="Last-Event-ID", pattern=r"^\d{1,18}$", max_length=18)]
PARAMETERS: dict[str, Any] = {"parameters": [p for p in documented() if p["name"] not in MEANINGLESS]}
EVERYTHING = Asked()


class Seen(NamedTuple):
    """What a reader says it has already: tags, else since when."""

    tags: list[str]
    since: datetime | None

    def has(self, tag: str, changed: datetime) -> bool:
        """Whether it need not be sent again (RFC 9110: tags, where given, count alone)."""
        if self.tags:
            return tag in self.tags or "*" in self.tags
        return self.since is not None and changed <= self.since


def _seen(if_none_match: IfNoneMatch = None, if_modified_since: IfModifiedSince = None) -> Seen:
    tags = [each.strip().removeprefix("W/") for each in (if_none_match or "").split(",") if each.strip()]
    return Seen(tags, _instant(if_modified_since))


def _instant(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text) if text else None
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found and found.tzinfo is None else found


Already = Annotated[Seen, Depends(_seen)]


def _asked(request: Request) -> Asked:
    for name in MEANINGLESS:
        if name in request.query_params:
            raise Invalid(FieldError(field=name, reason="has no meaning for a feed", code="no-meaning"))
    return query(request.query_params)


@router.get("/feeds/atom", response_class=Response, openapi_extra=PARAMETERS)
def atom_feed(request: Request, session: Reading, seen: Already) -> Response:
    """The newest things that answer the question, as an Atom feed."""
    asked, notify = _asked(request), request.app.state.notify

    def make() -> bytes:
        things = notify.reading.found(session, asked, NEWEST)
        return atom.feed(notify.town.name, _address(request), things, asked.lang, str(notify.town.page))

    return _conditional(request, session, make, atom.MEDIA_TYPE, seen)


@router.get("/feeds/calendar.ics", response_class=Response, openapi_extra=PARAMETERS)
def calendar_feed(request: Request, session: Reading, seen: Already) -> Response:
    """The dates of the things that answer the question, as a calendar to subscribe to."""
    asked, notify = _asked(request), request.app.state.notify

    def make() -> bytes:
        things = notify.reading.found(session, asked, IN_A_CALENDAR)
        since = datetime.now(UTC) - PAST
        return calendar.calendar(notify.town.name, things, asked.lang, str(notify.town.page), since)

    return _conditional(request, session, make, calendar.MEDIA_TYPE, seen)


def _address(request: Request) -> str:
    query_string = f"?{request.url.query}" if request.url.query else ""
    return f"{request.app.state.kit.settings.public_url}{request.url.path}{query_string}"


def _conditional(
    request: Request, session: Reading, make: Callable[[], bytes], media_type: str, seen: Seen
) -> Response:
    bodies, things = request.app.state.notify.bodies, marker(session)
    made, changed = bodies.of(_address(request), things, make), bodies.changed(things)
    headers = {
        "ETag": made.tag,
        "Last-Modified": format_datetime(changed, usegmt=True),
        "Cache-Control": "max-age=60",
    }
    if seen.has(made.tag, changed):
        return Response(status_code=304, headers=headers)
    return Response(made.body, media_type=media_type, headers=headers)


@router.get("/stream", response_class=StreamingResponse, openapi_extra=PARAMETERS)
async def stream_events(request: Request, last_event_id: LastEventId = None) -> StreamingResponse:
    """Facts as they happen (Server-Sent Events, CloudEvents as data), for a question or all of them.

    `Last-Event-ID` goes on behind a place: nothing is missed and nothing doubled between two connections. While the bus
    is away the connection is open and waits.
    """
    question, notify, client = _question(request), request.app.state.notify, client_of(request)
    if notify.streams.full(client):
        raise TooMany("Too many open streams.", retry_after=30, code="too-many-streams")
    after = int(last_event_id) if last_event_id else None
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    tail = notify.tail_of(request.app.state.kit)
    content = notify.streams.counted(client, lines(tail, after, question))
    return StreamingResponse(content, media_type="text/event-stream", headers=headers)


def _question(request: Request) -> Question | None:
    asked = _asked(request)
    if asked == EVERYTHING:
        return None
    words = urlencode(sorted(request.query_params.multi_items())).encode()
    return Question(hashlib.sha256(words).digest(), request.app.state.notify.matching.asked(asked))
