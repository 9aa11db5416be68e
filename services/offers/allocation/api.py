"""HTTP edge of allocation: periods, wish lists without an account, giving out the places."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field

from libs.httpkit.auth import require
from libs.httpkit.idempotency import Idempotency
from libs.httpkit.links import LinkToken, Signing
from libs.httpkit.pagination import Items, Paging, page_of
from libs.httpkit.params import Id, Slug, town_zone
from libs.httpkit.preconditions import IfMatch, etag
from libs.httpkit.rate_limit import rate_limited
from libs.httpkit.recipients import Proven
from libs.httpkit.transactions import Reading, Transaction
from libs.servicekit.errors import NotFound
from libs.servicekit.links import Links
from libs.servicekit.principal import Principal
from libs.servicekit.values import Body
from services.offers.allocation import commands, drawing, queries, wishlists
from services.offers.allocation.domain import Claim, NewPeriod, NewWishlist, PeriodStatus
from services.offers.allocation.models import Activity, Period
from services.offers.allocation.runner import USE, signer
from services.offers.allocation.views import (
    ChildView,
    CountedView,
    Figures,
    LinkedWishlistView,
    PeriodView,
    ResultView,
    WholePeriodView,
    WishlistView,
)

router = APIRouter(tags=["allocation"])
Reader = Annotated[Principal, require("editor", "provider")]


class Confirmation(Body):
    """Which of a child's claims were shown to be true; all others do not count."""

    claims: list[Claim] = Field(max_length=50)


@router.get("/v1/boards/{slug}/periods")
def list_periods(slug: Slug, session: Reading, paging: Paging) -> Items[PeriodView]:
    """A board's periods, oldest first."""
    rows, following = page_of(queries.periods(session, slug, paging.limit, paging.after), paging.limit)
    return Items(items=[PeriodView.of(row) for row in rows], next=following)


@router.post(
    "/v1/boards/{slug}/periods",
    status_code=201,
    response_model=WholePeriodView,
    dependencies=[require("editor")],
)
def announce_period(
    slug: Slug, body: NewPeriod, session: Transaction, idempotency: Idempotency, request: Request
) -> Response:
    """Announce a period; its rules are the board's of today, its lots are fixed from now on and told at the end."""
    period = commands.announce(session, slug, body, _now(), town_zone(request))
    headers = {"Location": f"/v1/periods/{period.id}", **etag(period.version)}
    return idempotency.answer(_whole(session, period), 201, headers)


@router.get("/v1/periods/{period_id}")
def get_period(period_id: Id, session: Reading, response: Response) -> WholePeriodView:
    """A period and all there is to wish for."""
    period = queries.period(session, period_id)
    response.headers.update(etag(period.version))
    return _whole(session, period)


@router.post(
    "/v1/periods/{period_id}/wishlists",
    status_code=201,
    response_model=LinkedWishlistView,
    dependencies=[rate_limited()],
)
def hand_in_wishes(
    period_id: Id,
    body: NewWishlist,
    proof: Proven,
    session: Transaction,
    idempotency: Idempotency,
    links: Signing,
) -> Response:
    """Hand in a family's wishes. Nobody needs an account: the answer's `token`, also sent to the recipient, opens them."""
    proof.check(body.recipient_id)
    sign = signer(links)
    wishlist = wishlists.wish(session, period_id, body, _now(), sign)
    token = sign(queries.period(session, period_id), wishlist.id)
    headers = {"Location": f"/v1/wishlists/{wishlist.id}", **etag(wishlist.version)}
    seen = _seen(session, wishlist.id)
    return idempotency.answer(LinkedWishlistView(**dict(seen), token=token), 201, headers)


@router.get("/v1/wishlists/{wishlist_id}")
def get_wishes(
    wishlist_id: Id, session: Reading, links: Signing, response: Response, token: LinkToken = None
) -> WishlistView:
    """A family's wishes and, once places are given out, what came of each and why. Opened by its link."""
    _opened(links, token, wishlist_id)
    seen = _seen(session, wishlist_id)
    response.headers.update(etag(seen.version))
    return seen


@router.put("/v1/wishlists/{wishlist_id}", dependencies=[rate_limited()])
def change_wishes(
    wishlist_id: Id,
    body: NewWishlist,
    proof: Proven,
    expected: IfMatch,
    session: Transaction,
    links: Signing,
    response: Response,
    token: LinkToken = None,
) -> WishlistView:
    """Replace a family's wishes until the period is closed. Opened by its link."""
    _opened(links, token, wishlist_id)
    if body.recipient_id != queries.wishlist(session, wishlist_id).recipient_id:
        proof.check(body.recipient_id)
    wishlist = wishlists.change_wishes(session, wishlist_id, expected, body, _now())
    response.headers.update(etag(wishlist.version))
    return _seen(session, wishlist_id)


@router.delete("/v1/wishlists/{wishlist_id}", status_code=204, dependencies=[rate_limited()])
def withdraw_wishes(
    wishlist_id: Id, expected: IfMatch, session: Transaction, links: Signing, token: LinkToken = None
) -> None:
    """Take a family's wishes back and erase all that is known of its children. Opened by its link."""
    _opened(links, token, wishlist_id)
    wishlists.withdraw_wishes(session, wishlist_id, expected)


@router.get("/v1/periods/{period_id}/children", dependencies=[require("editor")])
def list_children(
    period_id: Id, session: Reading, paging: Paging, outcome: queries.Outcome | None = None
) -> Items[ChildView]:
    """The children of a period; `left-out` are those without a place in a slot they wished for."""
    queries.period(session, period_id)
    activities = {each.id: each for each in queries.activities(session, period_id)}
    found = queries.page_of_children(session, period_id, paging.limit, paging.after, outcome)
    rows, following = page_of(found, paging.limit)
    return Items(items=[ChildView.of(row, activities) for row in rows], next=following)


@router.put("/v1/periods/{period_id}/children/{child_id}/confirmed", dependencies=[require("editor")])
def confirm_claims(
    period_id: Id,
    child_id: Id,
    body: Confirmation,
    expected: IfMatch,
    session: Transaction,
    response: Response,
) -> ChildView:
    """Say which of a child's claims were shown to be true."""
    child = commands.confirm(session, period_id, child_id, expected, body.claims)
    response.headers.update(etag(child.version))
    return ChildView.of(child, {each.id: each for each in queries.activities(session, period_id)})


@router.post(
    "/v1/periods/{period_id}/allocate",
    status_code=202,
    responses={200: {"model": ResultView, "description": "A dry run"}},
    dependencies=[require("editor")],
)
def give_out_places(
    period_id: Id, session: Transaction, response: Response, dry_run: Annotated[bool, Query()] = False
) -> ResultView:
    """Have the places given out, or see what that would come to. The result is to be had a moment later under `Location`."""
    if not dry_run:
        period = commands.order(session, period_id, _now())
        response.headers["Location"] = f"/v1/periods/{period_id}/result"
        return _result(period, queries.activities(session, period_id), None)
    period = queries.period(session, period_id)
    commands.check_closed(period, _now())
    drawn, response.status_code = drawing.draw_up(session, period), 200
    counted = {activity.id: counts for activity, counts in drawn.counted()}
    result = _result(period, drawn.activities, None)
    shown = [each.model_copy(update=counted[each.id]) for each in result.activities]
    return result.model_copy(
        update={"dry_run": True, "figures": Figures(**drawn.figures), "activities": shown}
    )


@router.get("/v1/periods/{period_id}/result")
def get_result(period_id: Id, session: Reading, caller: Reader) -> ResultView:
    """What giving out the places came to, in figures; providers see those of their own activities."""
    period = queries.period(session, period_id)
    return _result(period, queries.activities(session, period_id), caller)


def _now() -> datetime:
    return datetime.now(UTC)


def _opened(links: Links, token: str | None, wishlist_id: str) -> None:
    """Raise Unauthenticated for what is no link, 404 for the link of another wish list."""
    if links.read(USE, token) != wishlist_id:
        raise NotFound("wish list")


def _whole(session: Reading, period: Period) -> WholePeriodView:
    return WholePeriodView.with_all(period, queries.activities(session, period.id))


def _seen(session: Reading, wishlist_id: str) -> WishlistView:
    wishlist = queries.wishlist(session, wishlist_id)
    activities = queries.activities(session, wishlist.period_id)
    return WishlistView.of(wishlist, queries.children_of(session, wishlist_id), activities)


def _result(period: Period, activities: list[Activity], caller: Principal | None) -> ResultView:
    everything = caller is None or caller.is_any("editor")
    shown = [each for each in activities if everything or (caller and each.provider_id in caller.providers)]
    return ResultView(
        period_id=period.id,
        status=PeriodStatus(period.status),
        error=period.error if everything else None,
        figures=Figures(**period.figures),
        activities=[CountedView(**each.model_dump(include=set(CountedView.model_fields))) for each in shown],
    )
