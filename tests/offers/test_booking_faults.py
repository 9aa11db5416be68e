"""kill -9 of the service and of its database while many book: nobody's place is lost, none is given twice."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx2
from sqlmodel import select

from services.offers.bookings.models import Booking
from tests.offers.booking import Requester, dated, offered, taken
from tests.offers.conftest import Offers
from tests.postgres import Postgres
from tests.waiting import until

PLACES, PEOPLE, AT_ONCE = 25, 60, 6
AGAIN_SECONDS = 0.1


class Insisting(Requester):
    """Somebody who repeats one and the same request until it is answered."""

    turned_away = 0

    def insist(self, offer: str, *dates: str) -> int:
        """The status in the end, and the booking if there is one."""
        body = {"offer_id": offer, "recipient_id": self.id, "session_ids": list(dates), "form": {"age": 7}}
        key = {"Idempotency-Key": str(uuid4())}
        while True:
            try:
                answer = self.service.call("POST", "/v1/bookings", body, headers=key)
                if answer.status_code != 503:
                    break
            except httpx2.TransportError:
                pass
            self.turned_away += 1
            time.sleep(AGAIN_SECONDS)
        assert answer.status_code in (201, 409), answer.text
        if answer.status_code == 201:
            self.booking, self.link = answer.json()["booking"]["id"], answer.json()["token"]
        return answer.status_code


def strike(service: Offers, server: Postgres | None) -> None:
    """Kill the service, then the database, and bring each back."""
    service.stack.kill9("offers")
    service.stack.launch("offers")
    strike_database(service, server)


def strike_database(service: Offers, server: Postgres | None) -> None:
    """The same with PostgreSQL, where there is one."""
    if server:
        time.sleep(0.3)
        server.kill9()
        server.start()
    service.stack.wait_ready("offers")
    service.db.dispose()  # its connections died with the server


def test_no_place_is_given_twice_and_no_booking_is_lost(shaken: tuple[Offers, Postgres | None]) -> None:
    service, server = shaken
    offer = offered(service)
    dates = dated(service, offer, PLACES, PLACES)
    people = [Insisting(service) for _ in range(PEOPLE)]

    def go(person: Insisting) -> int:
        time.sleep(0.03)
        return person.insist(offer, *dates)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = pool.map(go, people)
        time.sleep(0.2)
        strike(service, server)
        statuses = Counter(answers)

    assert sum(person.turned_away for person in people) > 0, "it was killed in the midst of it"
    assert statuses == {201: PLACES, 409: PEOPLE - PLACES}
    assert [taken(service, date) for date in dates] == [PLACES, PLACES], "the sum of what bookings hold"
    with service.db.reading() as session:
        kept = session.exec(select(Booking.id, Booking.recipient_id).where(Booking.offer_id == offer)).all()
    assert {(person.booking, person.id) for person in people if person.booking} == set(kept)
    service.relayed()
    assert all(len(person.messages()) == bool(person.booking) for person in people)
    until(lambda: service.facts(offer)[-1]["data"]["card"]["free_places"] == 0)
    versions = [version for _, version in service.told(offer)]
    assert versions == sorted(set(versions))
