"""HTTP edge of providers."""

from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response

from libs.httpkit.auth import require
from libs.httpkit.idempotency import Idempotency
from libs.httpkit.pagination import Items, Paging, page_of
from libs.httpkit.params import Id
from libs.httpkit.preconditions import IfMatch, etag
from libs.httpkit.transactions import Reading, Transaction
from libs.town.accessibility import check_place
from services.offers.providers import commands, queries
from services.offers.providers.domain import ProviderContent
from services.offers.providers.models import Provider

router = APIRouter(prefix="/v1/providers", tags=["providers"])


class ProviderView(ProviderContent):
    """A provider (Anbieter)."""

    id: str
    version: int
    changed_at: datetime


def view(provider: Provider) -> ProviderView:
    """The provider as the API shows it."""
    return ProviderView(
        id=provider.id, version=provider.version, changed_at=provider.changed_at, **dict(provider.said)
    )


@router.get("")
def list_providers(session: Reading, paging: Paging) -> Items[ProviderView]:
    """All providers, a page at a time."""
    rows, following = page_of(queries.page(session, paging.limit, paging.after), paging.limit)
    return Items(items=[view(row) for row in rows], next=following)


@router.post("", status_code=201, response_model=ProviderView, dependencies=[require("editor")])
def create_provider(
    body: ProviderContent, session: Transaction, idempotency: Idempotency, request: Request
) -> Response:
    """Add a provider."""
    check_place(body.place, request.app.state.kit.settings.town)
    provider = commands.join(session, body)
    headers = {"Location": f"{router.prefix}/{provider.id}", **etag(provider.version)}
    return idempotency.answer(view(provider), 201, headers)


@router.get("/{provider_id}")
def get_provider(provider_id: Id, session: Reading, response: Response) -> ProviderView:
    """One provider."""
    provider = queries.one(session, provider_id)
    response.headers.update(etag(provider.version))
    return view(provider)


@router.put("/{provider_id}", dependencies=[require("editor")])
def change_provider(
    provider_id: Id,
    body: ProviderContent,
    expected: IfMatch,
    session: Transaction,
    request: Request,
    response: Response,
) -> ProviderView:
    """Replace what is said of a provider; its public offers follow a new name."""
    check_place(body.place, request.app.state.kit.settings.town)
    provider = commands.change(session, provider_id, expected, body)
    response.headers.update(etag(provider.version))
    return view(provider)


@router.delete("/{provider_id}", status_code=204, dependencies=[require("editor")])
def withdraw_provider(provider_id: Id, expected: IfMatch, session: Transaction) -> None:
    """Take a provider out; it must have no published offers."""
    commands.withdraw(session, provider_id, expected)
