"""A request's life through HTTP: without an account, through its link; answered, changed, cancelled, erased."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date as day_
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select
from uuid_utils import uuid7

from libs.servicekit.db import now
from libs.servicekit.errors import Conflict
from libs.servicekit.tables import idempotency, outbox
from services.offers.bookings import commands
from services.offers.bookings.domain import Wish
from tests.offers.booking import DESK, Requester, dated, offered, taken
from tests.offers.conftest import Offers
from tests.service import problem


def test_a_request_is_answered_by_the_provider(service: Offers) -> None:
    provider = service.provider()
    offer = offered(service, provider=provider)
    (date,) = dated(service, offer, 5)
    parent = Requester(service)

    answer = parent.ask(offer, date, places=2, form={"age": 9, "needs": "Rollstuhl"})

    assert answer.status_code == 201, answer.text
    asked = answer.json()["booking"]
    assert (asked["status"], asked["version"], asked["session_ids"]) == ("pending", 1, [date])
    assert "form" not in asked
    assert taken(service, date) == 2
    path = f"/v1/bookings/{parent.booking}"
    mine: dict[str, Any] = {"providers": (provider,)}
    assert service.call("GET", path, None, "provider", **mine).json()["form"]["needs"] == "Rollstuhl"
    problem(service.call("POST", f"{path}/approve", None, "provider", providers=("x",), version=1), 403)
    done = service.call("POST", f"{path}/approve", None, "provider", version=1, **mine)
    assert (done.json()["status"], done.headers["ETag"]) == ("approved", '"2"')
    assert parent.told() == ["booking-received", "booking-approved"]
    assert service.facts(offer)[-1]["data"]["card"]["free_places"] == 3


def test_a_request_is_declined_and_its_places_are_free(service: Offers) -> None:
    offer = offered(service, max=2)
    parent = Requester(service)
    parent.ask(offer, places=2)
    problem(Requester(service).ask(offer), 409)
    body = {"reason": "not_suitable"}
    path = f"/v1/bookings/{parent.booking}/decline"
    assert service.call("POST", path, body, "editor", version=1).json()["status"] == "declined"
    assert taken(service, offer) == 0
    assert parent.messages()[-1]["facts"]["reason"] == "not_suitable"
    problem(service.call("POST", path, body, "editor", version=2), 409)
    assert Requester(service).ask(offer).status_code == 201


def test_what_is_personal_stays_in_its_row(service: Offers) -> None:
    offer = offered(service, max=5)
    parent = Requester(service)
    parent.ask(offer, form={"age": 9, "needs": "Zöliakie"})
    service.relayed()
    (message,) = parent.messages()
    assert set(message["facts"]) == {"booking", "version", "places", "deadline_at", "token"}
    assert message["about"] == {"kind": "offer", "id": offer, "board": "course"}
    assert parent.id not in str(service.facts(offer)) and "Zöliakie" not in str(service.facts(offer))
    assert parent.ask(offer, form={"age": "Zöliakie", "needs": 3}).status_code == 422
    told = problem(parent.ask(offer, form={"age": "Zöliakie", "other": "Zöliakie"}), 422)
    assert {error["field"] for error in told["errors"]} == {"form.age", "form.other"}
    log = service.stack.log("offers")
    assert "Zöliakie" not in str(told) + log
    assert parent.link not in log


def test_the_link_opens_its_booking_only(service: Offers) -> None:
    offer = offered(service, max=5)
    one, other = Requester(service), Requester(service)
    one.ask(offer)
    other.ask(offer)
    path = f"/v1/bookings/{one.booking}"
    assert one.call("GET").headers["ETag"] == '"1"'
    problem(service.call("GET", path), 401)
    problem(service.call("GET", path, headers={"Link-Token": "x.y.z"}), 401)
    problem(service.call("GET", path, headers={"Link-Token": other.link}), 403)
    problem(service.call("POST", f"{path}/cancel", version=1, headers={"Link-Token": other.link}), 403)
    problem(service.call("GET", path, None, "merchant"), 403)
    problem(service.call("POST", f"{path}/approve", version=1, headers={"Link-Token": one.link}), 401)
    listed = service.call("GET", f"/v1/bookings?offer_id={offer}", None, "editor").json()["items"]
    assert [each["id"] for each in listed] == [one.booking, other.booking]
    nobody = service.call("GET", f"/v1/bookings?offer_id={offer}", None, "provider", providers=("x",))
    assert nobody.json()["items"] == []


def test_some_of_several_dates_are_chosen(service: Offers) -> None:
    offer = offered(service)
    dates = dated(service, offer, 3, 3, None, 1)
    parent = Requester(service)
    for wrong in ([], dates, [dates[0], dates[0]], [offer]):
        assert problem(parent.ask(offer, *wrong), 422)["errors"][0]["field"] == "session_ids"
    assert parent.ask(offer, *dates[1:], places=1).status_code == 201
    assert [taken(service, date) for date in dates] == [0, 1, 1, 1]
    problem(Requester(service).ask(offer, dates[0], dates[3]), 409)
    assert taken(service, dates[0]) == 0, "of all or of none"


def test_dates_close_before_they_begin(service: Offers) -> None:
    offer = offered(service)
    soon = dated(service, offer, 3, start=now() + timedelta(hours=5))
    assert "no longer" in problem(Requester(service).ask(offer, *soon), 422)["errors"][0]["reason"]
    set_ = service.call("PUT", f"/v1/offers/{offer}/booking", {"deadline_days": 0}, "editor", version=0)
    assert set_.json()["rules"]["deadline_days"] == 0
    parent = Requester(service)
    assert parent.ask(offer, *soon).status_code == 201
    assert parent.see()["deadline_at"] == parent.see()["starts_at"], "unanswered it ends with the first date"


def test_an_offer_has_terms_of_its_own(service: Offers) -> None:
    offer = offered(service, max=9)
    path = f"/v1/offers/{offer}/booking"
    form = service.call("GET", path).json()
    assert [field["name"] for field in form["rules"]["form"]] == ["age", "needs"]
    assert (
        service.call("PUT", path, {"auto_accept": True, "max_places": 9}, "editor", version=0).status_code
        == 200
    )
    assert Requester(service).ask(offer, places=8).json()["booking"]["status"] == "approved"
    problem(service.call("PUT", path, {"min_dates": 5}, "editor", version=1), 422)
    problem(service.call("PUT", path, {"bookable": False}, "editor", version=0), 412)
    assert service.call("PUT", path, {"bookable": False}, "editor", version=1).json()["bookable"] is False
    problem(Requester(service).ask(offer), 409)


def test_what_is_not_public_is_not_booked(service: Offers) -> None:
    assert problem(Requester(service).ask(service.draft()), 422)["errors"][0]["field"] == "offer_id"
    assert (
        problem(Requester(service).ask(str(Requester(service).id)), 422)["errors"][0]["field"] == "offer_id"
    )


def test_a_group_is_counted_by_its_form(service: Offers) -> None:
    offer = offered(service, "group", max=40)
    school = Requester(service)
    assert school.ask(offer, form={"children": 24, "level": "primary"}).json()["booking"]["places"] == 24
    assert school.see()["status"] == "approved"
    assert problem(school.ask(offer, places=3, form={"children": 4}), 422)["errors"][0]["field"] == "places"
    assert problem(school.ask(offer, form={}), 422)["errors"][0]["field"] == "form.children"


def test_nobody_hoards(service: Offers) -> None:
    offer = offered(service, max=100)
    parent = Requester(service)
    assert parent.ask(offer, places=5).status_code == 201
    assert problem(parent.ask(offer, places=2), 409)["code"] == "places-cap-reached"
    problem(Requester(service).ask(offer, places=7), 422)
    assert parent.ask(offer, places=1).status_code == 201
    elsewhere = [offered(service) for _ in range(3)]
    terms = {"max_places": 1}
    for other in elsewhere:
        service.call("PUT", f"/v1/offers/{other}/booking", terms, "editor", version=0)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda number: parent.ask(elsewhere[number % 3]).status_code, range(6)))
    assert sorted(answers) == [201, 201, 201, 409, 409, 409]


def test_a_requester_changes_his_mind(service: Offers) -> None:
    offer = offered(service)
    first, second = dated(service, offer, 4, 4)
    parent = Requester(service)
    parent.ask(offer, first, places=3)
    service.call("POST", f"/v1/bookings/{parent.booking}/approve", None, "editor", version=1)
    wish: dict[str, Any] = {"session_ids": [first], "places": 3, "form": {"age": 10}}
    noted = parent.call("PUT", body=wish, version=2)
    assert (noted.json()["status"], noted.json()["form"]) == ("approved", {"age": 10})
    moved = parent.call("PUT", body=wish | {"session_ids": [second], "places": 4}, version=3)
    assert moved.json()["status"] == "pending", "the provider has not seen this one"
    assert (taken(service, first), taken(service, second)) == (0, 4)
    other = Requester(service)
    other.ask(offer, first, places=2)
    problem(parent.call("PUT", body=wish, version=4), 409)
    assert taken(service, second) == 4, "what was held is held still"
    problem(parent.call("PUT", body=wish, version=3), 412)


def test_a_requester_cancels_exports_and_is_erased(service: Offers) -> None:
    offer = offered(service, max=2)
    parent = Requester(service)
    parent.ask(offer, form={"age": 9, "needs": "Hund"})
    export = parent.call("GET", "export")
    assert export.headers["Content-Disposition"].startswith("attachment")
    assert export.json()["recipient_id"] == parent.id
    assert export.json()["booking"]["form"]["needs"] == "Hund"
    assert parent.call("POST", "cancel", version=1).json()["reason"] == "by_requester"
    assert taken(service, offer) == 0
    problem(parent.call("POST", "cancel", version=2), 409)
    assert parent.call("DELETE", version=2).status_code == 204
    problem(parent.call("GET"), 404)
    left = service.call("GET", f"/v1/bookings/{parent.booking}", None, "editor").json()
    assert (left["form"], left["status"]) == (None, "cancelled")


def test_erasing_gives_back_what_was_held(service: Offers) -> None:
    offer = offered(service, max=2)
    parent = Requester(service)
    parent.ask(offer, places=2)
    assert parent.call("DELETE", version=1).status_code == 204
    assert taken(service, offer) == 0
    assert parent.told()[-1] == "booking-cancelled", "what was sent before goes too"


def test_a_repeated_request_is_one_booking(service: Offers) -> None:
    offer = offered(service, max=5)
    body = {"offer_id": offer, "recipient_id": "r1", "form": {"age": 3}}
    key = {"Idempotency-Key": f"again-{offer}"}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: service.call("POST", "/v1/bookings", body, headers=key), range(4)))
    assert len({answer.json()["booking"]["id"] for answer in answers}) == 1
    assert taken(service, offer) == 1


def test_requests_hold_nothing_where_only_an_approval_counts(service: Offers) -> None:
    content = {"title": {"de": "Krippe"}, "fields": {"facility": "daycare"}}
    offer = service.draft(content, board="kita", publish=True)
    service.call("PUT", f"/v1/offers/{offer}/places", {"max": 30, "free": 1}, "editor", version=0)
    families = [Requester(service) for _ in range(3)]
    form = service.call("GET", f"/v1/offers/{offer}/booking").json()["rules"]["form"]
    filled = {field["name"]: FILL[field["type"]] for field in form if field["required"]}
    for family in families:
        answer = family.ask(offer, form=filled)
        assert answer.json()["booking"]["status"] == "pending", answer.text
    answers = [
        service.call("POST", f"/v1/bookings/{family.booking}/approve", None, "editor", version=1).status_code
        for family in families
    ]
    assert answers == [200, 409, 409]
    assert taken(service, offer) == 1


FILL: dict[str, Any] = {"date": day_.today().isoformat(), "integer": 1, "text": "x", "boolean": True}


@pytest.mark.parametrize("dates", [1, 2])
def test_the_last_places_are_booked_once_over_http(service: Offers, dates: int) -> None:
    offer = offered(service)
    ids = dated(service, offer, *[10] * dates)
    people = [Requester(service) for _ in range(16)]

    def go(number: int) -> int:
        answer = people[number].ask(offer, *ids, places=1 + number % 2)
        assert answer.status_code in (201, 409), answer.text
        if answer.status_code == 201 and number % 5 == 0:
            assert people[number].call("POST", "cancel", version=1).status_code == 200
        return answer.status_code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(go, range(16)))
    assert answers.count(409) > 0
    assert all(taken(service, each) <= 10 for each in ids)
    told = service.facts(offer)[-1]["data"]["card"]["free_places"]
    assert told == sum(10 - taken(service, each) for each in ids)


def test_ids_that_are_none_are_refused(service: Offers) -> None:
    offer = offered(service)
    dated(service, offer, 2)
    body = {"offer_id": offer, "recipient_id": "r", "session_ids": ["\u0000"]}
    problem(service.call("POST", "/v1/bookings", body), 422)


@pytest.mark.parametrize("dated_", [False, True])
def test_a_booking_asks_the_database_few_times(service: Offers, dated_: bool) -> None:
    offer = offered(service) if dated_ else offered(service, max=5)
    wish = Wish(session_ids=dated(service, offer, 5) if dated_ else [], places=1, form={"age": 9})
    asked = list[str]()
    with service.db.transaction() as session:
        event.listen(session.connection(), "before_cursor_execute", lambda *said: asked.append(said[2]))
        commands.request(session, DESK, offer, str(uuid7()), wish, may_wait=False)
    assert len(asked) <= 19, "\n".join(asked)


def test_what_is_erased_is_erased_beside_its_row_too(service: Offers) -> None:
    offer = offered(service, max=5)
    parent, key = Requester(service), {"Idempotency-Key": str(uuid7())}
    body = {"offer_id": offer, "recipient_id": parent.id, "form": {"age": 9}}
    first = service.call("POST", "/v1/bookings", body, headers=key)
    assert service.call("POST", "/v1/bookings", body, headers=key).headers["Idempotency-Replayed"] == "true"
    parent.link, parent.booking = first.json()["token"], first.json()["booking"]["id"]
    service.relayed()
    assert kept(service, parent.link)["answers"] == 0, "its token is sealed"
    assert kept(service, parent.booking) == {"answers": 1, "messages": 1}
    assert parent.call("DELETE", version=1).status_code == 204
    service.relayed()
    assert kept(service, parent.booking)["answers"] == 0
    again = service.call("POST", "/v1/bookings", body, headers=key)
    assert "Idempotency-Replayed" not in again.headers, "nobody's token is shown again"
    assert again.json()["booking"]["id"] != parent.booking


def kept(service: Offers, *words: str) -> dict[str, int]:
    """How many answers and sent messages hold all of these words."""
    tables = {"answers": idempotency, "messages": outbox}
    with service.db.reading() as session:
        bodies = {
            name: session.execute(select(table.c.body)).scalars().all() for name, table in tables.items()
        }
    return {
        name: sum(all(word.encode() in (body or b"") for word in words) for body in found)
        for name, found in bodies.items()
    }


def test_caps_count_persons_whatever_ids_they_have(service: Offers) -> None:
    offer, wish = offered(service, max=100), Wish(places=4, form={"age": 9})
    person = str(uuid7())
    with service.db.transaction() as session:
        commands.request(session, DESK, offer, str(uuid7()), wish, may_wait=False, person=person)
    with pytest.raises(Conflict) as refused, service.db.transaction() as session:
        commands.request(session, DESK, offer, str(uuid7()), wish, may_wait=False, person=person)
    assert refused.value.code == "places-cap-reached"
