"""HTTP edge of sessions."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from libs.httpkit.auth import Anyone, require
from libs.httpkit.idempotency import Idempotency
from libs.httpkit.pagination import Items, Paging, page_of
from libs.httpkit.params import Id
from libs.httpkit.preconditions import IfMatch, etag
from libs.httpkit.transactions import Reading, Transaction
from libs.servicekit.principal import Principal
from services.offers.bookings import queries as bookings
from services.offers.offers import queries as offers
from services.offers.sessions import commands, queries, town
from services.offers.sessions.domain import (
    Cancellation,
    Move,
    NewSessions,
    SeriesCancellation,
    SessionContent,
    day_begins,
    day_ends,
    read_cursor,
)
from services.offers.sessions.models import OfferSession
from services.offers.sessions.town import Town
from services.offers.sessions.views import Gap, Holidays, PublicHoliday, Scheduled, SessionView, view

router = APIRouter(prefix="/v1", tags=["sessions"])
Writer = Annotated[Principal, require("editor", "provider")]
Bounded = Annotated[date, Query(ge=date(1990, 1, 1), le=date(2100, 12, 31))]


def _shown(session: Reading, rows: list[OfferSession], here: Town) -> list[SessionView]:
    """Sessions of one offer with how they can be booked."""
    found = bookings.openings_of(session, rows, here.zone)
    return [view(row, found[row.id]) for row in rows]


def _town(request: Request) -> Town:
    return town.read(request.app.state.kit.settings.city)


Here = Annotated[Town, Depends(_town)]


@router.get("/offers/{offer_id}/sessions")
def list_sessions(
    offer_id: Id,
    session: Reading,
    caller: Anyone,
    paging: Paging,
    here: Here,
    since: Annotated[
        Bounded | None, Query(alias="from", description="First day, in the town's time.")
    ] = None,
    until: Annotated[Bounded | None, Query(alias="to", description="Last day, in the town's time.")] = None,
) -> Items[SessionView]:
    """An offer's sessions, soonest first, cancelled ones too."""
    offers.one(session, caller, offer_id)
    found = queries.page(
        session,
        offer_id,
        paging.limit,
        read_cursor(paging.after),
        day_begins(since, here.zone) if since else None,
        day_ends(until, here.zone) if until else None,
    )
    rows, following = page_of(found, paging.limit, "cursor")
    return Items(items=_shown(session, rows, here), next=following)


@router.post("/offers/{offer_id}/sessions", status_code=201, response_model=Scheduled)
def schedule_sessions(
    offer_id: Id,
    body: NewSessions,
    caller: Writer,
    session: Transaction,
    idempotency: Idempotency,
    here: Here,
) -> Response:
    """Give an offer one date, or with `repeat` a series of them."""
    rows, left_out = commands.schedule(session, caller, offer_id, body, here)
    answer = Scheduled(
        series_id=rows[0].series_id,
        items=_shown(session, rows, here),
        left_out=[Gap(day=day, because=because) for day, because in left_out],
    )
    headers = {"Location": f"/v1/offers/{offer_id}/sessions"}
    if body.repeat is None:
        headers = {"Location": f"/v1/sessions/{rows[0].id}", **etag(rows[0].version)}
    return idempotency.answer(answer, 201, headers)


@router.post("/offers/{offer_id}/series/{series_id}/cancel")
def cancel_series(
    offer_id: Id,
    series_id: Id,
    body: SeriesCancellation,
    caller: Writer,
    expected: IfMatch,
    session: Transaction,
    here: Here,
) -> Items[SessionView]:
    """Cancel what is left of a series from a day on; If-Match takes the offer's version."""
    since = day_begins(body.since, here.zone)
    rows = commands.cancel_series(session, caller, offer_id, series_id, expected, since, body.reason)
    return Items(items=_shown(session, rows, here))


@router.get(
    "/sessions/{session_id}", response_model=SessionView, responses={304: {"description": "Unchanged"}}
)
def get_session(
    session_id: Id, session: Reading, caller: Anyone, here: Here, request: Request, response: Response
) -> SessionView | Response:
    """One session."""
    row = queries.one(session, caller, session_id)
    headers = etag(row.version)
    if request.headers.get("If-None-Match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return _shown(session, [row], here)[0]


def _answer(session: Reading, row: OfferSession, here: Town, response: Response) -> SessionView:
    response.headers.update(etag(row.version))
    return _shown(session, [row], here)[0]


@router.put("/sessions/{session_id}")
def change_session(
    session_id: Id,
    body: SessionContent,
    caller: Writer,
    expected: IfMatch,
    session: Transaction,
    here: Here,
    response: Response,
) -> SessionView:
    """Replace what is said of a session's places and venue; another place is a move."""
    return _answer(
        session, commands.change(session, caller, session_id, expected, body, here), here, response
    )


@router.post("/sessions/{session_id}/move")
def move_session(
    session_id: Id,
    body: Move,
    caller: Writer,
    expected: IfMatch,
    session: Transaction,
    here: Here,
    response: Response,
) -> SessionView:
    """Move a session to another time, another venue or both."""
    return _answer(session, commands.move(session, caller, session_id, expected, body, here), here, response)


@router.post("/sessions/{session_id}/cancel")
def cancel_session(
    session_id: Id,
    body: Cancellation,
    caller: Writer,
    expected: IfMatch,
    session: Transaction,
    here: Here,
    response: Response,
) -> SessionView:
    """Cancel a session; everybody who booked is told the reason."""
    return _answer(
        session, commands.cancel(session, caller, session_id, expected, body.reason), here, response
    )


@router.get("/holidays")
def list_holidays(here: Here, year: Annotated[int | None, Query(ge=1990, le=2100)] = None) -> Holidays:
    """Public holidays and school holidays of the town in a year; this year's if none is named."""
    days = here.calendar
    year = year or datetime.now(here.zone).year
    school = days.school.school if days.school else []
    return Holidays(
        year=year,
        public=[PublicHoliday(day=day, name=name) for day, name in days.public(year).items()],
        school=[run for run in school if year in (run.start.year, run.end.year)],
        school_known_until=days.school.known_until if days.school else None,
    )
