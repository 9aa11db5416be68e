"""HTTP edge of bookings. Requesters come without an account: a recipient id of notify's, and the signed link that the
answer and every message give them, sent as `Link-Token`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from libs.contracts.card import Name
from libs.contracts.event import THING_ID, UUID7
from libs.httpkit.auth import Anyone, require
from libs.httpkit.idempotency import Idempotency
from libs.httpkit.pagination import Items, Paging, page_of
from libs.httpkit.params import Id
from libs.httpkit.preconditions import IfMatch, etag
from libs.httpkit.rate_limit import rate_limited
from libs.httpkit.recipients import Proven
from libs.httpkit.transactions import Reading, Transaction
from libs.servicekit.errors import NotFound
from libs.servicekit.principal import Principal
from libs.servicekit.values import Body, CleanStr
from services.offers.bookings import commands, following, queries, views
from services.offers.bookings.access import Parties
from services.offers.bookings.domain import BookingStatus, ProviderReason, Terms, Wish
from services.offers.bookings.messages import Desk, desk_of
from services.offers.bookings.models import Booking
from services.offers.bookings.steps import Full
from services.offers.bookings.views import Booked, BookingInFull, BookingView, Export, TermsView
from services.offers.offers import queries as offers
from services.offers.offers.models import Offer

router = APIRouter(prefix="/v1", tags=["bookings"])
Writer = Annotated[Principal, require("editor", "provider")]


class NewBooking(Wish):
    """A request. `recipient_id` is what notify gave out for an address; nothing else says who asks."""

    offer_id: Annotated[str, Field(pattern=UUID7)]
    recipient_id: Annotated[str, Field(pattern=THING_ID)]
    waiting_list: bool = False


class BookingRefusal(Body):
    """Why a request is declined."""

    reason: ProviderReason = "other"


def _desk(request: Request) -> Desk:
    return desk_of(request.app.state.kit.settings)


Answering = Annotated[Desk, Depends(_desk)]


@dataclass(frozen=True)
class Turn:
    """It is somebody's turn with a booking: of whoever calls, who has seen this version of it."""

    booking_id: Id
    session: Transaction
    party: Parties
    desk: Answering
    expected: IfMatch
    response: Response

    def take(self, command: Callable[..., Booking], *said: Any) -> BookingInFull:
        """Do it, and answer with the booking as it is then."""
        booking = command(self.session, self.desk, self.party, self.booking_id, self.expected, *said)
        return _shown(self.session, booking, self.response)


OneTurn = Annotated[Turn, Depends()]


def _shown(session: Reading, booking: Booking, response: Response) -> BookingInFull:
    response.headers.update(etag(booking.version))
    return views.in_full(session, booking)


@router.get("/offers/{offer_id}/booking")
def get_terms(offer_id: Id, session: Reading, caller: Anyone, response: Response) -> TermsView:
    """How the offer is booked, with the form to fill in."""
    return _terms(session, offers.one(session, caller, offer_id), response)


@router.put("/offers/{offer_id}/booking", dependencies=[require("editor", "provider")])
def set_terms(
    offer_id: Id, body: Terms, party: Parties, expected: IfMatch, session: Transaction, response: Response
) -> TermsView:
    """Say what the offer has otherwise than its board; the ETag is `"0"` while nobody has."""
    commands.set_terms(session, party, offer_id, expected, body)
    return _terms(session, offers.any_one(session, offer_id), response)


def _terms(session: Reading, offer: Offer, response: Response) -> TermsView:
    row, rules = queries.terms(session, offer.id), queries.rules_or_none(session, offer)
    response.headers.update(etag(row.version))
    return TermsView(
        bookable=rules is not None,
        bookable_until=queries.last_call_of(session, offer),
        rules=rules,
        own=row.said,
        version=row.version,
    )


@router.post("/bookings", status_code=201, response_model=Booked, dependencies=[rate_limited()])
def request_booking(
    body: NewBooking,
    proof: Proven,
    session: Transaction,
    desk: Answering,
    idempotency: Idempotency,
    request: Request,
) -> Response:
    """Ask for dates, an interval or the whole of an offer; with `waiting_list` also for a place in the line."""
    person = proof.check(body.recipient_id)
    wish = Wish.model_validate(body.model_dump(exclude={"offer_id", "recipient_id", "waiting_list"}))
    try:
        booking = commands.request(
            session, desk, body.offer_id, body.recipient_id, wish, may_wait=body.waiting_list, person=person
        )
    except Full as full:
        session.rollback()
        with request.app.state.kit.database.transaction() as noting:
            commands.note_refusal(noting, desk, full.board, body.offer_id, person)
        raise
    booked = Booked(booking=views.asked(session, booking), token=desk.token(booking))
    headers = {"Location": f"/v1/bookings/{booking.id}", **etag(booking.version)}
    return idempotency.answer(booked, 201, headers)


@router.get("/bookings")
def list_bookings(
    session: Reading,
    caller: Writer,
    paging: Paging,
    board: Annotated[Name | None, Query()] = None,
    offer_id: Annotated[CleanStr | None, Query(max_length=36)] = None,
    status: BookingStatus | None = None,
) -> Items[BookingView]:
    """Bookings of the caller's offers; editors see all."""
    found = queries.page(session, caller, paging.limit, paging.after, board, offer_id, status)
    rows, following_ = page_of(found, paging.limit)
    return Items(items=[views.view(session, row) for row in rows], next=following_)


def _readable(session: Reading, party: Parties, booking_id: str) -> Booking:
    booking = queries.one(session, booking_id)
    party.must_either(booking, offers.any_one(session, booking.offer_id))
    if party.holds(booking) and booking.recipient_id is None:
        raise NotFound("booking")
    return booking


@router.get("/bookings/{booking_id}")
def get_booking(booking_id: Id, session: Reading, party: Parties, response: Response) -> BookingInFull:
    """A booking in full: for the holder of its link, the offer's provider, an editor."""
    return _shown(session, _readable(session, party, booking_id), response)


@router.get("/bookings/{booking_id}/export")
def export_booking(booking_id: Id, session: Reading, party: Parties, response: Response) -> Export:
    """Everything that is kept of the requester here, as a file."""
    booking = _readable(session, party, booking_id)
    party.must_hold(booking)
    response.headers["Content-Disposition"] = f'attachment; filename="booking-{booking.id}.json"'
    return Export(recipient_id=booking.recipient_id, booking=views.in_full(session, booking))


@router.put("/bookings/{booking_id}", dependencies=[rate_limited()])
def change_booking(turn: OneTurn, body: Wish) -> BookingInFull:
    """The requester wishes otherwise."""
    return turn.take(commands.change, body)


@router.post("/bookings/{booking_id}/accept", dependencies=[rate_limited()])
def accept_place(turn: OneTurn) -> BookingInFull:
    """The requester takes the place that is held for him."""
    return turn.take(commands.accept)


@router.post("/bookings/{booking_id}/cancel", dependencies=[rate_limited()])
def cancel_booking(turn: OneTurn, body: BookingRefusal | None = None) -> BookingInFull:
    """Either side takes the booking back, also out of the line."""
    return turn.take(commands.cancel, body.reason if body else None)


@router.post("/bookings/{booking_id}/approve", dependencies=[require("editor", "provider")])
def approve_booking(turn: OneTurn) -> BookingInFull:
    """The provider says yes."""
    return turn.take(commands.approve)


@router.post("/bookings/{booking_id}/decline", dependencies=[require("editor", "provider")])
def decline_booking(turn: OneTurn, body: BookingRefusal) -> BookingInFull:
    """The provider says no."""
    return turn.take(commands.decline, body.reason)


@router.delete("/bookings/{booking_id}", status_code=204, dependencies=[rate_limited()])
def erase_booking(
    booking_id: Id, session: Transaction, party: Parties, desk: Answering, expected: IfMatch
) -> None:
    """The requester's data are erased at once; what he still held is cancelled."""
    following.erase(session, desk, party, booking_id, expected)
