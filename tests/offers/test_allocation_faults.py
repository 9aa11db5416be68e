"""kill -9 of the service and of its database while places are given out and booked: everybody gets exactly what was drawn."""

import asyncio
from collections import Counter
from typing import Any

from sqlmodel import col, select

from services.offers.allocation.models import WishingChild
from services.offers.bookings.models import Booking
from tests.offers.booking import taken
from tests.offers.conftest import COURSE, Offers
from tests.offers.holidays import Holidays
from tests.offers.test_booking_faults import strike, strike_database
from tests.postgres import Postgres
from tests.service import facts
from tests.waiting import until

# By slot and name; more children than places everywhere.
PLACES = {"w1 lake": 20, "w1 hill": 15, "w2 wood": 25}
FAMILIES, CHILDREN = 25, "AB"


def announced(service: Offers) -> Holidays:
    """A period whose offers have exactly the places that it gives out, with all its wishes."""
    activities = []
    for name, places in PLACES.items():
        slot, _, title = name.partition(" ")
        offer = service.draft(COURSE | {"title": {"de": title}}, publish=True)
        kept = service.call("PUT", f"/v1/offers/{offer}/places", {"max": places}, "editor", version=0)
        assert kept.status_code == 200, kept.text
        activities.append({"slot": slot, "offer_id": offer, "places": places})
    return Holidays(service, activities=activities)


def booked(service: Offers, holidays: Holidays) -> Counter[bool]:
    """How many children who got something have their bookings, and how many have not."""
    query = select(WishingChild.booked).where(
        WishingChild.period_id == holidays.period["id"], col(WishingChild.placed) > 0
    )
    with service.db.reading() as session:
        return Counter(session.exec(query))


def test_places_are_given_out_once_whenever_it_is_killed(shaken: tuple[Offers, Postgres | None]) -> None:
    service, server = shaken
    holidays = announced(service)
    families = [
        holidays.family(*(holidays.child(label, *PLACES) for label in CHILDREN)) for _ in range(FAMILIES)
    ]
    holidays.close()
    assert holidays.allocate().status_code == 202
    strike(service, None)
    until(lambda: booked(service, holidays)[True])
    service.stack.kill9("offers")
    reached = booked(service, holidays)
    assert reached[True] and reached[False], "it was killed in the midst of it"
    service.stack.launch("offers")
    strike_database(service, server)
    until(lambda: (found := booked(service, holidays)) and not found[False], 60)

    answers = [holidays.answers(family) for family in families]
    got = [each for family in answers for each in family.values() if each["activity"]]
    assert Counter(holidays.names[each["activity"]] for each in got) == PLACES
    for family in answers:
        for label in CHILDREN:
            assert [slot for child, slot in family if child == label] == ["w1", "w2"], (
                "one answer for each slot"
            )
    bookings = every_booking(service, holidays)
    assert Counter(bookings) == Counter(each["booking"] for each in got)
    for each in holidays.period["activities"]:
        assert taken(service, each["offer_id"]) == each["places"]
    told_once(service, holidays, families, answers)


def every_booking(service: Offers, holidays: Holidays) -> list[str]:
    """The approved bookings of what the period gave out."""
    offers = [each["offer_id"] for each in holidays.period["activities"]]
    with service.db.reading() as session:
        found = session.exec(select(Booking).where(col(Booking.offer_id).in_(offers))).all()
    assert {(each.status, each.held) for each in found} == {("approved", True)}
    return [each.id for each in found]


def told_once(
    service: Offers, holidays: Holidays, families: list[dict[str, Any]], answers: list[dict[Any, Any]]
) -> None:
    """The town heard each step of the period, each family its outcome and each of its bookings, once."""
    assert [name for name, _ in service.told(holidays.period["id"])] == ["opened", "closed", "allocated"]
    asked = asyncio.run(
        facts(service.stack.url("nats"), "internal.notify.message.requested.v1.*", "INTERNAL")
    )
    told = Counter((each["data"]["recipient_id"], each["data"]["template"]) for each in asked)
    for family, outcome in zip(families, answers, strict=True):
        places = sum(each["activity"] is not None for each in outcome.values())
        expected = {"allocation-received": 1, f"allocation-{'placed' if places else 'left-out'}": 1}
        if places:
            expected["booking-approved"] = places
        recipient = family["recipient_id"]
        assert {name: count for (who, name), count in told.items() if who == recipient} == expected
