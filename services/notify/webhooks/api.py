"""HTTP edge of webhooks: partners set up their endpoints, look at what they got, and have it sent again."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from nats.errors import Error as NatsError
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints, model_validator

from libs.cardquery.params import query
from libs.contracts.card import PRINTABLE
from libs.httpkit.auth import require
from libs.httpkit.idempotency import Idempotency
from libs.httpkit.pagination import Items, Paging, page_of
from libs.httpkit.params import Id
from libs.httpkit.preconditions import IfMatch, etag
from libs.httpkit.transactions import Reading, Transaction
from libs.servicekit.errors import FieldError, Invalid, Unavailable
from libs.servicekit.principal import Principal
from libs.servicekit.values import Body, CleanStr
from services.notify.edge import Sealing
from services.notify.targets import MAX_URL, Refused, checked
from services.notify.webhooks import commands, queries
from services.notify.webhooks.choosing import parameters
from services.notify.webhooks.commands import Wanted
from services.notify.webhooks.domain import PATTERN
from services.notify.webhooks.models import HookDelivery, Webhook
from services.notify.webhooks.replaying import sequence_at
from services.notify.webhooks.trial import trial

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])
Partner = Annotated[Principal, require("partner", "operator")]
TypePattern = Annotated[str, StringConstraints(pattern=PATTERN)]


class NewWebhook(Body):
    """An endpoint. `types` are patterns such as `offers.*` or one type; `filter` asks cards as `/v1/search` does."""

    url: Annotated[CleanStr, Field(min_length=8, max_length=MAX_URL)]
    types: Annotated[list[TypePattern], Field(min_length=1, max_length=50)] = ["*"]
    filter: Annotated[dict[str, str | list[str]], Field(max_length=30)] = {}
    description: Annotated[CleanStr, Field(max_length=500, pattern=PRINTABLE)] = ""


class WebhookView(BaseModel):
    """An endpoint as its owner sees it. `open_until`: it failed too often and is left alone until then."""

    id: str
    url: str
    types: list[str]
    filter: dict[str, Any]
    description: str
    status: str
    reason: str | None
    failures: int
    open_until: datetime | None
    replay_at: int | None
    version: int
    created_at: datetime


class WithSecret(WebhookView):
    """The same, with the secret that signs; it is shown this once. Null when the request is repeated with its
    Idempotency-Key: whoever lost the first answer has the secret changed."""

    secret: str | None


class DeliveryLogItem(BaseModel):
    """One event for one endpoint, and what came of it."""

    id: str
    event_id: str
    type: str
    thing: str
    status: str
    attempts: int
    answer: int | None
    detail: str | None
    created_at: datetime
    next_at: datetime
    ended_at: datetime | None


class Replay(Body):
    """From when on, or from which place in the stream on, everything is sent again."""

    since: AwareDatetime | None = Field(default=None, strict=False)
    sequence: Annotated[int, Field(ge=1, le=2**62)] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "Replay":
        if (self.since is None) == (self.sequence is None):
            raise ValueError("needs either since or sequence")
        return self


def _wanted(body: NewWebhook, request: Request) -> Wanted:
    try:
        checked(body.url, anywhere=request.app.state.notify.hooks_anywhere)
    except Refused as refused:
        raise Invalid(FieldError(field="url", reason=str(refused), code="url-refused")) from None
    if "open_now" in body.filter:
        raise Invalid(
            FieldError(field="filter.open_now", reason="has no meaning for facts", code="no-meaning")
        )
    query(parameters(dict(body.filter)))
    return Wanted(body.url, list(body.types), dict(body.filter), body.description)


def _shown(hook: Webhook) -> WebhookView:
    return WebhookView.model_validate(hook, from_attributes=True)


def _with_secret(hook: Webhook, secret: str | None) -> WithSecret:
    return WithSecret(**_shown(hook).model_dump(), secret=secret)


@router.post("", status_code=201, response_model=WithSecret)
def create_webhook(
    body: NewWebhook,
    session: Transaction,
    idempotency: Idempotency,
    caller: Partner,
    vault: Sealing,
    request: Request,
) -> Response:
    """Set up an endpoint; the answer holds the secret with which what it gets is signed."""
    hook, secret = commands.create(session, vault, caller, _wanted(body, request))
    headers = {"Location": f"/v1/webhooks/{hook.id}", "Cache-Control": "no-store", **etag(hook.version)}
    return idempotency.answer(_with_secret(hook, secret), 201, headers, stored=_with_secret(hook, None))


@router.get("")
def list_webhooks(session: Reading, caller: Partner) -> list[WebhookView]:
    """The caller's endpoints; all of them for an operator."""
    return [_shown(hook) for hook in queries.of_owner(session, caller)]


@router.get("/{webhook_id}")
def show_webhook(webhook_id: Id, session: Reading, caller: Partner, response: Response) -> WebhookView:
    """One endpoint."""
    hook = queries.one(session, caller, webhook_id)
    response.headers.update(etag(hook.version))
    return _shown(hook)


@router.put("/{webhook_id}")
def change_webhook(
    webhook_id: Id,
    body: NewWebhook,
    expected: IfMatch,
    session: Transaction,
    caller: Partner,
    request: Request,
    response: Response,
) -> WebhookView:
    """Change an endpoint; one that was disabled is told again from now on."""
    hook = commands.change(session, caller, webhook_id, expected, _wanted(body, request))
    response.headers.update(etag(hook.version))
    return _shown(hook)


@router.delete("/{webhook_id}", status_code=204)
def remove_webhook(webhook_id: Id, session: Transaction, caller: Partner) -> None:
    """Remove an endpoint and its log."""
    commands.remove(session, caller, webhook_id)


@router.post("/{webhook_id}/secret")
def rotate_secret(webhook_id: Id, session: Transaction, caller: Partner, vault: Sealing) -> WithSecret:
    """Change the secret; for a day both sign."""
    return _with_secret(*commands.rotate(session, vault, caller, webhook_id))


@router.post("/{webhook_id}/test", status_code=202)
def test_webhook(webhook_id: Id, session: Transaction, caller: Partner, request: Request) -> DeliveryLogItem:
    """Send a test event to an endpoint, signed like any other."""
    settings = request.app.state.kit.settings
    told = trial(settings.town["event_prefix"], settings.public_url)
    return _item(commands.try_out(session, caller, webhook_id, told))


@router.get("/{webhook_id}/deliveries")
def list_webhook_deliveries(
    webhook_id: Id, session: Reading, caller: Partner, page: Paging
) -> Items[DeliveryLogItem]:
    """What an endpoint got in the last 30 days and what it answered, newest first."""
    hook = queries.one(session, caller, webhook_id)
    rows, following = page_of(queries.page(session, hook.id, page.after, page.limit), page.limit)
    return Items(items=[_item(row) for row in rows], next=following)


@router.post("/{webhook_id}/deliveries/{delivery_id}/redeliver", status_code=202)
def redeliver_event(
    webhook_id: Id, delivery_id: Id, session: Transaction, caller: Partner
) -> DeliveryLogItem:
    """Send one event of the log again, under the same `webhook-id`."""
    return _item(commands.redeliver(session, caller, webhook_id, delivery_id))


@router.post("/{webhook_id}/replay", status_code=202)
async def replay_events(webhook_id: Id, body: Replay, caller: Partner, request: Request) -> WebhookView:
    """Send again what happened since an instant or a place in the stream, beside what is new."""
    kit = request.app.state.kit
    if not kit.bus.connected:
        raise Unavailable("The bus")
    try:
        sequence = body.sequence or await sequence_at(kit.bus.js, body.since or datetime.now(UTC))
    except (NatsError, TimeoutError):
        raise Unavailable("The bus") from None
    return _shown(await run_in_threadpool(commands.begin_replay, kit.database, caller, webhook_id, sequence))


def _item(row: HookDelivery) -> DeliveryLogItem:
    return DeliveryLogItem.model_validate(row, from_attributes=True)
