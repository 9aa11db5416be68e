"""HTTP edge of subscriptions: whoever holds a recipient's token says what it follows, and ends it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from libs.contracts.event import UUID7
from libs.httpkit import recipients as proofs
from libs.httpkit.idempotency import Idempotency
from libs.httpkit.links import LinkToken, Signing
from libs.httpkit.params import Id
from libs.httpkit.preconditions import IfMatch, etag
from libs.httpkit.rate_limit import rate_limited
from libs.httpkit.transactions import Reading, Transaction
from libs.servicekit.errors import NotFound, Unauthenticated
from services.notify.edge import GONE_PAGE, Token, page
from services.notify.subscriptions import commands, queries
from services.notify.subscriptions.commands import Wanted
from services.notify.subscriptions.filters import checked
from services.notify.subscriptions.matching import matching_of
from services.notify.subscriptions.models import Follower
from services.notify.subscriptions.views import NewSubscription, SubscriptionSettings, SubscriptionView

router = APIRouter(prefix="/v1/subscriptions", tags=["subscriptions"])
pages = APIRouter(prefix="/pages", tags=["pages"], default_response_class=HTMLResponse)
OfRecipient = Annotated[str, Query(pattern=UUID7, description="Whose subscriptions.")]


@router.post("", status_code=201, response_model=SubscriptionView, dependencies=[rate_limited("120/hour")])
def create_subscription(
    body: NewSubscription,
    session: Transaction,
    idempotency: Idempotency,
    request: Request,
    token: LinkToken = None,
) -> Response:
    """Follow what a search would find, or one thing; facts from now on are told."""
    settings = request.app.state.kit.settings
    proofs.check_own(settings, body.recipient_id, token)
    row = commands.follow(session, matching_of(settings.city), body.recipient_id, _wanted(body))
    return idempotency.answer(
        SubscriptionView.of(row), 201, {"Location": f"/v1/subscriptions/{row.id}", **etag(1)}
    )


@router.get("")
def list_subscriptions(
    recipient_id: OfRecipient, session: Reading, request: Request, token: LinkToken = None
) -> list[SubscriptionView]:
    """What a recipient follows, oldest first."""
    proofs.check_own(request.app.state.kit.settings, recipient_id, token)
    return [SubscriptionView.of(row) for row in queries.of_recipient(session, recipient_id)]


@router.get("/{subscription_id}")
def show_subscription(
    subscription_id: Id, session: Reading, request: Request, response: Response, token: LinkToken = None
) -> SubscriptionView:
    """One subscription."""
    row = _own(request, session, subscription_id, token)
    response.headers.update(etag(row.version))
    return SubscriptionView.of(row)


@router.put("/{subscription_id}", dependencies=[rate_limited()])
def change_subscription(
    subscription_id: Id,
    body: SubscriptionSettings,
    expected: IfMatch,
    session: Transaction,
    request: Request,
    response: Response,
    token: LinkToken = None,
) -> SubscriptionView:
    """Follow something else, or at another pace."""
    _own(request, session, subscription_id, token)
    matching = matching_of(request.app.state.kit.settings.city)
    row = commands.change(session, matching, subscription_id, expected, _wanted(body))
    response.headers.update(etag(row.version))
    return SubscriptionView.of(row)


@router.delete("/{subscription_id}", status_code=204, dependencies=[rate_limited()])
def stop_subscription(
    subscription_id: Id, session: Transaction, request: Request, token: LinkToken = None
) -> None:
    """End a subscription; nothing of it is sent any more."""
    _own(request, session, subscription_id, token)
    commands.stop(session, subscription_id)


@pages.get("/stop", response_model=None)
def ask_to_stop(token: Token, request: Request) -> HTMLResponse:
    """Ask whether the subscription is to end."""
    return page(request, "stop")


@pages.post("/stop", response_model=None, responses=GONE_PAGE, dependencies=[rate_limited()])
def stop_by_link(token: Token, session: Transaction, links: Signing, request: Request) -> HTMLResponse:
    """End the subscription, by the button or by a mail program's own (RFC 8058); again is harmless."""
    try:
        commands.stop_by_link(session, links.read("stop", token))
    except (NotFound, Unauthenticated):
        return page(request, "stop", "gone", status=404)
    return page(request, "stop", "stop_done")


def _own(request: Request, session: Any, subscription_id: str, token: str | None) -> Follower:
    """A subscription of whoever holds the token; to everybody else it is not there."""
    holder = proofs.holder(request.app.state.kit.settings, token)
    row = queries.one(session, subscription_id)
    if row.recipient_id != holder:
        raise NotFound("subscription")
    return row


def _wanted(body: SubscriptionSettings) -> Wanted:
    changes = [str(each) for each in dict.fromkeys(body.changes)]
    return Wanted(checked(body.filter), changes, body.cadence, body.name)
