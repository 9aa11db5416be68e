"""HTTP edge of slots: when a room or a machine is in use."""

from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from libs.httpkit.auth import Anyone
from libs.httpkit.edge import Items, Reading
from services.offers.offers import queries as offers
from services.offers.params import Id, town_zone
from services.offers.sessions.domain import day_begins, day_ends
from services.offers.slots import queries
from services.offers.slots.domain import Slot

router = APIRouter(prefix="/v1/offers/{offer_id}/slots", tags=["bookings"])
Bounded = Annotated[date, Query(ge=date(2000, 1, 2), le=date(2099, 12, 31))]


class UseView(BaseModel):
    """An interval in which so many places of a resource are taken; outside of these nothing is."""

    starts_at: datetime
    ends_at: datetime
    taken: int


@router.get("")
def list_uses(
    offer_id: Id,
    session: Reading,
    caller: Anyone,
    request: Request,
    since: Annotated[Bounded, Query(alias="from", description="First day, in the town's time.")],
    days: Annotated[int, Query(ge=1, le=31)] = 7,
) -> Items[UseView]:
    """When a resource is in use: times and counts, nobody's name."""
    offers.one(session, caller, offer_id)
    zone = town_zone(request)
    window = Slot(starts_at=day_begins(since, zone), ends_at=day_ends(since + timedelta(days - 1), zone))
    return Items(items=[UseView(**vars(use)) for use in queries.uses(session, offer_id, window)])
