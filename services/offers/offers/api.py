"""HTTP edge of offers."""

from collections.abc import Iterable
from datetime import date, datetime
from itertools import chain
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field

from libs.contracts.card import Name, Paragraphs
from libs.contracts.event import UUID7
from libs.contracts.offers import CheckedAs
from libs.httpkit.auth import Anyone, require
from libs.httpkit.idempotency import Idempotency
from libs.httpkit.pagination import Items, Paging, page_of
from libs.httpkit.params import Id, today
from libs.httpkit.preconditions import IfMatch, etag
from libs.httpkit.transactions import Reading, Transaction
from libs.servicekit.errors import Forbidden
from libs.servicekit.principal import Principal
from libs.servicekit.values import Body, CleanStr
from libs.town.accessibility import check_place
from libs.town.calendar import read
from services.offers import notices
from services.offers.boards import queries as boards
from services.offers.notices import Notice
from services.offers.offers import commands, queries
from services.offers.offers.domain import Flag, OfferContent, OfferStatus
from services.offers.offers.models import Offer

router = APIRouter(prefix="/v1/offers", tags=["offers"])
Writer = Annotated[Principal, require("editor", "provider")]
Editor = Annotated[Principal, require("editor")]


class NewOffer(Body):
    """An offer to be: where it belongs, and what is said of it. An editor may publish it with the same request."""

    board: Name
    provider_id: Annotated[str, Field(pattern=UUID7)] | None = None
    publish: bool = False
    content: OfferContent


class Withdrawal(Body):
    """Why an offer is taken back; public."""

    reason: Annotated[Paragraphs, Field(max_length=500)] | None = None


class OfferView(Body):
    """An offer (Angebot)."""

    id: str
    board: str
    provider_id: str | None
    status: OfferStatus
    version: int
    content: OfferContent
    flags: list[Flag] = []
    notices: list[Notice] = Field(default=[], description="What may be a slip, for those who can mend it.")
    created_at: datetime
    changed_at: datetime
    published_at: datetime | None
    checked_on: date | None
    checked_as: CheckedAs | None
    overdue: bool


def view(offer: Offer, *, mends: bool, told: Iterable[Notice] = ()) -> OfferView:
    """The offer as the API shows it; its flags and notices are for those who can mend them."""
    plain = offer.model_dump(
        include={"id", "board", "provider_id", "version", "created_at", "changed_at", "published_at"}
    )
    return OfferView(
        status=OfferStatus(offer.status),
        content=offer.said,
        flags=offer.flagged if mends else [],
        notices=list(told) if mends else [],
        checked_on=offer.checked_on,
        checked_as=CheckedAs(offer.checked_as) if offer.checked_as else None,
        overdue=offer.overdue,
        **plain,
    )


def _mends(caller: Principal | None, offer: Offer) -> bool:
    return caller is not None and (caller.is_any("editor") or offer.provider_id in caller.providers)


def _told(session: Reading, offer: Offer, request: Request) -> list[Notice]:
    """What may be a slip in what is said of an offer."""
    city, said = request.app.state.kit.settings.city, offer.said
    fields = boards.declaration(session, offer.board).by_name
    found = chain(notices.of_hours(fields, said.fields), notices.of_place(said.place, read(city).centre))
    return notices.worded(found, city)


@router.get("")
def list_offers(
    session: Reading,
    caller: Anyone,
    paging: Paging,
    board: Annotated[CleanStr | None, Query(max_length=40)] = None,
    provider_id: Annotated[CleanStr | None, Query(max_length=64)] = None,
    status: OfferStatus | None = None,
    flagged: bool = False,
) -> Items[OfferView]:
    """Published offers; editors see all, providers also their own. `flagged`: only what you should look at."""
    found = queries.page(
        session, caller, paging.limit, paging.after, board, provider_id, status, flagged=flagged
    )
    rows, following = page_of(found, paging.limit)
    return Items(items=[view(row, mends=_mends(caller, row)) for row in rows], next=following)


@router.post("", status_code=201, response_model=OfferView)
def create_offer(
    body: NewOffer, caller: Writer, session: Transaction, idempotency: Idempotency, request: Request
) -> Response:
    """Draft an offer; with `publish` it is public at once."""
    if body.publish and not caller.is_any("editor"):
        raise Forbidden("Publishing needs the role editor.", code="role-needed", roles="editor")
    check_place(body.content.place, request.app.state.kit.settings.town)
    offer = commands.draft(session, caller, body.board, body.provider_id, body.content)
    if body.publish:
        commands.make_public(session, offer, today(request))
    headers = {"Location": f"{router.prefix}/{offer.id}", **etag(offer.version)}
    return idempotency.answer(view(offer, mends=True, told=_told(session, offer, request)), 201, headers)


@router.get("/{offer_id}", response_model=OfferView, responses={304: {"description": "Unchanged"}})
def get_offer(
    offer_id: Id, session: Reading, caller: Anyone, request: Request, response: Response
) -> OfferView | Response:
    """One offer."""
    offer = queries.one(session, caller, offer_id)
    headers = etag(offer.version)
    if request.headers.get("If-None-Match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    mends = _mends(caller, offer)
    return view(offer, mends=mends, told=_told(session, offer, request) if mends else ())


@router.put("/{offer_id}")
def change_offer(
    offer_id: Id,
    body: OfferContent,
    caller: Writer,
    expected: IfMatch,
    session: Transaction,
    request: Request,
    response: Response,
) -> OfferView:
    """Replace what is said of an offer."""
    check_place(body.place, request.app.state.kit.settings.town)
    offer = commands.change(session, caller, offer_id, expected, body)
    return _answer(offer, response, _told(session, offer, request))


@router.post("/{offer_id}/submit")
def submit_offer(
    offer_id: Id, caller: Writer, expected: IfMatch, session: Transaction, response: Response
) -> OfferView:
    """Hand an offer to the editors."""
    return _answer(commands.submit(session, caller, offer_id, expected), response)


@router.post("/{offer_id}/publish")
def publish_offer(
    offer_id: Id,
    caller: Editor,
    expected: IfMatch,
    session: Transaction,
    request: Request,
    response: Response,
) -> OfferView:
    """Make an offer public."""
    offer = commands.publish(session, offer_id, expected, today(request))
    return _answer(offer, response, _told(session, offer, request))


@router.post("/{offer_id}/withdraw")
def withdraw_offer(
    offer_id: Id,
    caller: Writer,
    expected: IfMatch,
    session: Transaction,
    response: Response,
    body: Withdrawal | None = None,
) -> OfferView:
    """Take an offer back, with a reason if you like."""
    reason = body.reason if body else None
    return _answer(commands.withdraw(session, caller, offer_id, expected, reason), response)


def _answer(offer: Offer, response: Response, told: Iterable[Notice] = ()) -> OfferView:
    response.headers.update(etag(offer.version))
    return view(offer, mends=True, told=told)
