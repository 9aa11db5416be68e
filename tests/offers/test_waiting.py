"""The waiting list: first come first, several places an entry, out of it through the link, a freed place held for a while."""

from datetime import timedelta
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, select

from libs.servicekit.db import now
from services.offers.bookings.models import Booking
from services.offers.bookings.runner import lines_due
from services.offers.places.models import Stock
from tests.offers.booking import DESK, Requester, dated, offered, swept, taken
from tests.offers.conftest import Offers
from tests.service import problem
from tests.waiting import until


def waiting(service: Offers, offer: str, *places: int, **more: Any) -> list[Requester]:
    """People who stand in line, in this order."""
    people = [Requester(service) for _ in places]
    for person, count in zip(people, places, strict=True):
        answer = person.ask(offer, places=count, waiting_list=True, **more)
        assert answer.json()["booking"]["status"] == "waiting", answer.text
    return people


def aged(service: Offers, person: Requester, **columns: Any) -> None:
    """Set a booking's clock."""
    with service.db.transaction() as session:
        booking = session.get(Booking, person.booking)
        assert booking
        for name, value in columns.items():
            setattr(booking, name, value)


def test_a_freed_place_goes_to_whoever_came_first(service: Offers) -> None:
    offer = offered(service, max=2)
    holder = Requester(service)
    holder.ask(offer, places=2)
    assert problem(Requester(service).ask(offer), 409)["code"] == "places-full-may-wait"
    first, second = waiting(service, offer, 1, 2)
    assert (first.see()["position"], second.see()["position"]) == (1, 2)
    assert holder.call("POST", "cancel", version=1).status_code == 200
    seen = first.see()
    assert (seen["status"], second.see()["position"], taken(service, offer)) == ("offered", 1, 1)
    hours = (aged_at(service, first) - now()) / timedelta(hours=1)
    assert 47 < hours <= 48
    assert first.told() == ["booking-waiting", "booking-offered"]
    assert first.call("POST", "accept", version=seen["version"]).json()["status"] == "pending"
    problem(second.call("POST", "accept", version=1), 409)


def aged_at(service: Offers, person: Requester) -> Any:
    with service.db.reading() as session:
        return session.exec(select(Booking.deadline_at).where(Booking.id == person.booking)).one()


def test_a_place_that_nobody_takes_goes_to_the_next(service: Offers) -> None:
    offer = offered(service, max=2)
    holder = Requester(service)
    holder.ask(offer, places=2)
    first, second = waiting(service, offer, 2, 2)
    holder.call("POST", "cancel", version=1)
    aged(service, first, deadline_at=now() - timedelta(seconds=1))
    problem(first.call("POST", "accept", version=2), 409)
    swept(service)
    assert (first.see()["status"], first.see()["reason"]) == ("expired", "lapsed")
    assert second.see()["status"] == "offered"
    assert first.told()[-1] == "booking-expired"
    assert taken(service, offer) == 2


def test_whoever_waits_leaves_the_line_through_the_link(service: Offers) -> None:
    offer = offered(service, max=1)
    holder = Requester(service)
    holder.ask(offer)
    first, second = waiting(service, offer, 1, 1)
    assert first.call("POST", "cancel", version=1).json()["status"] == "cancelled"
    assert second.see()["position"] == 1
    holder.call("POST", "cancel", version=1)
    assert second.see()["status"] == "offered"


def test_a_smaller_entry_goes_before_a_larger_that_does_not_fit_and_this_is_counted(service: Offers) -> None:
    offer = offered(service, max=4)
    holders = [Requester(service) for _ in range(2)]
    for holder in holders:
        holder.ask(offer, places=2)
    large, small = waiting(service, offer, 4, 2)
    holders[0].call("POST", "cancel", version=1)
    assert (large.see()["status"], large.see()["overtaken"]) == ("waiting", 1)
    assert small.see()["status"] == "offered"
    holders[1].call("POST", "cancel", version=1)
    small.call("POST", "cancel", version=2)
    assert large.see()["status"] == "offered", "once all fits it is first"


def test_where_nobody_is_overtaken_newcomers_stand_in_line_too(service: Offers) -> None:
    offer = offered(service, "group", max=30)
    holder = Requester(service)
    holder.ask(offer, form={"children": 20})
    large = Requester(service)
    assert large.ask(offer, form={"children": 25}, waiting_list=True).json()["booking"]["status"] == "waiting"
    small = Requester(service)
    problem(small.ask(offer, form={"children": 5}), 409)
    assert small.ask(offer, form={"children": 5}, waiting_list=True).json()["booking"]["status"] == "waiting"
    holder.call("POST", "cancel", version=1)
    assert (large.see()["status"], small.see()["status"]) == ("offered", "offered")
    assert large.call("POST", "accept", version=2).json()["status"] == "approved"


def test_more_places_are_offered_to_the_line(service: Offers) -> None:
    offer = offered(service, max=1)
    Requester(service).ask(offer)
    (first,) = waiting(service, offer, 2)
    service.call("PUT", f"/v1/offers/{offer}/places", {"max": 3}, "editor", version=2)
    swept(service)
    assert first.see()["status"] == "offered"


def test_the_line_for_a_date_ends_with_it(service: Offers) -> None:
    offer = offered(service)
    (date,) = dated(service, offer, 1, start=now() + timedelta(days=2))
    Requester(service).ask(offer, date)
    late = Requester(service)
    assert late.ask(offer, date, waiting_list=True).json()["booking"]["status"] == "waiting"
    aged(service, late, starts_at=now() + timedelta(hours=1))
    swept(service)
    assert (late.see()["status"], late.see()["reason"]) == ("expired", "offer_over")


def test_what_the_provider_does_not_answer_ends_by_itself(service: Offers) -> None:
    offer = offered(service, max=1)
    parent = Requester(service)
    parent.ask(offer)
    aged(service, parent, deadline_at=now() - timedelta(seconds=1))
    swept(service)
    assert (parent.see()["status"], parent.see()["reason"], taken(service, offer)) == (
        "expired",
        "unanswered",
        0,
    )
    swept(service)
    assert parent.told() == ["booking-received", "booking-expired"]


def test_after_the_retention_period_nothing_personal_is_left(service: Offers) -> None:
    offer = offered(service, max=5)
    people = [Requester(service) for _ in range(3)]
    for person in people:
        person.ask(offer)
    done, approved, forgotten = people
    done.call("POST", "cancel", version=1)
    service.call("POST", f"/v1/bookings/{approved.booking}/approve", None, "editor", version=1)
    for person in people:
        aged(service, person, forget_at=now() - timedelta(seconds=1))
    swept(service)

    def row(session: Session, person: Requester) -> Booking | None:
        return session.get(Booking, person.booking)

    with service.db.reading() as session:
        kept, pending = row(session, approved), row(session, forgotten)
        assert row(session, done) is None
        assert kept and (kept.form, kept.recipient_id, kept.held) == (None, None, True)
        assert pending and pending.status == "expired", "it ends first, and is told so"
    assert taken(service, offer) == 1, "who was approved without an end keeps his place"
    problem(done.call("GET"), 404)
    problem(approved.call("GET"), 404)


def test_nobody_is_offered_a_date_that_was_cancelled(service: Offers) -> None:
    offer = offered(service)
    (date,) = dated(service, offer, 1)
    one, line = Requester(service), Requester(service)
    one.ask(offer, date)
    line.ask(offer, date, waiting_list=True)
    body = {"reason": "Krank"}
    assert service.call("POST", f"/v1/sessions/{date}/cancel", body, "editor", version=1).status_code == 200
    until(lambda: line.see()["status"] == "cancelled")
    assert line.told() == ["booking-waiting", "booking-cancelled"]


def test_nothing_personal_enters_a_booking_whose_retention_is_over(service: Offers) -> None:
    offer = offered(service, max=5)
    person = Requester(service)
    person.ask(offer)
    service.call("POST", f"/v1/bookings/{person.booking}/approve", None, "editor", version=1)
    aged(service, person, forget_at=now() - timedelta(seconds=1))
    swept(service)
    for wish in ({"form": {"age": 8, "needs": "Hund"}}, {"form": {"age": 8, "needs": "Hund"}, "places": 2}):
        problem(person.call("PUT", body=wish, version=2), 404)
    with service.db.reading() as session:
        left = session.get_one(Booking, person.booking)
    assert (left.form, left.recipient_id, left.status) == (None, None, "approved")


def test_only_lines_in_which_something_is_due_are_touched(service: Offers) -> None:
    offer = offered(service, max=2)
    holder = Requester(service)
    holder.ask(offer, places=2)
    (first,) = waiting(service, offer, 1)

    def due() -> bool:
        with service.db.reading() as session:
            return offer in lines_due(session, DESK)

    assert not due(), "nothing is free"
    with service.db.transaction() as session:
        session.execute(update(Stock).where(col(Stock.id) == offer).values(max=3))
    assert due() or first.see()["status"] == "offered"
    swept(service)
    assert (first.see()["status"], due()) == ("offered", False)
