"""One figure for free places: what is stated is counted down by bookings, or refused where it cannot be."""

from typing import Any

import pytest

from tests.offers.booking import Requester, dated
from tests.offers.conftest import Offers
from tests.offers.test_openings import card, trip
from tests.service import problem

TITLE = {"title": {"de": "Ausflug"}}


def free(service: Offers, offer: str) -> tuple[Any, Any]:
    """What the card and the places say of one offer."""
    stocks = service.call("GET", f"/v1/offers/{offer}/places").json()["items"]
    return card(service, offer).get("free_places"), stocks[0]["free"] if stocks else None


def test_what_the_content_states_is_counted_down(service: Offers) -> None:
    offer = trip(service, free_places=2)
    assert free(service, offer) == (2, None)
    assert Requester(service).ask(offer, bare=True).status_code == 201
    assert free(service, offer) == (1, 1)
    assert Requester(service).ask(offer, bare=True).status_code == 201
    assert free(service, offer) == (0, 0)
    assert problem(Requester(service).ask(offer, bare=True), 409)["code"].startswith("places-full")
    version = service.get(offer).json()["version"]
    said = TITLE | {"free_places": 3}
    assert service.call("PUT", f"/v1/offers/{offer}", said, "editor", version=version).status_code == 200
    assert free(service, offer) == (3, 3)


def test_an_import_states_anew(service: Offers) -> None:
    row = "key,title.de,free_places\nbus,Ausflug,{}\n"
    done = service.imported(row.format(1).encode(), board="trip", source="stated")
    assert done["created"] == 1, done
    line = service.call("GET", "/v1/exports/offers.jsonl?board=trip&source=stated", None, "editor").json()
    offer = line["id"]
    assert Requester(service).ask(offer, bare=True).status_code == 201
    assert free(service, offer) == (0, 0)
    assert service.imported(row.format(4).encode(), board="trip", source="stated")["changed"] == 1
    assert free(service, offer) == (4, 4)


def test_where_dates_are_counted_nothing_else_is_stated(service: Offers) -> None:
    offer = trip(service)
    dated(service, offer, None)
    version = service.get(offer).json()["version"]
    wrong = service.call("PUT", f"/v1/offers/{offer}", TITLE | {"free_places": 3}, "editor", version=version)
    assert problem(wrong, 422)["errors"][0]["field"] == "free_places"


@pytest.mark.parametrize("way", ["content", "places"])
def test_what_is_booked_by_slot_states_no_free_places(service: Offers, way: str) -> None:
    said = {"title": {"de": "Saal"}, "fields": {"open": "24/7"}}
    room = service.draft(said, board="room", publish=True)
    if way == "content":
        wrong = service.call("PUT", f"/v1/offers/{room}", said | {"free_places": 3}, "editor", version=1)
    else:
        wrong = service.call("PUT", f"/v1/offers/{room}/places", {"free": 3}, "editor", version=0)
    assert problem(wrong, 422)["errors"][0]["field"] in ("free_places", "free")


def test_a_waiting_booking_says_its_position(service: Offers) -> None:
    offer = trip(service)
    (day,) = dated(service, offer, 1)
    answers = [Requester(service).ask(offer, day, bare=True, waiting_list=True).json() for _ in range(3)]
    assert [answer["booking"]["position"] for answer in answers] == [None, 1, 2]
