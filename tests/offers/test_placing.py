"""Placements become bookings while others book the same offers: neither waits for the other for ever."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from libs.servicekit.db import now
from services.offers.allocation.models import WishingChild
from services.offers.allocation.outcome import Answer
from services.offers.allocation.placing import book_some
from services.offers.bookings import commands as bookings
from services.offers.bookings.domain import Wish
from services.offers.bookings.models import Booking
from services.offers.funding.domain import PeriodKind, period_of
from services.offers.offers import queries as offers
from tests.offers.booking import DESK
from tests.offers.conftest import COURSE, Offers
from tests.offers.holidays import Holidays
from tests.waiting import until


def test_placing_and_a_booking_that_comes_between(service: Offers) -> None:
    """Placing goes from offer to offer and takes from one budget; a booking holds its offer and wants the budget."""
    if not service.db.engine.url.drivername.startswith("postgresql"):
        pytest.skip("SQLite lets one writer follow the other")
    with_budget(service)
    lake, wood = (
        service.draft(COURSE | {"title": {"de": name}, "price_cents": 1000}, publish=True)
        for name in ("lake", "wood")
    )
    activities = [{"slot": "w1", "offer_id": offer, "places": 5} for offer in (lake, wood)]
    holidays = Holidays(service, activities=activities)
    children = [holidays.family(holidays.child("A", wish))["children"][0]["id"] for wish in holidays.ids]
    with ThreadPoolExecutor(1) as pool:
        with service.db.transaction() as session:
            offers.locked(session, wood)
            placed = pool.submit(place, service, dict(zip(children, holidays.ids.values(), strict=True)))
            until(lambda: somebody_waits(service))
            bookings.request(session, DESK, wood, str(uuid4()), Wish(form={"age": 9}), may_wait=False)
        placed.result(10)
    with service.db.reading() as session:
        found = session.exec(select(Booking.status).where(col(Booking.offer_id).in_((lake, wood))))
        assert sorted(found) == ["approved", "approved", "pending"]


def with_budget(service: Offers) -> None:
    """Money for what is booked on the board of courses today."""
    period = period_of(PeriodKind.SCHOOL_YEAR, now().astimezone(DESK.zone).date())
    assert period
    path = f"/v1/boards/course/budgets/{period.key}"
    seen = service.http.get(path)
    version = seen.json()["version"] if seen.status_code == 200 else 0
    body = {"amount_cents": 1_000_000 + version}
    assert service.call("PUT", path, body, "editor", version=version).status_code == 200


def place(service: Offers, got: dict[str, str]) -> None:
    """Book for children who got these activities; nobody else knows meanwhile that they did."""
    with service.db.transaction() as session:
        for child_id, activity in got.items():
            child = session.get_one(WishingChild, child_id)
            child.answers, child.placed = [dict(vars(Answer("w1", 1, 1, activity, [])))], 1
        session.flush()
        assert book_some(session, DESK) >= len(got)


def somebody_waits(service: Offers) -> bool:
    waits = "datname = current_database() AND wait_event_type = 'Lock'"
    with service.db.reading() as session:
        return bool(session.scalar(text(f"SELECT count(*) FROM pg_stat_activity WHERE {waits}")))
