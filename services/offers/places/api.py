"""HTTP edge of places: how many an offer and its dates have, and what the provider says of them."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel

from libs.httpkit.auth import Anyone, require
from libs.httpkit.pagination import Items
from libs.httpkit.params import Id
from libs.httpkit.preconditions import IfMatch, etag
from libs.httpkit.transactions import Reading, Transaction
from libs.servicekit.principal import Principal
from services.offers.offers import queries as offers
from services.offers.places import commands, queries
from services.offers.places.domain import Provision
from services.offers.places.models import Stock

router = APIRouter(prefix="/v1/offers/{offer_id}/places", tags=["places"])
Writer = Annotated[Principal, require("editor", "provider")]


class PlacesView(BaseModel):
    """Places of an offer as a whole, or of one of its sessions."""

    session_id: str | None
    unit: str
    max: int | None
    taken: int
    free: int | None
    stated: bool
    as_of: datetime
    version: int


def view(stock: Stock) -> PlacesView:
    """The places as the API shows them."""
    return PlacesView(
        session_id=None if stock.id == stock.offer_id else stock.id,
        free=stock.free,
        stated=stock.stated_free is not None,
        **stock.model_dump(include={"unit", "max", "taken", "as_of", "version"}),
    )


@router.get("")
def list_places(offer_id: Id, session: Reading, caller: Anyone, response: Response) -> Items[PlacesView]:
    """The places of an offer, its own and its dates'; the ETag is that of its own, `"0"` while nobody set them."""
    offers.one(session, caller, offer_id)
    whole = queries.own(session, offer_id)
    response.headers.update(etag(whole.version if whole else 0))
    return Items(items=[view(stock) for stock in queries.of_offer(session, offer_id)])


@router.put("")
def set_places(
    offer_id: Id, body: Provision, caller: Writer, expected: IfMatch, session: Transaction, response: Response
) -> PlacesView:
    """Say how many places the offer has; with `free`, how many are left is stated instead of counted."""
    stock = commands.provide(session, caller, offer_id, expected, body)
    response.headers.update(etag(stock.version))
    return view(stock)
