"""Places through HTTP and under many writers at once: never more taken than there are, and the card says what is left."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from libs.servicekit.db import now
from services.offers.offers.queries import locked
from services.offers.places import commands, queries
from tests.offers.conftest import Offers
from tests.service import problem


def path(offer: str) -> str:
    return f"/v1/offers/{offer}/places"


def told_free(service: Offers, offer: str) -> list[int | None]:
    """What the facts about an offer said of its free places, oldest first."""
    return [fact["data"]["card"].get("free_places") for fact in service.facts(offer)]


def with_places(service: Offers, **said: object) -> str:
    """A public offer with places of its own."""
    offer = service.draft(publish=True)
    answer = service.call("PUT", path(offer), said, "editor", version=0)
    assert answer.status_code == 200, answer.text
    return offer


def test_places_are_set_and_told(service: Offers) -> None:
    provider = service.provider()
    offer = service.draft(provider=provider, publish=True)
    assert service.call("GET", path(offer)).headers["ETag"] == '"0"'
    said = service.call("PUT", path(offer), {"max": 8}, "provider", providers=(provider,), version=0)
    assert said.headers["ETag"] == '"1"'
    assert said.json() | {"as_of": None} == {
        "session_id": None,
        "unit": "places",
        "max": 8,
        "taken": 0,
        "free": 8,
        "stated": False,
        "as_of": None,
        "version": 1,
    }
    assert service.call("GET", path(offer)).json()["items"] == [said.json()]
    assert told_free(service, offer) == [None, 8]


def test_a_provider_states_what_is_free(service: Offers) -> None:
    offer = with_places(service, max=40, free=2, as_of="2026-01-02T00:00:00Z", unit="beds")
    shown = service.call("GET", path(offer)).json()["items"][0]
    assert (shown["free"], shown["stated"], shown["unit"]) == (2, True, "beds")
    assert shown["as_of"].startswith("2026-01-02")
    with service.db.transaction() as session:
        assert commands.take(session, locked(session, offer), {offer: 2})
        assert not commands.take(session, locked(session, offer), {offer: 1})
    assert told_free(service, offer)[-1] == 0
    assert service.call("GET", path(offer)).json()["items"][0]["as_of"].startswith("2026-01-02")


def test_no_fewer_places_than_are_taken(service: Offers) -> None:
    offer = with_places(service, max=3)
    with service.db.transaction() as session:
        assert commands.take(session, locked(session, offer), {offer: 2})
    problem(service.call("PUT", path(offer), {"max": 1}, "editor", version=2), 409)
    problem(service.call("PUT", path(offer), {"max": 5}, "editor", version=1), 412)
    assert service.call("PUT", path(offer), {"max": 2}, "editor", version=2).json()["free"] == 0


def test_places_come_back_once(service: Offers) -> None:
    offer = with_places(service, max=3)
    with service.db.transaction() as session:
        assert commands.take(session, locked(session, offer), {offer: 3})
        assert not commands.take(session, locked(session, offer), {offer: 1})
        commands.give_back(session, locked(session, offer), {offer: 2})
        commands.give_back(session, locked(session, offer), {offer: 2})
    with service.db.reading() as session:
        assert queries.left(session, {offer: now()})[offer].free == 2
    assert told_free(service, offer) == [None, 3, 0, 2, 2]


def test_a_group_takes_all_of_its_dates_or_none(service: Offers) -> None:
    offer = with_places(service, max=5)
    other = "00000000-0000-7000-8000-000000000000"
    with service.db.transaction() as session:
        assert not commands.take(session, locked(session, offer), {offer: 2, other: 1})
    with service.db.reading() as session:
        assert queries.left(session, {offer: now()})[offer].free == 5


@pytest.mark.parametrize("count", [1, 3])
def test_never_more_than_there_are_under_many_writers(service: Offers, count: int) -> None:
    offer = with_places(service, max=20)

    def grab(number: int) -> int:
        taken = 0
        for _ in range(4):
            with service.db.transaction() as session:
                taken += count * commands.take(session, locked(session, offer), {offer: count})
            if taken and number % 4 == 0:
                with service.db.transaction() as session:
                    commands.give_back(session, locked(session, offer), {offer: count})
                taken -= count
        return taken

    with ThreadPoolExecutor(12) as pool:
        kept = sum(pool.map(grab, range(12)))
    shown = service.call("GET", path(offer)).json()["items"][0]
    assert shown["taken"] == kept <= 20
    assert shown["free"] == 20 - kept
    assert told_free(service, offer)[-1] == 20 - kept
