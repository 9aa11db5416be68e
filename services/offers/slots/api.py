"""HTTP edge of slots: when a room or a machine is in use, and when it is free."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from libs.httpkit.auth import Anyone
from libs.httpkit.pagination import Items
from libs.httpkit.params import Id
from libs.httpkit.transactions import Reading
from libs.town.calendar import read
from services.offers.bookings import queries as bookings
from services.offers.offers import queries as offers
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


class FreeView(BaseModel):
    """An interval in which so many places can be booked."""

    starts_at: datetime
    ends_at: datetime
    free: int


class SlotsView(Items[UseView]):
    """When a resource is in use, and when it can still be booked."""

    free: list[FreeView] = Field(
        description="Within opening hours, from now on; a slot lies within one of these, on the board's grid."
    )


@router.get("")
def list_uses(
    offer_id: Id,
    session: Reading,
    caller: Anyone,
    request: Request,
    since: Annotated[Bounded, Query(alias="from", description="First day, in the town's time.")],
    days: Annotated[int, Query(ge=1, le=31)] = 7,
) -> SlotsView:
    """When a resource is in use and when it is free: times and counts, nobody's name."""
    offer, town = offers.one(session, caller, offer_id), read(request.app.state.kit.settings.city)
    last = since + timedelta(days - 1)
    window = Slot(starts_at=day_begins(since, town.zone), ends_at=day_ends(last, town.zone))
    rules = bookings.rules_or_none(session, offer)
    free = queries.free(session, offer, rules, window, datetime.now(UTC), town)
    return SlotsView(
        items=[UseView(**vars(use)) for use in queries.uses(session, offer_id, window)],
        free=[FreeView(starts_at=one.starts_at, ends_at=one.ends_at, free=one.taken) for one in free],
    )
