"""HTTP edge of freshness: one click says that an offer is still right, with an access token or a reminder's link."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Request, Response

from libs.contracts.card import Text
from libs.contracts.offers import CheckedAs
from libs.httpkit.links import by_token_or_link
from libs.httpkit.pagination import Items, Paging, page_of
from libs.httpkit.params import Id, today
from libs.httpkit.preconditions import etag
from libs.httpkit.rate_limit import rate_limited
from libs.httpkit.transactions import Reading, Transaction
from libs.selfservice.members import queries as organisations
from libs.servicekit.principal import Principal
from libs.servicekit.values import Body
from services.offers.freshness import commands, queries
from services.offers.freshness.domain import Stage
from services.offers.offers import queries as offers
from services.offers.offers.api import OfferView, view
from services.offers.offers.models import Offer

router = APIRouter(prefix="/v1", tags=["freshness"])
Asker = Annotated[Principal | str, by_token_or_link("reminder")]


class Due(Body):
    """An offer that waits for a check."""

    id: str
    board: str
    title: Text
    stage: Stage
    checked_on: date | None


@router.post("/offers/{offer_id}/check", dependencies=[rate_limited()])
def check_offer(
    offer_id: Id, asker: Asker, session: Transaction, request: Request, response: Response
) -> OfferView:
    """Say that an offer is still right; a hidden one is public again."""
    offer = offers.locked(session, offer_id)
    organisations.must_speak_for(session, asker, offer.provider_id)
    editor = isinstance(asker, Principal) and asker.is_any("editor")
    commands.check(session, offer, CheckedAs.EDITOR if editor else CheckedAs.PROVIDER, today(request))
    response.headers.update(etag(offer.version))
    return view(offer, mends=True)


@router.get("/providers/{provider_id}/unchecked")
def list_unchecked(provider_id: Id, asker: Asker, session: Reading, paging: Paging) -> Items[Due]:
    """The organisation's offers that wait for a check."""
    organisations.must_speak_for(session, asker, provider_id)
    rows, following = page_of(
        queries.unchecked(session, provider_id, paging.limit, paging.after), paging.limit
    )
    return Items(items=[_due(offer) for offer in rows], next=following)


def _due(offer: Offer) -> Due:
    return Due(
        id=offer.id,
        board=offer.board,
        title=offer.said.title,
        stage=Stage(offer.stage),
        checked_on=offer.checked_on,
    )
