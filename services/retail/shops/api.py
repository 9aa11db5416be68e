"""HTTP edge of shops."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field

from libs.contracts.card import Text
from libs.contracts.event import THING_ID
from libs.contracts.retail import Notice
from libs.httpkit.auth import Anyone, require
from libs.httpkit.idempotency import Idempotency
from libs.httpkit.pagination import Items, Paging, page_of
from libs.httpkit.params import Id, today
from libs.httpkit.preconditions import IfMatch, etag
from libs.httpkit.recipients import Proven
from libs.httpkit.transactions import Reading, Transaction
from libs.selfservice.proposals.api import ProposalView, made
from libs.servicekit.principal import Principal
from libs.servicekit.values import Body
from libs.town import calendar
from libs.town.accessibility import check_place
from services.retail.shops import commands, queries
from services.retail.shops.domain import OpeningTimes, ShopContent, ShopStatus, coming_days
from services.retail.shops.models import Shop
from services.retail.shops.vocabulary import read

router = APIRouter(prefix="/v1/shops", tags=["shops"])
Writer = Annotated[Principal, require("editor", "provider")]
Asker = Annotated[Principal, require("editor", "provider", "merchant")]
Editor = Annotated[Principal, require("editor")]
PREVIEW_DAYS = 7


class ShopView(Body):
    """A shop (Geschäft)."""

    id: str
    status: ShopStatus
    version: int
    content: ShopContent
    hours_confirmed_on: date | None
    notices: list[Notice] = Field(
        description="What other projects do near it, each with the fact that says so."
    )
    created_at: datetime
    changed_at: datetime
    published_at: datetime | None


class OpenSpan(Body):
    """From when to when, local time as `HH:MM`; `24:00` and later run into the next day. `sure` is false where hours depend."""

    start: str
    end: str
    sure: bool


class DayView(Body):
    """When a shop is open on a day; `differs` says that this day is not as usual."""

    day: date
    open: list[OpenSpan]
    differs: bool


class WeekView(Body):
    """The days to come; `readable` is false where hours are a text that nobody can evaluate, and there are no days."""

    readable: bool
    days: list[DayView]


class VocabularyView(Body):
    """The town's words for shops, each with its labels by language."""

    assortment: dict[str, Text]
    services: dict[str, Text]
    payment: dict[str, Text]


class ShopProposal(Body):
    """What is to be said of a shop, all of it; `recipient_id` is told of the decision."""

    content: ShopContent
    recipient_id: Annotated[str, Field(pattern=THING_ID)] | None = None


def view(shop: Shop) -> ShopView:
    """The shop as the API shows it."""
    plain = shop.model_dump(include=set(ShopView.model_fields) - {"content", "status", "notices"})
    notices = list(shop.standing.notices)
    return ShopView(status=ShopStatus(shop.status), content=shop.said, notices=notices, **plain)


@router.get("")
def list_shops(
    session: Reading, caller: Anyone, paging: Paging, status: ShopStatus | None = None
) -> Items[ShopView]:
    """Shops in the shop window; editors see all, a shop's people also their own."""
    found = queries.page(session, caller, paging.limit, paging.after, status)
    rows, following = page_of(found, paging.limit)
    return Items(items=[view(row) for row in rows], next=following)


@router.post("", status_code=201, response_model=ShopView)
def create_shop(
    body: ShopContent, caller: Asker, session: Transaction, idempotency: Idempotency, request: Request
) -> Response:
    """Enter a shop. A merchant's waits until the caretaker releases it, and the merchant manages it from now on."""
    check_place(body.place, request.app.state.kit.settings.town)
    shop = commands.enrol(session, caller, body)
    headers = {"Location": f"{router.prefix}/{shop.id}", **etag(shop.version)}
    return idempotency.answer(view(shop), 201, headers)


@router.get("/vocabulary")
def get_vocabulary(request: Request) -> VocabularyView:
    """The words that a shop can say of itself."""
    return VocabularyView(**read(request.app.state.kit.settings.city).words)


@router.get("/{shop_id}", response_model=ShopView, responses={304: {"description": "Unchanged"}})
def get_shop(
    shop_id: Id, session: Reading, caller: Anyone, request: Request, response: Response
) -> ShopView | Response:
    """One shop."""
    shop = queries.one(session, caller, shop_id)
    headers = etag(shop.version)
    if request.headers.get("If-None-Match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return view(shop)


@router.put("/{shop_id}")
def change_shop(
    shop_id: Id,
    body: ShopContent,
    caller: Writer,
    expected: IfMatch,
    session: Transaction,
    request: Request,
    response: Response,
) -> ShopView:
    """Replace what is said of a shop; its own people propose it once the shop is in the shop window."""
    check_place(body.place, request.app.state.kit.settings.town)
    return _answer(commands.change(session, caller, shop_id, expected, body), response)


@router.post("/{shop_id}/release")
def release_shop(
    shop_id: Id, _caller: Editor, expected: IfMatch, session: Transaction, response: Response
) -> ShopView:
    """Show a shop in the shop window."""
    return _answer(commands.release(session, shop_id, expected), response)


@router.post("/{shop_id}/withdraw")
def withdraw_shop(
    shop_id: Id, caller: Writer, expected: IfMatch, session: Transaction, response: Response
) -> ShopView:
    """Take a shop out of the shop window."""
    return _answer(commands.withdraw(session, caller, shop_id, expected), response)


@router.get("/{shop_id}/hours")
def get_hours(
    shop_id: Id,
    session: Reading,
    caller: Anyone,
    request: Request,
    since: Annotated[date | None, Query(alias="from")] = None,
    days: Annotated[int, Query(ge=1, le=31)] = PREVIEW_DAYS,
) -> WeekView:
    """When a shop is open on the days to come, holidays and exceptions in it; from today unless another day is named."""
    return _week(queries.one(session, caller, shop_id).said, since or today(request), days, request)


@router.post("/{shop_id}/hours/preview")
def preview_hours(
    shop_id: Id, body: OpeningTimes, caller: Writer, session: Reading, request: Request
) -> WeekView:
    """What opening hours would mean for the next seven days, before they are said."""
    queries.own(session, caller, shop_id)
    return _week(body, today(request), PREVIEW_DAYS, request)


@router.put("/{shop_id}/hours")
def change_hours(
    shop_id: Id,
    body: OpeningTimes,
    caller: Writer,
    expected: IfMatch,
    session: Transaction,
    request: Request,
    response: Response,
) -> ShopView:
    """Say when a shop is open. Nobody has to release that; it counts as confirmed today."""
    shop = commands.open_at(session, caller, shop_id, expected, body, today(request))
    return _answer(shop, response)


@router.post("/{shop_id}/hours/confirm")
def confirm_hours(
    shop_id: Id, caller: Writer, session: Transaction, request: Request, response: Response
) -> ShopView:
    """Say that the opening hours are right as they stand."""
    return _answer(commands.confirm_hours(session, caller, shop_id, today(request)), response)


@router.post("/{shop_id}/proposals", status_code=201, response_model=ProposalView)
def propose_shop(
    shop_id: Id,
    body: ShopProposal,
    caller: Writer,
    expected: IfMatch,
    session: Transaction,
    idempotency: Idempotency,
    proof: Proven,
    request: Request,
) -> Response:
    """Propose what is to be said of a shop; If-Match is the version of the shop it is made on."""
    check_place(body.content.place, request.app.state.kit.settings.town)
    if body.recipient_id:
        proof.check(body.recipient_id)
    proposal = commands.propose(session, caller, shop_id, expected, body.content, body.recipient_id)
    return made(idempotency, proposal)


def _week(times: OpeningTimes, since: date, days: int, request: Request) -> WeekView:
    found = coming_days(times, since, days, calendar.read(request.app.state.kit.settings.city))
    shown = [
        DayView(
            day=each.day,
            open=[OpenSpan(start=_clock(low), end=_clock(high), sure=sure) for low, high, sure in each.spans],
            differs=each.differs,
        )
        for each in found
    ]
    return WeekView(readable=bool(shown), days=shown)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _answer(shop: Shop, response: Response) -> ShopView:
    response.headers.update(etag(shop.version))
    return view(shop)
