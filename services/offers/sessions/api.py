"""HTTP edge of sessions."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field

from libs.contracts.card import Place
from libs.contracts.offers import SessionStatus
from libs.httpkit.auth import Anyone
from libs.httpkit.edge import Body, Items, Paging, Reading, etag, page_of
from services.offers.offers import queries as offers
from services.offers.params import Id, town_zone
from services.offers.sessions import queries
from services.offers.sessions.domain import day_begins, day_ends, read_cursor
from services.offers.sessions.models import OfferSession

router = APIRouter(prefix="/v1", tags=["sessions"])
Bounded = Annotated[date, Query(ge=date(1990, 1, 1), le=date(2100, 12, 31))]


class SessionView(Body):
    """A session (Termin)."""

    id: str
    offer_id: str
    series_id: str | None
    starts_at: datetime
    ends_at: datetime
    status: SessionStatus
    venue: Place | None = Field(description="Where, if not at the offer's own place.")
    places_max: int | None
    reason: str | None = Field(description="Why it was moved or cancelled.")
    version: int
    changed_at: datetime


def view(row: OfferSession) -> SessionView:
    """The session as the API shows it."""
    plain = row.model_dump(exclude={"told", "over", "status", "venue"})
    return SessionView(status=SessionStatus(row.status), venue=row.place, **plain)


@router.get("/offers/{offer_id}/sessions")
def list_sessions(
    offer_id: Id,
    session: Reading,
    caller: Anyone,
    paging: Paging,
    request: Request,
    since: Annotated[
        Bounded | None, Query(alias="from", description="First day, in the town's time.")
    ] = None,
    until: Annotated[Bounded | None, Query(alias="to", description="Last day, in the town's time.")] = None,
) -> Items[SessionView]:
    """An offer's sessions, soonest first, cancelled ones too."""
    offers.one(session, caller, offer_id)
    zone = town_zone(request)
    found = queries.page(
        session,
        offer_id,
        paging.limit,
        read_cursor(paging.after),
        day_begins(since, zone) if since else None,
        day_ends(until, zone) if until else None,
    )
    rows, following = page_of(found, paging.limit, "cursor")
    return Items(items=[view(row) for row in rows], next=following)


@router.get(
    "/sessions/{session_id}", response_model=SessionView, responses={304: {"description": "Unchanged"}}
)
def get_session(
    session_id: Id, session: Reading, caller: Anyone, request: Request, response: Response
) -> SessionView | Response:
    """One session."""
    row = queries.one(session, caller, session_id)
    headers = etag(row.version)
    if request.headers.get("If-None-Match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return view(row)
